import { toHex } from '../bytes.js';

/** How far the time of a message may be off, in both directions (wire formats, B). */
export const MAX_MESSAGE_TIME_OFF_MS = 5 * 60_000;

/** About 8 MB of memory for each of at most three prekeys, if every place is taken. */
export const MAX_SEEN_IDS = 65_536;

/** A full set looks for ids that it may forget at most so often, so that a flood costs no more than that. */
const MIN_SWEEP_INTERVAL_MS = 10_000;

/** Why a message is not taken. */
export type SeenRefusal = 'message-time' | 'message-repeated' | 'too-many-messages';

/**
 * The message ids that came to one prekey; it is dropped together with the prekey. When it is full it forgets those
 * whose time can no longer pass, and from then on refuses that time whatever the clock says; if that makes no room it
 * refuses new messages. So a repeat never passes.
 */
export class SeenIds {
  readonly #timeById = new Map<string, number>();
  readonly #capacity: number;
  /** Messages of this time and before are refused: their ids may be forgotten. */
  #forgottenUpToMs = -1;
  #lastSweepMs = Number.NEGATIVE_INFINITY;

  constructor(capacity: number = MAX_SEEN_IDS) {
    this.#capacity = capacity;
  }

  /** How many ids are held. */
  get size(): number {
    return this.#timeById.size;
  }

  /** Why the message is not to be taken at `nowMs`, or undefined if it is. Remembers nothing of it. */
  refusalOf(id: Uint8Array, timeMs: number, nowMs: number): SeenRefusal | undefined {
    if (Math.abs(timeMs - nowMs) > MAX_MESSAGE_TIME_OFF_MS) return 'message-time';
    if (this.#timeById.has(toHex(id))) return 'message-repeated';
    if (this.#timeById.size >= this.#capacity) this.#forget(nowMs);
    if (timeMs <= this.#forgottenUpToMs) return 'message-time';
    return this.#timeById.size < this.#capacity ? undefined : 'too-many-messages';
  }

  /** Remembers a message that refusalOf let pass and that is genuine. @throws RangeError if there is no room. */
  add(id: Uint8Array, timeMs: number): void {
    if (this.#timeById.size >= this.#capacity) throw new RangeError('no room for another id');
    this.#timeById.set(toHex(id), timeMs);
  }

  #forget(nowMs: number): void {
    if (Math.abs(nowMs - this.#lastSweepMs) < MIN_SWEEP_INTERVAL_MS) return;
    this.#lastSweepMs = nowMs;
    const upToMs = nowMs - MAX_MESSAGE_TIME_OFF_MS - 1;
    this.#forgottenUpToMs = Math.max(this.#forgottenUpToMs, upToMs);
    for (const [id, timeMs] of this.#timeById)
      if (timeMs <= this.#forgottenUpToMs) this.#timeById.delete(id);
  }
}
