import type { Clock } from '../runtime/clock.js';

const SAMPLE_MS = 500;

/** How late timers are: a blocked event loop renews no lease and reads no watch. */
export class EventLoopLag {
  readonly #clock: Clock;
  #timer: NodeJS.Timeout | undefined;
  #dueMs = 0;
  #lagMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Lateness of the last sample, or of the one that is due now, in milliseconds. */
  get lagMs(): number {
    if (this.#timer === undefined) return 0;
    return Math.max(this.#lagMs, this.#clock.monotonicMs() - this.#dueMs);
  }

  start(): void {
    this.#dueMs = this.#clock.monotonicMs() + SAMPLE_MS;
    this.#timer = setInterval(() => {
      const nowMs = this.#clock.monotonicMs();
      this.#lagMs = Math.max(0, nowMs - this.#dueMs);
      this.#dueMs = nowMs + SAMPLE_MS;
    }, SAMPLE_MS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
