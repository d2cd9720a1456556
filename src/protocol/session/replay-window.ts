/*
 * Which counters of one direction were received. A ring of bits as RFC 6479 describes it: advancing clears whole words
 * and never shifts. Counters are two 32-bit halves, exact to 2^64.
 */
import { MAX_U32 } from './datagram.js';

/** How far behind the highest counter a datagram may arrive: 80 ms of reordering at 100,000 datagrams/s. */
export const REPLAY_WINDOW_BITS = 8192;

/** Twice the window, so that a word which is only half inside is never reused, and a power of two for the mask. */
const RING_WORDS = (2 * REPLAY_WINDOW_BITS) / 32;
const RING_MASK = RING_WORDS - 1;
const TWO_32 = MAX_U32 + 1;

/** Why a counter is refused; a metric label. */
export type ReplayRefusal = 'replayed' | 'behind-window';

/**
 * The replay window of one direction. `judge` before the tag is verified changes nothing; `mark` after it moves the
 * window. So a forged counter never advances it.
 */
export class ReplayWindow {
  readonly #ring = new Uint32Array(RING_WORDS);
  #high = 0;
  #low = 0;

  /** Why this counter may not be taken, or undefined if it is new and inside or ahead of the window. */
  judge(high: number, low: number): ReplayRefusal | undefined {
    const ahead = this.#distance(high, low);
    if (ahead > 0) return undefined;
    if (-ahead >= REPLAY_WINDOW_BITS) return 'behind-window';
    return (this.#word(low) & bit(low)) === 0 ? undefined : 'replayed';
  }

  /** Whether this counter, which `judge` let pass, is higher than every marked one. */
  isNewest(high: number, low: number): boolean {
    return this.#distance(high, low) >= 0;
  }

  /** Remembers a counter that `judge` let pass and whose tag verified. */
  mark(high: number, low: number): void {
    const ahead = this.#distance(high, low);
    if (ahead > 0) this.#advance(high, low, ahead);
    const word = (low >>> 5) & RING_MASK;
    this.#ring[word] = this.#word(low) | bit(low);
  }

  /**
   * This counter less the highest. Beyond 2^53 the number is rounded, but then it is far outside of the window either
   * way; within the window it is exact.
   */
  #distance(high: number, low: number): number {
    return (high - this.#high) * TWO_32 + (low - this.#low);
  }

  #advance(high: number, low: number, ahead: number): void {
    // Words between the old highest (exclusive) and the new (inclusive); the ring wraps with the low half.
    const from = this.#low >>> 5;
    const words = Math.min(RING_WORDS, Math.floor(((this.#low & 31) + ahead) / 32));
    for (let i = 1; i <= words; i++) this.#ring[(from + i) & RING_MASK] = 0;
    this.#high = high;
    this.#low = low;
  }

  #word(low: number): number {
    return this.#ring[(low >>> 5) & RING_MASK] ?? 0;
  }
}

const bit = (low: number): number => 1 << (low & 31);
