/*
 * A token bucket per source: per IPv4 address or per IPv6 /64, which is what one subscriber gets. Its memory is fixed
 * and made once. Sources share sets of four; in a full set the one unheard of for longest gives way, and who comes back
 * begins with a full bucket. So a flood from a million spoofed sources weakens the limit and denies nobody.
 */
import { isIpv4 } from '../packet/address.js';

/** Sources that share a set. */
const WAYS = 4;
/** Words of a key: family, and the 64 bits that tell sources apart. */
const KEY_WORDS = 3;

/** Buckets by source. */
export class AddressLimiter {
  readonly #keys: Uint32Array;
  readonly #tokens: Float64Array;
  readonly #filledAtMs: Float64Array;
  readonly #key = new Uint32Array(KEY_WORDS);
  #evictions = 0;

  /**
   * @param sets a power of two: 4 sources each, 28 bytes per source
   * @param seed random, so that nobody can choose sources that meet in one set
   */
  constructor(
    private readonly sets: number,
    private readonly seed: number,
  ) {
    this.#keys = new Uint32Array(sets * WAYS * KEY_WORDS);
    this.#tokens = new Float64Array(sets * WAYS);
    this.#filledAtMs = new Float64Array(sets * WAYS).fill(Number.NEGATIVE_INFINITY);
  }

  /** How many sources gave way to others. */
  get evictions(): number {
    return this.#evictions;
  }

  /** Bytes held, whatever the number of sources. */
  get bytes(): number {
    return this.#keys.byteLength + this.#tokens.byteLength + this.#filledAtMs.byteLength;
  }

  /**
   * Takes a token of the source at `at`, of which `ratePerSecond` come back each second and as many are kept. `now` is
   * monotonic, in milliseconds. Allocates nothing.
   */
  take(words: Uint32Array, at: number, ratePerSecond: number, now: number): boolean {
    this.#readKey(words, at);
    const entry = this.#entryOf(ratePerSecond, now);
    const elapsed = Math.max(0, now - (this.#filledAtMs[entry] ?? 0));
    const tokens = Math.min(
      ratePerSecond,
      (this.#tokens[entry] ?? 0) + (elapsed * ratePerSecond) / 1_000,
    );
    this.#filledAtMs[entry] = now;
    this.#tokens[entry] = tokens < 1 ? tokens : tokens - 1;
    return tokens >= 1;
  }

  #readKey(words: Uint32Array, at: number): void {
    const four = isIpv4(words, at);
    this.#key[0] = four ? 4 : 6;
    this.#key[1] = four ? (words[at + 3] ?? 0) : (words[at] ?? 0);
    this.#key[2] = four ? 0 : (words[at + 1] ?? 0);
  }

  #entryOf(burst: number, now: number): number {
    const first = (this.#hash() & (this.sets - 1)) * WAYS;
    let oldest = first;
    for (let entry = first; entry < first + WAYS; entry++) {
      if (this.#isKeyOf(entry)) return entry;
      if ((this.#filledAtMs[entry] ?? 0) < (this.#filledAtMs[oldest] ?? 0)) oldest = entry;
    }
    if ((this.#filledAtMs[oldest] ?? 0) > Number.NEGATIVE_INFINITY) this.#evictions++;
    this.#keys.set(this.#key, oldest * KEY_WORDS);
    this.#tokens[oldest] = burst;
    this.#filledAtMs[oldest] = now;
    return oldest;
  }

  #isKeyOf(entry: number): boolean {
    const at = entry * KEY_WORDS;
    const [a, b, c] = [this.#keys[at], this.#keys[at + 1], this.#keys[at + 2]];
    return a === this.#key[0] && b === this.#key[1] && c === this.#key[2];
  }

  #hash(): number {
    return mix(
      mix((this.#key[1] ?? 0) ^ this.seed) ^ (this.#key[2] ?? 0) ^ ((this.#key[0] ?? 0) << 16),
    );
  }
}

/** A 32-bit finaliser: every bit of the input moves about half of the output. */
export function mix(value: number): number {
  let mixed = value | 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x7feb352d);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x846ca68b);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
