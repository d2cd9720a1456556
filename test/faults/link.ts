/** One direction of a path that loses, delays, reorders and queues. */
export interface LinkSettings {
  /** What the bottleneck carries. */
  readonly mbitPerSecond: number;
  /** What waits before the bottleneck at most; more is dropped. */
  readonly queueBytes: number;
  readonly delayMs: number;
  /** Up to this much more for each packet by itself: packets overtake each other. */
  readonly jitterMs: number;
  /** The share that is lost, at random and after the bottleneck. */
  readonly loss: number;
  readonly seed: number;
}

/** What happens to a packet: when it arrives, or that it does not, and how long it stood in the queue. */
export interface Passage {
  readonly arrivesAtMs: number | undefined;
  readonly queuedMs: number;
}

/** The fate of packets on one direction of a path; the same seed and packets give the same fates. */
export class Link {
  readonly #settings: LinkSettings;
  readonly #random: () => number;
  #busyUntilMs = 0;

  constructor(settings: LinkSettings) {
    this.#settings = settings;
    this.#random = seededRandom(settings.seed);
  }

  /** Takes a packet of `bytes` on the wire. */
  offer(nowMs: number, bytes: number): Passage {
    const { mbitPerSecond, queueBytes, delayMs, jitterMs, loss } = this.#settings;
    const bytesPerMs = mbitPerSecond * 125;
    const queuedMs = Math.max(0, this.#busyUntilMs - nowMs);
    const jitter = this.#random() * jitterMs;
    const isLost = this.#random() < loss;
    if (queuedMs * bytesPerMs > queueBytes) return { arrivesAtMs: undefined, queuedMs };
    this.#busyUntilMs = nowMs + queuedMs + bytes / bytesPerMs;
    return { arrivesAtMs: isLost ? undefined : this.#busyUntilMs + delayMs + jitter, queuedMs };
  }
}

/** Numbers from 0 to 1 by a 32-bit generator of the xorshift family: for tests only. */
export function seededRandom(seed: number): () => number {
  let state = (seed ^ 0x9e3779b9) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return (Math.imul(state, 0x9e3779b1) >>> 0) / 2 ** 32;
  };
}
