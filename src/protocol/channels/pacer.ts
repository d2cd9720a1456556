const FULL_PACKET_BYTES = 1260;
/** With UDP_SEGMENT eight datagrams cost little more than one; more would be a queue of their own. */
const MAX_BURST_PACKETS = 8;
/** A busy process wakes late: what it missed may follow, as long as that is no queue that input would notice. */
const CATCH_UP_MS = 8;

/** Spreads bulk over time: bursts of up to eight packets, at the rate it is told. */
export class Pacer {
  #credit = 0;
  #atMs = -Infinity;

  /** When the next burst may go, at `rate` bytes per millisecond. Not after `nowMs` if it may go now. */
  readyAtMs(nowMs: number, rate: number): number {
    this.#accrue(nowMs, rate);
    return this.#credit > 0 ? nowMs : this.#atMs + (burstBytes(rate) - this.#credit) / rate;
  }

  /** Accounts for `bytes` that go now: bulk, and what goes before it without asking. */
  spend(bytes: number, nowMs: number, rate: number): void {
    this.#accrue(nowMs, rate);
    this.#credit -= bytes;
  }

  #accrue(nowMs: number, rate: number): void {
    const limit = burstBytes(rate) + CATCH_UP_MS * rate;
    const earned = Math.max(0, nowMs - this.#atMs) * rate;
    // Credit is paid out burst by burst: a burst that was begun may end, the next waits until it is whole.
    const total = this.#credit + earned;
    if (this.#credit > 0 || total >= burstBytes(rate) - 1e-6) {
      this.#credit = Math.min(limit, total);
      this.#atMs = Math.max(this.#atMs, nowMs);
    }
  }
}

/** What one millisecond carries, in whole packets from one to eight. */
function burstBytes(rate: number): number {
  const packets = Math.floor(rate / FULL_PACKET_BYTES);
  return Math.min(MAX_BURST_PACKETS, Math.max(1, packets)) * FULL_PACKET_BYTES;
}
