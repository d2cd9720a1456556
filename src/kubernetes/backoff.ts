/** Bounds of a delay that doubles. */
export interface BackoffBounds {
  readonly firstMs: number;
  readonly maxMs: number;
}

/** `firstMs` after the first failure, twice that after each further one, `maxMs` at most. */
export function exponentialMs(failures: number, { firstMs, maxMs }: BackoffBounds): number {
  // 2^31 times any first delay is past any bound; without the cap the power would overflow to Infinity.
  return Math.min(firstMs * 2 ** Math.min(Math.max(failures - 1, 0), 31), maxMs);
}

/**
 * A delay between half of `ms` and all of it, for `random` from 0 to 1: clients that lost the server at one
 * moment come back at different ones.
 */
export function jitteredMs(ms: number, random: number): number {
  return ms / 2 + (ms / 2) * random;
}

/** A rate limit that lets a burst pass: `perSecond` on average, `burst` at once. Time is an argument. */
export class TokenBucket {
  readonly #perMs: number;
  readonly #burst: number;
  #tokens: number;
  #atMs: number | undefined;

  constructor({ perSecond, burst }: { readonly perSecond: number; readonly burst: number }) {
    this.#perMs = perSecond / 1000;
    this.#burst = burst;
    this.#tokens = burst;
  }

  /** Takes one token and returns how many milliseconds to wait for it, 0 while there are some. */
  reserve(nowMs: number): number {
    const elapsedMs = nowMs - (this.#atMs ?? nowMs);
    this.#atMs = nowMs;
    this.#tokens = Math.min(this.#burst, this.#tokens + elapsedMs * this.#perMs) - 1;
    return this.#tokens >= 0 ? 0 : -this.#tokens / this.#perMs;
  }
}
