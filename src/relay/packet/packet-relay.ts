/*
 * The relay without its sockets and without time of its own: parts put together, and what the main thread tells it. The
 * worker (packet.worker.ts) gives it datagrams, the clock and randomness.
 */
import { Admission } from './admission.js';
import { FIRST_TCP_LINK, newAddress, setAddress } from './address.js';
import { Cookies } from './cookie.js';
import { DeniedAddresses } from './denied.js';
import { Drain } from './drain.js';
import { FALLBACK_KIND, type FallbackRecord } from './fallback-port.js';
import { Forwarding } from './forwarding.js';
import type { Holder } from '../sessions/holder.js';
import { LeaseReader } from './lease-reader.js';
import type { PacketConfiguration, PacketWorkerStart } from './packet-messages.js';
import { PacketPath } from './packet-path.js';
import { Revocations } from '../sessions/revocations.js';
import { slotAt } from '../sessions/session-table.js';
import { Sessions } from '../sessions/sessions.js';
import { increase, STATISTIC } from './statistics.js';

/** How often expired revocations are looked for. */
const EXPIRE_EVERY_MS = 1_000;

/** Bytes of an address in an OPEN record, before the port. */
const IP_BYTES = 16;

/** What it is made with. */
export interface PacketRelayParts {
  readonly start: Pick<PacketWorkerStart, 'relayId' | 'addresses'>;
  readonly statistics: Float64Array;
  /** 32 random bytes each. */
  readonly secrets: { readonly udp: Uint8Array; readonly tcp: Uint8Array };
  /** 32 random bits, for the places in tables. */
  readonly seed: number;
  /** Monotonic ms at the start. */
  readonly now: number;
  readonly unixMs: () => number;
}

/** Sessions, admission and forwarding as one. */
export class PacketRelay {
  readonly path: PacketPath;
  /** Ports that the sockets got: on loopback they tell the relay from its peers. */
  ports: readonly number[] = [];
  readonly #sessions: Sessions;
  readonly #forwarding: Forwarding;
  readonly #admission: Admission;
  readonly #leases = new LeaseReader();
  readonly #revocations: Revocations;
  readonly #connections = new Map<number, Uint32Array>();
  #drain: Drain | undefined;
  #expireAtMs = 0;

  constructor(private readonly parts: PacketRelayParts) {
    const { statistics, secrets, seed, unixMs, start } = parts;
    this.#sessions = new Sessions(seed, parts.now, statistics);
    this.#forwarding = new Forwarding(this.#sessions.table);
    this.#revocations = new Revocations(unixMs, statistics);
    this.#admission = new Admission({
      relayId: start.relayId,
      cookies: new Cookies(secrets.udp, secrets.tcp),
      leases: this.#leases,
      revocations: this.#revocations,
      sessions: this.#sessions,
      statistics,
      unixMs,
      seed,
    });
    this.path = new PacketPath({
      sessions: this.#sessions,
      forwarding: this.#forwarding,
      admission: this.#admission,
      statistics,
      seed: seed ^ 0x5bd1e995,
    });
  }

  /** Sessions now held. */
  get size(): number {
    return this.#sessions.table.size;
  }

  /** Whether the loop should come back at once because farewells wait. */
  get isBusy(): boolean {
    return this.#drain?.isBusy ?? false;
  }

  /** Sets the clock of the next datagrams, and whether more of them wait than are taken. */
  begin(now: number, busy: boolean): void {
    this.#forwarding.now = now;
    this.#forwarding.busy = busy;
  }

  /** Takes over settings; ends what they no longer allow. @throws RangeError if an address or a range is none. */
  configure(configuration: PacketConfiguration): void {
    const { capacity, rateLimits, stun, peerAddresses, leaseKeys } = configuration;
    const { addresses } = this.parts.start;
    const denied = new DeniedAddresses({
      ...peerAddresses,
      listening: addresses,
      ports: this.ports,
    });
    const gateways = new Set(leaseKeys.map((key) => key.gateway)).size;
    this.#leases.setKeys(leaseKeys);
    this.#sessions.configure(capacity.maxSessions, capacity);
    this.#forwarding.packetsPerSecond = rateLimits.packetsPerSessionPerSecond;
    this.#admission.configure({ capacity, rateLimits, gateways });
    this.path.configure({ denied, stun, rateLimits });
    this.#endHolders(
      (session, role, { lease }) =>
        !this.#leases.hasKey(lease.kid) ||
        denied.has(this.#sessions.table.words, slotAt(session, role)),
    );
  }

  /** Ends leases of `gateway`. */
  revoke(gateway: string, jti: readonly string[], kids: readonly string[]): void {
    this.#revocations.revoke(gateway, jti, kids);
    this.#endHolders(
      (_session, _role, { lease }) => this.#revocations.reasonFor(lease) !== undefined,
    );
  }

  /** MOVE to all, no new leases. */
  drain(deadlineMs: number): void {
    this.#admission.draining = true;
    this.parts.statistics[STATISTIC.draining] = 1;
    this.#drain = new Drain(deadlineMs, this.#sessions.table, (frame, words, at) => {
      this.path.answer(frame, words, at);
    });
  }

  /** What time brings: expiries, farewells. To be called in every pass of the loop. */
  tick(now: number): void {
    this.#sessions.advance(now);
    if (now >= this.#expireAtMs) {
      this.#expireAtMs = now + EXPIRE_EVERY_MS;
      this.#revocations.expire();
    }
    if (this.#drain) increase(this.parts.statistics, STATISTIC.moves_sent, this.#drain.step(now));
  }

  /** Takes a record from the thread that ends TLS. */
  receiveFallback({ kind, connection, body }: FallbackRecord): void {
    if (kind === FALLBACK_KIND.open && body.length === IP_BYTES + 2) {
      const words = newAddress();
      const port = (body[IP_BYTES] ?? 0) * 256 + (body[IP_BYTES + 1] ?? 0);
      setAddress(words, body.subarray(0, IP_BYTES), { port, link: FIRST_TCP_LINK + connection });
      this.#connections.set(connection, words);
      // A closed connection's slot runs idle: its number never comes again, and who reconnects proves again.
    } else if (kind === FALLBACK_KIND.close) this.#connections.delete(connection);
    else if (kind === FALLBACK_KIND.frame) {
      const from = this.#connections.get(connection);
      if (from) this.path.receiveFrame(body, from);
    }
  }

  #endHolders(isOver: (session: number, role: 0 | 1, holder: Holder) => boolean): void {
    for (const session of this.#sessions.table.sessions()) {
      const { holders } = this.#sessions.recordOf(session);
      for (const role of [0, 1] as const) {
        const holder = holders[role];
        if (!holder || !isOver(session, role, holder)) continue;
        this.#sessions.leave(session, role, this.#forwarding.now);
        increase(this.parts.statistics, STATISTIC.leases_revoked);
      }
    }
  }
}
