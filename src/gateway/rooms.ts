/*
 * How the rooms of the gateway meet: each is made from the same context and gives handlers of requests; the server reads
 * messages, asks `access` whether a request is allowed, and calls the handler. Rooms do not import each other.
 */
import type { AuditEmitter } from '../audit/emitter.js';
import type { FromGateway, FromRelay } from '../messages/relay-registry.js';
import type { RequestName } from '../messages/requests.js';
import type { FromEndpoint, ToEndpoint } from '../messages/signaling.js';
import type { CryptoBackend } from '../protocol/crypto-backend.js';
import type { Clock } from '../runtime/clock.js';
import type { Logger } from '../runtime/log.js';
import type { Metrics } from '../runtime/metrics.js';
import type { AuditStop } from './audit-failure.js';
import type { Bus, BusAnswer, BusMessage } from './bus.js';
import type {
  Caller,
  Connection,
  Connections,
  Handlers,
  Refused,
  RequestContext,
} from './caller.js';
import type { GatewaySettings } from './settings.js';
import type { Store } from './store.js';

/** What every room is made from. */
export interface RoomContext {
  readonly store: Store;
  readonly bus: Bus;
  readonly connections: Connections;
  /** The settings as they are now: live values change. */
  readonly settings: () => GatewaySettings;
  readonly clock: Clock;
  /** Cryptographically random bytes. */
  readonly random: (bytes: number) => Uint8Array;
  readonly backend: CryptoBackend;
  readonly audit: AuditEmitter;
  /** What stops because records cannot be written; absent: nothing ever does. */
  readonly auditStops?: () => AuditStop;
  readonly metrics: Metrics;
  readonly log: Logger;
}

/** A part of the gateway. */
export interface Room {
  readonly handlers: Partial<Handlers>;
  /** A login succeeded and the connection is open. */
  opened?(connection: Connection): void;
  /** The connection is gone. */
  closed?(connection: Connection): void;
  /** A message of this connection arrived: its session is not idle. `now` in Unix milliseconds. */
  heard?(connection: Connection, now: number): void;
  /** A message of another replica. The first room that gives an answer has answered. */
  onBus?(message: BusMessage, from: string): BusAnswer | Promise<BusAnswer>;
  /** Runs every second: expiry, sweeps. Must not throw. */
  tick?(now: number): void | Promise<void>;
  stop?(): Promise<void>;
}

/** What the server knows of a connection before the login. */
export interface LoginFacts {
  /** After trusted proxies. */
  readonly address: string;
  /** Whether the connection came through a trusted proxy: then, and only then, binding 0 is taken. */
  readonly viaTrustedProxy: boolean;
  /** Exporter of this TLS connection (RFC 9266), 32 bytes; absent through a trusted proxy. */
  readonly exporter?: Uint8Array;
}

/** What follows a message of an endpoint that logs in. */
export type LoginStep =
  | { readonly send: ToEndpoint }
  | { readonly send: ToEndpoint; readonly caller: Caller }
  /** The connection is closed after this was sent. */
  | { readonly send: ToEndpoint; readonly refused: true };

/** One login. */
export interface LoginConversation {
  /** The challenge. */
  readonly first: ToEndpoint;
  /** Takes the next message; never throws for what an endpoint sends. */
  receive(message: FromEndpoint): Promise<LoginStep>;
}

/** Accounts, devices, second factors, sessions. */
export interface LoginRoom extends Room {
  begin(facts: LoginFacts): LoginConversation;
}

/** Roles and routes. */
export interface AccessRoom extends Room {
  /** Whether the caller may; every decision that asks for it is recorded. */
  decide(name: RequestName, context: RequestContext): 'allowed' | Refused;
  /** Records what became of a request that was allowed. */
  done(name: RequestName, context: RequestContext, refused: Refused | undefined): void;
  /** Names of the roles of an account now. */
  rolesOf(account: string): readonly string[];
}

/** The registration of one relay, from its first message to its end. */
export interface RelayConversation {
  /** What to send back, in order; `close` ends the connection with 4403 after it. */
  receive(message: FromRelay): { readonly send: readonly FromGateway[]; readonly close?: true };
  closed(): void;
}

/** The relay registry and leases. */
export interface RelayRoom extends Room {
  /** `identity` is the URI SAN of the verified leaf; undefined when it is none that may register. */
  accept(identity: string, send: (message: FromGateway) => void): RelayConversation | undefined;
}
