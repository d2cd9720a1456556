/** When something is sent again: at once, then after `firstMs`, then after twice as long each time up to `maxMs`. */
export class Backoff {
  #dueMs: number;
  #waitMs: number;

  constructor(
    nowMs: number,
    readonly firstMs: number,
    readonly maxMs: number,
  ) {
    this.#dueMs = nowMs;
    this.#waitMs = firstMs;
  }

  /** The monotonic time of the next attempt. */
  get dueMs(): number {
    return this.#dueMs;
  }

  /** True if an attempt is due at `nowMs`; then the next one is planned. */
  take(nowMs: number): boolean {
    if (nowMs < this.#dueMs) return false;
    this.#dueMs = nowMs + this.#waitMs;
    this.#waitMs = Math.min(this.maxMs, 2 * this.#waitMs);
    return true;
  }
}
