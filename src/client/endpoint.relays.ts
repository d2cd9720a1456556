/*
 * The relays of one endpoint: the one in use, and beside it the one that it moves to or comes from, on the same UDP
 * socket. When the older one is left is decided in relay-departure.ts.
 */
import type { CryptoContext } from '../protocol/key-store.js';
import type { RandomBytes } from '../protocol/session/path-proofs.js';
import type { Clock } from '../runtime/clock.js';
import { EndpointError } from './endpoint-error.js';
import { LeaseProof, type LeaseFields } from './lease-proof.js';
import { endOfMove, leaveAtMs, STAY_AT_MOST_MS, type RelayUse } from './relay-departure.js';
import type { RelayAddresses, RelayNews } from './relay-news.js';
import { RelayWay, type RelayWayEvents } from './relay.way.js';
import type { UdpLink } from './udp.path.js';

/** One that is used and one that is moved to. */
const MAX_RELAYS = 2;

/** What the relays need of their endpoint. */
export interface EndpointRelaysParts {
  readonly context: CryptoContext;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly events: Omit<RelayWayEvents, 'relay'>;
  relay(news: RelayNews, relayId: string): void;
  /** How both sides use the ways through a relay. */
  use(generation: number): RelayUse;
}

interface Held {
  readonly generation: number;
  readonly relayId: string;
  readonly way: RelayWay;
  lease: LeaseProof;
  /** Monotonic: by when it has to be left, once its MOVE has said so. */
  endsMs: number;
}

/** Holds them, the oldest first, and their leases. */
export class EndpointRelays {
  readonly #parts: EndpointRelaysParts;
  readonly #held: Held[] = [];
  #generation = 0;
  /** Since when the peer answers at the newest; Infinity while it does not. */
  #metMs = Infinity;

  constructor(parts: EndpointRelaysParts) {
    this.#parts = parts;
  }

  /**
   * Begins to prove a lease at a relay and prefers it once the peer answers there; of two others the one that neither
   * side uses is left. Call `pump` after it. @throws EndpointError for wrong lengths, addresses and pins.
   */
  add(addresses: RelayAddresses, fields: LeaseFields, udp: UdpLink | undefined): void {
    const lease = new LeaseProof(this.#parts.context, fields);
    try {
      const generation = this.#generation + 1;
      const way = this.#newWay(generation, { addresses, lease, relayId: fields.relayId });
      way.begin(udp);
      while (this.#held.length >= MAX_RELAYS) this.#leave(this.#leastUsed());
      this.#held.push({ generation, relayId: fields.relayId, way, lease, endsMs: Infinity });
      this.#generation = generation;
      this.#metMs = Infinity;
    } catch (error) {
      lease.close();
      throw error;
    }
  }

  /** Proves a newer lease at a relay that is held. @throws EndpointError ERR_ENDPOINT_RELAY if none has its id. */
  renew(fields: LeaseFields): void {
    const held = this.#held.findLast(({ relayId }) => relayId === fields.relayId);
    if (held === undefined)
      throw new EndpointError('ERR_ENDPOINT_RELAY', 'no relay of this endpoint has this id');
    const lease = new LeaseProof(this.#parts.context, fields);
    held.way.renew(lease);
    held.lease.close();
    held.lease = lease;
  }

  /** Takes a datagram if it comes from a relay; gives whether it did. */
  receive(bytes: Uint8Array, address: string, port: number): boolean {
    const held = this.#held.findLast(({ way }) => way.isFrom(address, port));
    held?.way.receive(bytes);
    return held !== undefined;
  }

  /** The UDP socket is another one. */
  moved(udp: UdpLink): void {
    for (const { way } of this.#held) way.moved(udp);
  }

  /** Sends what is due, leaves what is to be left, and gives when to call it again. */
  pump(nowMs: number): number {
    const leaveMs = this.#leaveOlder(nowMs);
    return Math.min(leaveMs, ...this.#held.map(({ way }) => way.pump(nowMs)));
  }

  /** Gives all leases up and erases their keys. */
  close(): void {
    for (const held of this.#held.splice(0)) closeHeld(held);
  }

  /** When the older one is to be left. */
  #leaveOlder(nowMs: number): number {
    const [older, newer] = this.#held;
    if (older === undefined || newer === undefined) return Infinity;
    const use = this.#parts.use(newer.generation);
    if (!use.isProven) this.#metMs = Infinity;
    else if (this.#metMs === Infinity) this.#metMs = nowMs;
    const endsMs = Math.min(older.endsMs, this.#metMs + STAY_AT_MOST_MS);
    const atMs = leaveAtMs(this.#parts.use(older.generation), use, endsMs);
    if (nowMs < atMs) return atMs;
    this.#leave(older);
    return Infinity;
  }

  #leave(held: Held): void {
    this.#held.splice(this.#held.indexOf(held), 1);
    closeHeld(held);
    this.#parts.relay({ type: 'left' }, held.relayId);
  }

  /** The one that neither side uses, else the oldest. Only while there is one. */
  #leastUsed(): Held {
    const [oldest] = this.#held;
    const idle = this.#held.find(({ generation }) => !this.#parts.use(generation).isInUse);
    const held = idle ?? oldest;
    if (held === undefined) throw new Error('no relay is held');
    return held;
  }

  #newWay(
    generation: number,
    {
      addresses,
      lease,
      relayId,
    }: { addresses: RelayAddresses; lease: LeaseProof; relayId: string },
  ): RelayWay {
    const { clock, random, events } = this.#parts;
    return new RelayWay({
      ...{ generation, lease, addresses, random },
      monotonicMs: () => clock.monotonicMs(),
      wallMs: () => clock.now().getTime(),
      events: {
        ...events,
        relay: (news) => {
          this.#note(generation, news);
          this.#parts.relay(news, relayId);
        },
      },
    });
  }

  #note(generation: number, news: RelayNews): void {
    const held = this.#held.find((one) => one.generation === generation);
    if (held === undefined || news.type !== 'move') return;
    const { clock } = this.#parts;
    const now = { wallMs: clock.now().getTime(), monotonicMs: clock.monotonicMs() };
    held.endsMs = endOfMove(news.deadlineMs, now);
  }
}

function closeHeld({ way, lease }: Held): void {
  way.close();
  lease.close();
}
