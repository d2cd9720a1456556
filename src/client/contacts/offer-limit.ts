/** Each offer costs a lease: more of them from one contact are not heard. */
const MAX_OFFERS_PER_MINUTE = 12;
const MINUTE_MS = 60_000;

/** Counts the offers of one contact. Times are monotonic milliseconds. */
export class OfferLimit {
  #atMs: readonly number[] = [];

  /** Whether one more may be heard within this minute. */
  allows(nowMs: number): boolean {
    this.#atMs = this.#atMs.filter((atMs) => nowMs - atMs < MINUTE_MS);
    return this.#atMs.length < MAX_OFFERS_PER_MINUTE;
  }

  /** One was heard. */
  count(nowMs: number): void {
    this.#atMs = [...this.#atMs, nowMs];
  }
}
