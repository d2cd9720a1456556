/** How far a transfer is. */
export interface TransferProgress {
  /** Of the file, that the receiver has. */
  readonly bytes: number;
  readonly totalBytes: number;
  /** Over the last seconds; 0 while nothing came. What was there from before does not count. */
  readonly bytesPerSecond: number;
  /** At this rate; undefined while there is none. */
  readonly secondsLeft: number | undefined;
}

/** A rate over less is mostly noise, over more it is history. */
const WINDOW_MS = 5_000;
const MAX_SAMPLES = 64;
const TELL_EVERY_MS = 100;

interface Sample {
  readonly nowMs: number;
  readonly bytes: number;
}

/** Makes progress out of counts of bytes. Pure: the time comes in. */
export class ProgressMeter {
  readonly #totalBytes: number;
  #samples: readonly Sample[] = [];
  #toldMs = -Infinity;

  constructor(totalBytes: number) {
    this.#totalBytes = totalBytes;
  }

  /** What there is to tell when `bytes` are there; undefined if something was told less than 100 ms ago and it is not all. */
  at(bytes: number, nowMs: number): TransferProgress | undefined {
    const first = this.#samples.at(0) ?? { nowMs, bytes };
    const isAll = bytes >= this.#totalBytes;
    if (!isAll && nowMs - this.#toldMs < TELL_EVERY_MS) return undefined;
    this.#toldMs = nowMs;
    this.#samples = [...this.#samples, { nowMs, bytes }]
      .filter((sample) => nowMs - sample.nowMs <= WINDOW_MS)
      .slice(-MAX_SAMPLES);
    const seconds = (nowMs - first.nowMs) / 1_000;
    const bytesPerSecond = seconds > 0 ? Math.max(0, bytes - first.bytes) / seconds : 0;
    const left = this.#totalBytes - bytes;
    return {
      bytes,
      totalBytes: this.#totalBytes,
      bytesPerSecond,
      secondsLeft: bytesPerSecond > 0 ? left / bytesPerSecond : undefined,
    };
  }
}
