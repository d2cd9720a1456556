/*
 * The relays of one session: where it has leases, when they are renewed, and when it moves on.
 *
 *   lease    renewed when two thirds of its life are over, and again every 10 s while that fails; the one before is given
 *            back when the relay has taken the new one
 *   refused  a new lease for the same relay, at most every 5 s; if there is none, another relay
 *   MOVE     the initiator takes another relay, gets a lease there and tells the peer, who does the same; a responder
 *            who hears nothing for 5 s does it himself. The same when a relay does not answer any more
 */
import type { AnswerBody } from '../../messages/requests.js';
import type { Clock } from '../../runtime/clock.js';
import type { LeaseFields } from '../lease-proof.js';
import type { RelayAddresses, RelayNews } from '../relay-news.js';
import { addressesOf } from './local.addresses.js';
import type { AskGateway, SessionLeases, TakenLease } from './session-leases.js';

const RENEW_AT = 2 / 3;
const RETRY_LEASE_MS = 10_000;
const RENEW_REFUSED_EVERY_MS = 5_000;
/** A gateway that gives shorter leases than the shortest (60 s) is not asked more often for that. */
const MIN_RENEW_MS = 10_000;
const RESPONDER_WAITS_MS = 5_000;
const RETRY_MOVE_MS = 3_000;
/** A MOVE is a hint that anybody on the way can forge. */
const MOVE_AT_MOST_EVERY_MS = 30_000;

/** What an endpoint does with leases. */
export interface RelayUser {
  addRelay(addresses: RelayAddresses, lease: LeaseFields): Promise<void>;
  renew(lease: LeaseFields): void;
}

/** What the relays of a session need. */
export interface SessionRelaysParts {
  readonly role: 'initiator' | 'responder';
  readonly leases: SessionLeases;
  readonly ask: AskGateway;
  readonly region: string | undefined;
  readonly clock: Clock;
  /** The endpoint, while there is one. */
  readonly endpoint: () => RelayUser | undefined;
  /** Asks the peer to come to a relay. */
  readonly tell: (relayId: string) => Promise<unknown>;
}

interface Held {
  readonly jti: Uint8Array;
  readonly timer: NodeJS.Timeout;
  /** Leases that the present one replaced, until the relay has taken it. */
  readonly before: readonly Uint8Array[];
}

