/*
 * Keeps one connection to the first gateway of a list that can be had: dials the next when one fails, goes back to the
 * first when that is up again, and resumes the session. Nothing is queued: without a connection a request fails at once.
 */
import type { AnswerBody, RequestBody, RequestName } from '../../messages/requests.js';
import type { LoginRefusal, Welcome } from '../../messages/signaling.js';
import { fromBase64urlText } from '../../protocol/lease/base64url.js';
import type { Clock } from '../../runtime/clock.js';
import { GatewayError } from './gateway-error.js';
import { withLearnedPins, type GatewayPlace } from './gateway-place.js';
import {
  GatewayConnection,
  type ConnectionEnd,
  type ProveSecondFactor,
} from './gateway.connection.js';
import type { LinkEnd } from './gateway.link.js';
import type { LoginSigner } from './login.js';
import { judgePinUpdate, type PinUpdateRefusal } from './pin-update.js';
import { afterClose, afterRefusal, nextGateway, reconnectDelayMs } from './reconnect.js';
import type { Notice } from './signaling-reader.js';
import { CLOSE_CODES, type CloseName } from '../../messages/signaling.js';

/** How often a client that had to fall back looks whether the first gateway is up. */
const RETURN_EVERY_MS = 60_000;

/** Pins that updates added for one gateway, and the serial of the newest. */
export interface LearnedPins {
  readonly pins: readonly string[];
  readonly serial: number;
  /** Unix ms: then they are forgotten. */
  readonly notAfter: number;
}

/** What is remembered of gateways, by the first address of each (GatewayPlace). */
export interface GatewayMemory {
  session(name: string): Uint8Array | undefined;
  keepSession(name: string, token: Uint8Array | undefined): void;
  learnedPins(name: string): LearnedPins | undefined;
  keepPins(name: string, learned: LearnedPins): void;
}

/** What a keeper tells. */
export interface KeeperEvents {
  /** Logged in: at a new connection everything that the gateway held for the old one is gone. */
  connected(welcome: Welcome, place: GatewayPlace): void;
  /** The connection, or a try to get one, ended; another follows. */
  away(why: LinkEnd | LoginRefusal, place: GatewayPlace): void;
  notice(notice: Notice): void;
  pinUpdate(outcome: 'taken' | PinUpdateRefusal, place: GatewayPlace): void;
  /** No further try is made: the person has to do something. */
  stopped(why: LinkEnd | LoginRefusal): void;
}

/** What a keeper is made of. */
export interface KeeperParts {
  readonly places: readonly GatewayPlace[];
  readonly signer: LoginSigner;
  readonly memory: GatewayMemory;
  readonly clock: Clock;
  /** In [0, 1): spreads the tries of many clients. */
  readonly random: () => number;
  readonly invite?: string | undefined;
  readonly proveSecondFactor?: ProveSecondFactor | undefined;
  readonly events: KeeperEvents;
}

/** Keeps an endpoint connected from `start` to `close`. */
export class GatewayKeeper {
  readonly #parts: KeeperParts;
  #current: GatewayConnection | undefined;
  /** A connection to the first gateway that may take the place of the present one. */
  #returning: GatewayConnection | undefined;
  #index = 0;
  #failures = 0;
  #returns = 0;
  #timer: NodeJS.Timeout | undefined;
  #returnTimer: NodeJS.Timeout | undefined;
  #ended = false;

  constructor(parts: KeeperParts) {
    this.#parts = parts;
  }

  /** Dials the first gateway. */
  start(): void {
    this.#current = this.#dial(0);
  }

  /** Whether requests may go now. */
  get isConnected(): boolean {
    return this.#current?.isIn === true;
  }

