/*
 * How many leases each account was given in the present hour. Given out when the hour is over, in the order of the
 * accounts' fingerprints: the order of the first leases would say who came after whom.
 */

const HOUR_MS = 3_600_000;
/** Accounts in one hour; then those counted so far are given out at once. */
const MAX_ACCOUNTS = 50_000;

/** An account and its leases of one hour. */
export interface LeaseCount {
  readonly account: string;
  readonly count: number;
}

/** Counts of the hour that is not over. */
export class LeaseCounts {
  readonly #counts = new Map<string, number>();
  #hour = 0;

  /** One more lease; gives the counts of the hour that this one is no part of, or those that there is no room for. */
  add(account: string, nowMs: number): readonly LeaseCount[] {
    const over = this.#isFullFor(account) ? this.takeAll() : this.takeOver(nowMs);
    this.#counts.set(account, (this.#counts.get(account) ?? 0) + 1);
    return over;
  }

  /** Counts of an hour that is over; empty while it is not. */
  takeOver(nowMs: number): readonly LeaseCount[] {
    const hour = Math.floor(nowMs / HOUR_MS);
    if (hour === this.#hour) return [];
    this.#hour = hour;
    return this.takeAll();
  }

  /** Everything, as when the process ends. */
  takeAll(): readonly LeaseCount[] {
    const counts = [...this.#counts].map(([account, count]) => ({ account, count }));
    this.#counts.clear();
    return counts.sort((a, b) => (a.account < b.account ? -1 : 1));
  }

  #isFullFor(account: string): boolean {
    return this.#counts.size >= MAX_ACCOUNTS && !this.#counts.has(account);
  }
}
