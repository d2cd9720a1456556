/*
 * A token bucket per source, in a table of fixed size. Sources share sets of four; in a full set the one that was unheard
 * of for longest gives way, and who comes back begins with a full bucket. So a flood from a million sources weakens the
 * limit and denies nobody, and memory never grows. Of a source 64 bits of a keyed hash are kept,
 * not its name.
 */
import { createHash } from 'node:crypto';

/** Sources that share a set. */
const WAYS = 4;

/** How much comes back in which time; as much is kept. */
export interface Allowance {
  readonly count: number;
  readonly perMs: number;
}

interface Place {
  /** Of the first bucket of the set. */
  readonly first: number;
  /** Never both 0: that is an empty place. */
  readonly low: number;
  readonly high: number;
}

/** Buckets by source. */
export class SourceLimiter {
  /** Two words per bucket. */
  readonly #tags: Uint32Array;
  readonly #tokens: Float64Array;
  readonly #filledAtMs: Float64Array;
  #size = 0;
  #evictions = 0;

  /**
   * @param sets how many sets of four sources; 24 bytes per source, taken as they are used
   * @param seed random, so that nobody can choose sources that meet in one set
   */
  constructor(
    private readonly sets: number,
    private readonly seed: Uint8Array,
  ) {
    this.#tags = new Uint32Array(2 * WAYS * sets);
    this.#tokens = new Float64Array(WAYS * sets);
    this.#filledAtMs = new Float64Array(WAYS * sets);
  }

  /** How many sources gave way to others. */
  get evictions(): number {
    return this.#evictions;
  }

  /** How many sources are held; at most four times the number of sets. */
  get size(): number {
    return this.#size;
  }

  /** Takes a token of `source` if there is one. `now` is monotonic, in milliseconds. */
  take(source: string, allowance: Allowance, now: number): boolean {
    const place = this.#placeOf(source);
    const at = this.#find(place) ?? this.#add(place, allowance.count, now);
    const tokens = Math.min(allowance.count, this.#tokensAt(at, allowance, now));
    this.#filledAtMs[at] = now;
    this.#tokens[at] = tokens < 1 ? tokens : tokens - 1;
    return tokens >= 1;
  }

  /** Whether there is a token of `source`; takes none and remembers nothing. For limits that count failures only. */
  has(source: string, allowance: Allowance, now: number): boolean {
    const at = this.#find(this.#placeOf(source));
    return at === undefined || this.#tokensAt(at, allowance, now) >= 1;
  }

  /**
   * Forgets sources that were quiet for `perMs`, in which all of their bucket comes back: whoever is forgotten begins as
   * he would have gone on. `now` is monotonic, in milliseconds.
   */
  forget(perMs: number, now: number): void {
    if (this.#size === 0) return;
    for (let at = 0; at < this.#tokens.length; at++) {
      if (this.#isEmpty(at) || now - (this.#filledAtMs[at] ?? 0) < perMs) continue;
      this.#tags.fill(0, 2 * at, 2 * at + 2);
      this.#size--;
    }
  }

  #tokensAt(at: number, { count, perMs }: Allowance, now: number): number {
    const elapsed = Math.max(0, now - (this.#filledAtMs[at] ?? 0));
    return (this.#tokens[at] ?? 0) + (elapsed * count) / perMs;
  }

  #find({ first, low, high }: Place): number | undefined {
    for (let at = first; at < first + WAYS; at++)
      if (this.#tags[2 * at] === low && this.#tags[2 * at + 1] === high) return at;
    return undefined;
  }

  #add({ first, low, high }: Place, burst: number, now: number): number {
    const at = this.#roomIn(first);
    if (this.#isEmpty(at)) this.#size++;
    else this.#evictions++;
    this.#tags[2 * at] = low;
    this.#tags[2 * at + 1] = high;
    this.#tokens[at] = burst;
    this.#filledAtMs[at] = now;
    return at;
  }

  /** The first empty place of a set; of a full one that of the source that was unheard of for longest. */
  #roomIn(first: number): number {
    let oldest = first;
    for (let at = first; at < first + WAYS; at++) {
      if (this.#isEmpty(at)) return at;
      if ((this.#filledAtMs[at] ?? 0) < (this.#filledAtMs[oldest] ?? 0)) oldest = at;
    }
    return oldest;
  }

  #isEmpty(at: number): boolean {
    return this.#tags[2 * at] === 0 && this.#tags[2 * at + 1] === 0;
  }

  #placeOf(source: string): Place {
    const digest = createHash('sha256').update(this.seed).update(source).digest();
    const [low, high] = [digest.readUInt32LE(4), digest.readUInt32LE(8)];
    const first = WAYS * (digest.readUInt32LE(0) % this.sets);
    return { first, low: low === 0 && high === 0 ? 1 : low, high };
  }
}

/** One bucket for everybody. It starts full. */
export class TokenBucket {
  #tokens = Number.POSITIVE_INFINITY;
  #filledAtMs = 0;

  /** Takes one token if there is one. `now` is monotonic, in milliseconds. */
  take({ count, perMs }: Allowance, now: number): boolean {
    const elapsed = Math.max(0, now - this.#filledAtMs);
    this.#tokens = Math.min(count, this.#tokens + (elapsed * count) / perMs);
    this.#filledAtMs = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