  /** As GatewayConnection.request, at the gateway that is connected now. */
  async request<Name extends RequestName>(
    name: Name,
    body: RequestBody<Name>,
    withinMs?: number,
  ): Promise<AnswerBody<Name>> {
    if (this.#ended) throw new GatewayError('ERR_GATEWAY_CLOSED', 'The client is closed.');
    if (!this.#current) throw new GatewayError('ERR_GATEWAY_AWAY', 'No gateway is connected now.');
    return this.#current.request(name, body, withinMs);
  }

  /** Ends everything. May be called again. */
  close(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#returnTimer);
    this.#current?.close();
    this.#returning?.close();
  }

  #dial(index: number): GatewayConnection {
    const { places, memory, clock, signer, invite, proveSecondFactor } = this.#parts;
    const given = places[index];
    if (given === undefined) throw new RangeError(`there is no gateway ${index}`);
    const name = given.gateway;
    const learned = memory.learnedPins(name);
    const holds = learned !== undefined && clock.now().getTime() < learned.notAfter;
    const session = memory.session(name);
    const connection: GatewayConnection = new GatewayConnection({
      place: holds ? withLearnedPins(given, learned.pins) : given,
      signer,
      clock,
      session,
      invite,
      proveSecondFactor,
      events: {
        welcome: (welcome) => {
          this.#welcomed(connection, index, welcome);
        },
        notice: (notice) => {
          this.#noticed(connection, notice);
        },
        ended: (end) => {
          this.#lost(connection, index, { end, hadSession: session !== undefined });
        },
      },
    });
    return connection;
  }

  #welcomed(connection: GatewayConnection, index: number, welcome: Welcome): void {
    if (this.#ended) return;
    if (connection === this.#returning) {
      const before = this.#current;
      this.#current = connection;
      this.#returning = undefined;
      before?.close();
    }
    const token = welcome.session === undefined ? undefined : fromBase64urlText(welcome.session);
    if (token !== undefined) this.#parts.memory.keepSession(connection.place.gateway, token);
    this.#index = index;
    this.#failures = 0;
    this.#planReturn();
    this.#parts.events.connected(welcome, connection.place);
  }

  #noticed(connection: GatewayConnection, notice: Notice): void {
    if (connection !== this.#current) return;
    if (notice.name === 'pins.update') this.#takePins(connection, notice.body);
    else this.#parts.events.notice(notice);
  }

  #takePins(
    { place, leafKey }: GatewayConnection,
    body: { readonly update: string; readonly signature: string },
  ): void {
    const { memory, clock, events } = this.#parts;
    const name = place.gateway;
    const serial = memory.learnedPins(name)?.serial ?? 0;
    if (leafKey === undefined) return;
    const nowMs = clock.now().getTime();
    const update = judgePinUpdate(body, { host: place.host, leafKey, serial, nowMs });
    if (typeof update !== 'string') {
      const { pins, notAfter } = update;
      memory.keepPins(name, { pins, serial: update.serial, notAfter });
    }
    events.pinUpdate(typeof update === 'string' ? update : 'taken', place);
  }

  #lost(
    connection: GatewayConnection,
    index: number,
    { end, hadSession }: { readonly end: ConnectionEnd; readonly hadSession: boolean },
  ): void {
    if (this.#ended) return;
    if (connection === this.#returning) {
      this.#returning = undefined;
      this.#planReturn();
    }
    if (connection !== this.#current) return;
    if (this.#returning !== undefined) {
      // The gateway keeps the newest connection of a device: the one that is on its way takes over.
      this.#current = this.#returning;
      this.#returning = undefined;
      return;
    }
    this.#current = undefined;
    this.#parts.events.away(end.why, connection.place);
    this.#planDial(connection.place, index, nextStep(end, hadSession));
  }

  #planDial(place: GatewayPlace, index: number, step: NextStep): void {
    const { places, memory, events, random } = this.#parts;
    if (step.do === 'stop') {
      this.#ended = true;
      events.stopped(step.why);
      return;
    }
    if (step.do === 'without-session') memory.keepSession(place.gateway, undefined);
    this.#failures++;
    const next = step.do === 'without-session' ? index : nextGateway(index, places.length);
    const isNewRound = this.#failures % places.length === 0;
    const waitMs = isNewRound ? reconnectDelayMs(this.#failures / places.length, random()) : 0;
    this.#timer = setTimeout(
      () => {
        this.#current = this.#dial(next);
      },
      Math.max(waitMs, step.do === 'later' ? step.retryMs : 0),
    );
  }

  /** At whichever replica of it. */
  #isAtFirst(): boolean {
    return this.#index < replicasOfFirst(this.#parts.places);
  }

  #planReturn(): void {
    clearTimeout(this.#returnTimer);
    if (this.#ended || this.#isAtFirst()) return;
    this.#returnTimer = setTimeout(
      () => {
        if (!this.isConnected || this.#isAtFirst()) return;
        this.#returning = this.#dial(this.#returns++ % replicasOfFirst(this.#parts.places));
      },
      RETURN_EVERY_MS * (0.5 + this.#parts.random()),
    );
    this.#returnTimer.unref();
  }
}

/** How many places at the beginning of the list are replicas of the first gateway. */
function replicasOfFirst(places: readonly GatewayPlace[]): number {
  const other = places.findIndex(({ gateway }) => gateway !== places[0]?.gateway);
  return other < 0 ? places.length : other;
}

type NextStep =
  | { readonly do: 'again' | 'without-session' }
  | { readonly do: 'later'; readonly retryMs: number }
  | { readonly do: 'stop'; readonly why: LinkEnd | LoginRefusal };

function nextStep(end: ConnectionEnd, hadSession: boolean): NextStep {
  if (end.how === 'link') {
    const then = afterClose(isCloseName(end.why) ? end.why : undefined);
    return then === 'stop' ? { do: 'stop', why: end.why } : { do: then };
  }
  const then = afterRefusal(end.why, end.retryAfterSeconds, hadSession);
  if (then === 'stop') return { do: 'stop', why: end.why };
  return then === 'without-session' ? { do: then } : { do: 'later', retryMs: then.retryMs };
}

const isCloseName = (why: LinkEnd): why is CloseName => Object.hasOwn(CLOSE_CODES, why);
