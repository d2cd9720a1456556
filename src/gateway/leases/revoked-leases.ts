/*
 * Leases that were ended before they expired, as relays are told when they register. The store has the same list; this
 * one answers without waiting, and knows what the store could not take yet.
 */
import { MAX_REVOKED } from '../../messages/relay-registry.js';
import { MAX_LEASE_SECONDS } from '../../protocol/lease/lease.js';

/** A bounded list of `jti`, the oldest first. */
export class RevokedLeases {
  readonly #expiresAt = new Map<string, number>();

  /** Those of `jti` that were not on the list; they are now. Without `expiresAt` the longest life is assumed. */
  add(
    jti: readonly string[],
    nowMs: number,
    expiresAt = nowMs + MAX_LEASE_SECONDS * 1_000,
  ): string[] {
    const fresh = jti.filter((each) => !this.#expiresAt.has(each));
    for (const each of fresh) {
      // A relay forgets the earliest as well when its table is full; a lease that slips through ends at its `exp`.
      for (const oldest of this.#expiresAt.keys()) {
        if (this.#expiresAt.size < MAX_REVOKED) break;
        this.#expiresAt.delete(oldest);
      }
      this.#expiresAt.set(each, expiresAt);
    }
    return fresh;
  }

  /** Those that have not expired. */
  list(nowMs: number): string[] {
    return [...this.#expiresAt].flatMap(([jti, at]) => (at > nowMs ? [jti] : []));
  }

  /** Forgets what has expired. */
  expire(nowMs: number): void {
    for (const [jti, at] of this.#expiresAt) if (at <= nowMs) this.#expiresAt.delete(jti);
  }
}
