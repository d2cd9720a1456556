/*
 * A token bucket per source, in a table of fixed size. Sources share sets of four; in a full set the one that was unheard
 * of for longest gives way, and who comes back begins with a full bucket. So a flood from a million sources weakens the
 * limit and denies nobody, and memory never grows.
 */
import { createHash } from 'node:crypto';

/** Sources that share a set. */
const WAYS = 4;

interface Bucket {
  readonly source: string;
  tokens: number;
  filledAtMs: number;
}

/** How much comes back in which time; as much is kept. */
export interface Allowance {
  readonly count: number;
  readonly perMs: number;
}

/** Buckets by source. */
export class SourceLimiter {
  readonly #sets = new Map<number, Bucket[]>();
  #evictions = 0;

  /**
   * @param sets how many sets of four sources; about 200 bytes per source
   * @param seed random, so that nobody can choose sources that meet in one set
   */
  constructor(
    private readonly sets: number,
    private readonly seed: Uint8Array,
  ) {}

  /** How many sources gave way to others. */
  get evictions(): number {
    return this.#evictions;
  }

  /** How many sources are held; at most four times the number of sets. */
  get size(): number {
    let size = 0;
    for (const set of this.#sets.values()) size += set.length;
    return size;
  }

  /** Takes a token of `source` if there is one. `now` is monotonic, in milliseconds. */
  take(source: string, { count, perMs }: Allowance, now: number): boolean {
    const bucket = this.#bucketOf(source, count, now);
    const elapsed = Math.max(0, now - bucket.filledAtMs);
    bucket.tokens = Math.min(count, bucket.tokens + (elapsed * count) / perMs);
    bucket.filledAtMs = now;
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }

  /** Whether there is a token of `source`; takes none and remembers nothing. For limits that count failures only. */
  has(source: string, { count, perMs }: Allowance, now: number): boolean {
    const bucket = this.#sets.get(this.#indexOf(source))?.find((known) => known.source === source);
    if (bucket === undefined) return true;
    const elapsed = Math.max(0, now - bucket.filledAtMs);
    return bucket.tokens + (elapsed * count) / perMs >= 1;
  }

  /**
   * Forgets sources that were quiet for `perMs`, in which all of their bucket comes back: whoever is forgotten begins as
   * he would have gone on. `now` is monotonic, in milliseconds.
   */
  forget(perMs: number, now: number): void {
    for (const [index, set] of this.#sets) {
      const kept = set.filter(({ filledAtMs }) => now - filledAtMs < perMs);
      if (kept.length === 0) this.#sets.delete(index);
      else if (kept.length < set.length) this.#sets.set(index, kept);
    }
  }

  #bucketOf(source: string, burst: number, now: number): Bucket {
    const index = this.#indexOf(source);
    const set = this.#sets.get(index) ?? [];
    this.#sets.set(index, set);
    const known = set.find((bucket) => bucket.source === source);
    if (known) return known;
    const bucket = { source, tokens: burst, filledAtMs: now };
    if (set.length < WAYS) set.push(bucket);
    else {
      set[oldestOf(set)] = bucket;
      this.#evictions++;
    }
    return bucket;
  }

  #indexOf(source: string): number {
    const digest = createHash('sha256').update(this.seed).update(source).digest();
    return digest.readUInt32LE(0) % this.sets;
  }
}

function oldestOf(set: readonly Bucket[]): number {
  let oldest = 0;
  for (const [at, { filledAtMs }] of set.entries())
    if (filledAtMs < (set[oldest]?.filledAtMs ?? 0)) oldest = at;
  return oldest;
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
