/*
 * The relay's side of one registration, without the socket: what to send when, what to make of what comes, and when to
 * dial again. Time is monotonic milliseconds, the wall clock comes beside it where a message carries it.
 *
 *   waiting --due--> dialling --opened--> registering --welcome--> registered
 *      ^                |                     |                        |
 *      +--- closed, refused, silent for SILENT_MS, a message that is none of ours
 */
import { Ajv } from 'ajv';
import {
  FROM_GATEWAY,
  HEARTBEAT_SECONDS,
  RELAY_WIRE_VERSION,
  type FromGateway,
  type FromRelay,
} from '../../messages/relay-registry.js';
import { OWN_SCHEMAS } from '../../runtime/own-schemas.js';

/** How long nothing may come from a gateway before the connection is given up: three heartbeats without an answer. */
export const SILENT_MS = 3 * HEARTBEAT_SECONDS * 1_000;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;
/** A connection that held this long was a good one: the next attempt is soon. */
const HEALTHY_MS = 30_000;

/** Who registers, the same for all gateways. */
export interface Registrant {
  readonly pool: string;
  readonly ordinal: number;
  readonly boot: string;
}

/** What a heartbeat tells, read when it is sent. */
export interface RelayState {
  readonly sessions: number;
  readonly packets: number;
  readonly bytes: number;
  readonly drops: number;
  readonly draining: boolean;
  /** Ids of the keys of this gateway. */
  readonly kids: readonly string[];
}

/** What the socket has to do. */
export type RegistrationAction =
  | { readonly kind: 'dial' }
  | { readonly kind: 'send'; readonly message: FromRelay }
  | { readonly kind: 'close'; readonly why: 'silent' | 'message' }
  | { readonly kind: 'registered' }
  | { readonly kind: 'revoke'; readonly jti: readonly string[]; readonly kids: readonly string[] }
  | { readonly kind: 'drain'; readonly deadline: number };

/** Where a registration stands: a closed list and a metric label. */
export const REGISTRATION_PHASES = ['waiting', 'dialling', 'registering', 'registered'] as const;
/** One of REGISTRATION_PHASES. */
export type RegistrationPhase = (typeof REGISTRATION_PHASES)[number];

/** Both clocks at one moment, in milliseconds. */
export interface Moment {
  readonly monotonicMs: number;
  readonly unixMs: number;
}

const isFromGateway = new Ajv(OWN_SCHEMAS).compile(FROM_GATEWAY);

/** The registration at one gateway. */
export class Registration {
  #phase: RegistrationPhase = 'waiting';
  #dueMs = 0;
  #waitMs = FIRST_WAIT_MS;
  #heardMs = 0;
  #openedMs = 0;
  #seq = 0;
  #sentAtUnixMs = 0;
  #skewMs: number | undefined;

  constructor(private readonly registrant: Registrant) {}

  get phase(): RegistrationPhase {
    return this.#phase;
  }

  /** How far this relay's clock is ahead of the gateway's, in ms, from the newest ack; undefined before. */
  get skewMs(): number | undefined {
    return this.#skewMs;
  }

  /** Time passes. `state` is read only when a heartbeat is due. */
  tick(now: Moment, state: () => RelayState): RegistrationAction[] {
    if (this.#phase === 'waiting') return this.#dialWhenDue(now);
    if (now.monotonicMs - this.#heardMs >= SILENT_MS) return [{ kind: 'close', why: 'silent' }];
    if (this.#phase !== 'registered' || now.monotonicMs < this.#dueMs) return [];
    return [this.#heartbeat(now, state())];
  }

  /** The connection stands and the peer is who it has to be. */
  opened(now: Moment, { kids }: Pick<RelayState, 'kids'>): RegistrationAction[] {
    this.#phase = 'registering';
    this.#heardMs = now.monotonicMs;
    this.#openedMs = now.monotonicMs;
    this.#seq = 0;
    const { pool, ordinal, boot } = this.registrant;
    const message: FromRelay = {
      type: 'register',
      pool,
      ordinal,
      boot,
      wire: RELAY_WIRE_VERSION,
      profile: 'Standard',
      kids: [...kids],
    };
    return [{ kind: 'send', message }];
  }

  /** Text came. Anything but a message in its place ends the connection. */
  received(text: string, now: Moment): RegistrationAction[] {
    const message = parse(text);
    if (!message || (message.type === 'welcome') !== (this.#phase === 'registering'))
      return [{ kind: 'close', why: 'message' }];
    this.#heardMs = now.monotonicMs;
    return this.#take(message, now);
  }

  /** Something that the gateway has to know at once has changed: the next heartbeat is due now. */
  hurry(): void {
    if (this.#phase === 'registered') this.#dueMs = 0;
  }

  /** The connection is gone or was not made. `random` is in [0, 1): relays of one pool come back one by one. */
  closed(now: Moment, random: number): void {
    const wasGood = this.#phase === 'registered' && now.monotonicMs - this.#openedMs >= HEALTHY_MS;
    if (wasGood) this.#waitMs = FIRST_WAIT_MS;
    this.#phase = 'waiting';
    this.#dueMs = now.monotonicMs + this.#waitMs * (0.5 + random / 2);
    this.#waitMs = Math.min(2 * this.#waitMs, LONGEST_WAIT_MS);
  }

  #dialWhenDue(now: Moment): RegistrationAction[] {
    if (now.monotonicMs < this.#dueMs) return [];
    this.#phase = 'dialling';
    this.#heardMs = now.monotonicMs;
    return [{ kind: 'dial' }];
  }

  #heartbeat(now: Moment, { kids, ...state }: RelayState): RegistrationAction {
    this.#dueMs = now.monotonicMs + HEARTBEAT_SECONDS * 1_000;
    this.#seq++;
    this.#sentAtUnixMs = now.unixMs;
    const at = Math.floor(now.unixMs);
    const message: FromRelay = { type: 'heartbeat', seq: this.#seq, at, ...state, kids: [...kids] };
    return { kind: 'send', message };
  }

  #take(message: FromGateway, now: Moment): RegistrationAction[] {
    switch (message.type) {
      case 'welcome':
        this.#phase = 'registered';
        this.#dueMs = 0;
        return [
          { kind: 'registered' },
          { kind: 'revoke', jti: message.revoked, kids: message.kids },
        ];
      case 'ack':
        // Half of the round trip is the best guess of when the gateway read its clock.
        if (message.seq === this.#seq)
          this.#skewMs = (this.#sentAtUnixMs + now.unixMs) / 2 - message.at;
        return [];
      case 'revoke':
        return [{ kind: 'revoke', jti: message.jti, kids: message.kids }];
      case 'drain':
        return [{ kind: 'drain', deadline: message.deadline }];
    }
  }
}

function parse(text: string): FromGateway | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isFromGateway(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