/** Keeps a session at a relay until `close`. */
export class SessionRelays {
  readonly #parts: SessionRelaysParts;
  readonly #held = new Map<string, Held>();
  #current = '';
  #movedMs = -Infinity;
  #renewedMs = -Infinity;
  #moveTimer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(parts: SessionRelaysParts) {
    this.#parts = parts;
  }

  /** The relay that was joined last. */
  get current(): string {
    return this.#current;
  }

  /** Gets a lease at `place` and hands it to `use`. @throws GatewayError; what `use` and the look-up of a name throw. */
  async join(
    place: AnswerBody<'relay.find'>,
    use: (addresses: RelayAddresses, lease: LeaseFields) => Promise<void>,
  ): Promise<void> {
    const addresses = await addressesOf(place);
    await this.#parts.leases.take(place.rid, async (lease) => {
      await use(addresses, lease.fields);
      this.#hold(place.rid, lease);
      this.#current = place.rid;
    });
  }

  /** News of the relay `rid`. */
  heard(news: RelayNews, rid: string): void {
    switch (news.type) {
      case 'proven':
        this.#proven(rid);
        return;
      case 'refused':
        if (this.#now() - this.#renewedMs >= RENEW_REFUSED_EVERY_MS) void this.#renew(rid);
        return;
      case 'move':
      case 'unreachable':
        this.#leave(rid);
        return;
      case 'left':
        this.#drop(rid);
    }
  }

  /** The peer has a lease at `rid` and asks this side to come. @throws GatewayError; what the look-up of a name throws. */
  async follow(rid: string): Promise<void> {
    // Both may have moved at once: the initiator's choice stands.
    if (this.#held.has(rid) || (this.#parts.role === 'initiator' && this.#movedRecently())) return;
    this.#movedMs = this.#now();
    clearTimeout(this.#moveTimer);
    await this.#add(await this.#parts.ask('relay.find', { rid }));
  }

  /** Gives every lease back. May be called again. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#moveTimer);
    for (const rid of [...this.#held.keys()]) this.#drop(rid);
  }

  #add(place: AnswerBody<'relay.find'>): Promise<void> {
    return this.join(place, async (addresses, lease) => {
      await this.#parts.endpoint()?.addRelay(addresses, lease);
    });
  }

  #leave(rid: string): void {
    if (rid !== this.#current || this.#movedRecently() || this.#closed) return;
    if (this.#parts.role === 'initiator') {
      void this.#move();
      return;
    }
    this.#moveIn(RESPONDER_WAITS_MS);
  }

  #moveIn(ms: number): void {
    clearTimeout(this.#moveTimer);
    if (this.#closed) return;
    this.#moveTimer = setTimeout(() => {
      if (!this.#movedRecently()) void this.#move();
    }, ms);
  }

  async #move(): Promise<void> {
    this.#movedMs = this.#now();
    const { ask, region, tell } = this.#parts;
    try {
      const avoid = [...this.#held.keys()];
      const place = await ask('relay.choose', { avoid, ...(region !== undefined && { region }) });
      await this.#add(place);
      await tell(place.rid);
    } catch {
      // No relay, or the gateway is away: the path in use stays as long as it is there.
      this.#movedMs = -Infinity;
      this.#moveIn(RETRY_MOVE_MS);
    }
  }

  #hold(rid: string, { fields, expiresAt }: TakenLease): void {
    const replaced = this.#held.get(rid);
    clearTimeout(replaced?.timer);
    const lifeMs = expiresAt - this.#parts.clock.now().getTime();
    this.#held.set(rid, {
      jti: fields.jti,
      timer: this.#renewIn(rid, Math.max(MIN_RENEW_MS, lifeMs * RENEW_AT)),
      before: replaced === undefined ? [] : [...replaced.before, replaced.jti],
    });
    // The session may have ended while the gateway was asked.
    if (this.#closed) this.#drop(rid);
  }

  /** A lease that is given back too early would end the session at the relay. */
  #proven(rid: string): void {
    const held = this.#held.get(rid);
    if (held === undefined || held.before.length === 0) return;
    this.#held.set(rid, { ...held, before: [] });
    for (const jti of held.before) void this.#parts.leases.giveBack(jti);
  }

  #renewIn(rid: string, ms: number): NodeJS.Timeout {
    return setTimeout(() => {
      void this.#renew(rid);
    }, ms);
  }

  async #renew(rid: string): Promise<void> {
    const held = this.#held.get(rid);
    if (held === undefined || this.#closed) return;
    this.#renewedMs = this.#now();
    try {
      await this.#parts.leases.take(rid, (lease) => {
        this.#parts.endpoint()?.renew(lease.fields);
        this.#hold(rid, lease);
      });
    } catch {
      clearTimeout(held.timer);
      if (this.#held.get(rid) === held)
        this.#held.set(rid, { ...held, timer: this.#renewIn(rid, RETRY_LEASE_MS) });
      this.#leave(rid);
    }
  }

  #drop(rid: string): void {
    const held = this.#held.get(rid);
    if (held === undefined) return;
    clearTimeout(held.timer);
    this.#held.delete(rid);
    for (const jti of [...held.before, held.jti]) void this.#parts.leases.giveBack(jti);
  }

  #movedRecently(): boolean {
    return this.#now() - this.#movedMs < MOVE_AT_MOST_EVERY_MS;
  }

  #now(): number {
    return this.#parts.clock.monotonicMs();
  }
}
