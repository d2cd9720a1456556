import type { LoginRefusal } from '../../messages/signaling.js';
import type { Clock } from '../../runtime/clock.js';
import type { Caller, Connection } from '../caller.js';
import type { LoginConversation, LoginFacts } from '../rooms.js';
import type { AnsweringParts } from './answering.js';
import type { ServerCounters } from './metrics.js';

/** What a connection needs of the gateway around it. */
export interface EndpointHost {
  readonly clock: Clock;
  readonly counters: ServerCounters;
  readonly answering: AnsweringParts;
  messagesPerSecond(): number;
  idleTimeoutSeconds(): number;
  begin(facts: LoginFacts): LoginConversation;
  /** Why an account may not open one more connection; undefined if it may. */
  admit(caller: Caller): LoginRefusal | undefined;
  opened(connection: Connection): void;
  heard(connection: Connection, unixMs: number): void;
  ended(connection: Connection, wasOpen: boolean): void;
  /** A room threw what it must not. */
  failed(what: string, error: unknown): void;
}
