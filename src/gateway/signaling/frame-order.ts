/*
 * Whether a frame of a replica is new: each sender numbers its frames, and each frame says when it was sent. Who records
 * frames and sends them again is not believed, also not by a replica that has never heard the sender.
 */

/** A frame that was sent so long ago, or so far in the future, is not taken; replicas' clocks differ by less. */
export const FRAME_LIFETIME_MS = 60_000;
/** Senders that are remembered, the oldest goes first. Only who has the key can be one. */
const MAX_SENDERS = 1_024;

interface Sender {
  readonly n: number;
  /** The latest time that it has named. */
  readonly atMs: number;
}

/** The last number of each sender. */
export class FrameOrder {
  readonly #senders = new Map<string, Sender>();

  /** Notes a frame and gives whether it is new. `sender` names a replica and a subject; times are Unix milliseconds. */
  take(sender: string, frame: { readonly n: number; readonly at: number }, nowMs: number): boolean {
    if (Math.abs(nowMs - frame.at) > FRAME_LIFETIME_MS) return false;
    const last = this.#senders.get(sender);
    if (last !== undefined && frame.n <= last.n) return false;
    this.#senders.delete(sender);
    this.#senders.set(sender, { n: frame.n, atMs: Math.max(frame.at, last?.atMs ?? 0) });
    this.#forget(nowMs);
    return true;
  }

  /** Whose frames are all too old needs no number any more. */
  #forget(nowMs: number): void {
    for (const [sender, { atMs }] of this.#senders) {
      const isOver = nowMs - atMs > FRAME_LIFETIME_MS;
      if (!isOver && this.#senders.size <= MAX_SENDERS) return;
      this.#senders.delete(sender);
    }
  }
}
