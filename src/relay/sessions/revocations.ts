/*
 * Leases and lease keys that are not taken any more. Everything is kept per gateway: a gateway can end only what it
 * issued, whatever ids it names.
 */
import { MAX_LEASE_SECONDS } from '../../protocol/lease/lease.js';
import type { Lease } from './holder.js';
import { RefusedLeases, type RefusedFor } from './refused-leases.js';
import { STATISTIC } from '../packet/statistics.js';

/** Leases remembered: an hour of 18 farewells per second. About 150 bytes each. */
const MAX_LEASES = 65_536;
/** Key ids remembered; a gateway has three at a time. */
const MAX_KEYS = 1_024;

/** What was revoked or given up. */
export class Revocations {
  readonly #leases: RefusedLeases;
  readonly #keys = new Set<string>();

  constructor(
    private readonly unixMs: () => number,
    private readonly statistics: Float64Array,
    maxLeases = MAX_LEASES,
  ) {
    this.#leases = new RefusedLeases(maxLeases);
  }

  /** Refuses this lease until it expires: its holder gave it up (`banned`), or a newer one took its slot. */
  refuse({ gateway, jti, expiresMs }: Lease, reason: RefusedFor): void {
    this.#leases.add(name(gateway, jti), expiresMs, reason);
    this.#gauge();
  }

  /** Refuses what `gateway` revoked; of a lease never seen here only the longest lifetime is known. */
  revoke(gateway: string, jtis: readonly string[], kids: readonly string[]): void {
    const latest = this.unixMs() + MAX_LEASE_SECONDS * 1_000;
    for (const jti of jtis) this.#leases.add(name(gateway, jti), latest, 'banned');
    for (const kid of kids) {
      for (const oldest of this.#keys) {
        if (this.#keys.size < MAX_KEYS) break;
        this.#keys.delete(oldest);
      }
      this.#keys.add(name(gateway, kid));
    }
    this.#gauge();
  }

  /** Why this lease is refused; undefined if neither it nor the key that signed it is. A revoked key bans all its leases. */
  reasonFor({ gateway, jti, kid }: Lease): RefusedFor | undefined {
    if (this.#keys.has(name(gateway, kid))) return 'banned';
    return this.#leases.reasonFor(name(gateway, jti));
  }

  /** Forgets what has expired. */
  expire(): void {
    this.#leases.expire(this.unixMs());
    this.#gauge();
  }

  #gauge(): void {
    this.statistics[STATISTIC.refused_leases] = this.#leases.size;
    this.statistics[STATISTIC.refused_leases_evicted] = this.#leases.evicted;
  }
}

/** No name of a gateway holds a blank. */
const name = (gateway: string, id: string): string => `${gateway} ${id}`;
