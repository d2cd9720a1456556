/*
 * Token buckets. Over any span of t seconds a bucket lets at most `burst + rate * t` through, so nothing is gained at
 * the edges of windows: there are none.
 */

/** One bucket. It starts full. */
export class TokenBucket {
  #tokens = Number.POSITIVE_INFINITY;
  #filledAtMs = 0;

  /** Takes one token if there is one. `now` is monotonic, in milliseconds. */
  take(ratePerSecond: number, burst: number, now: number): boolean {
    const elapsed = Math.max(0, now - this.#filledAtMs);
    this.#tokens = Math.min(burst, this.#tokens + (elapsed * ratePerSecond) / 1_000);
    this.#filledAtMs = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
