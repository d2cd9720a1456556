import type { CryptoBackend } from '../../protocol/crypto-backend.js';
import type { Clock } from '../../runtime/clock.js';
import type { Bus } from '../bus.js';
import type { Connections, Refused } from '../caller.js';
import type { SignalingMetrics } from './signaling-metrics.js';
import type { SignalingState } from './signaling-state.js';

/** What the handlers of signaling work on. */
export interface SignalingParts {
  readonly state: SignalingState;
  readonly bus: Bus;
  readonly connections: Connections;
  readonly backend: CryptoBackend;
  readonly clock: Clock;
  readonly metrics: SignalingMetrics;
  /** First contacts that an account may make here within an hour: its part of what the settings say for all replicas. */
  readonly firstContactsPerHour: () => number;
}

/** How long another replica has for its answer: longer and a sender would wait for a replica that has died. */
export const BUS_TIMEOUT_MS = 1_000;

export const BAD_REQUEST: Refused = { refused: 'bad-request' };
export const PEER_ABSENT: Refused = { refused: 'peer-absent' };
/** The connection has ended while its request was under way. */
export const GONE: Refused = { refused: 'unavailable' };
