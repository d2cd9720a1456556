/*
 * One line per window about what was dropped, however much it was: a flood must not become a flood of lines.
 */
import { DROP_REASONS } from './drop-reason.js';
import { dropIndex } from './statistics.js';

/** Milliseconds of one window. */
const WINDOW_MS = 10_000;

/** Counts of one window by reason, without those that are zero. */
export type DropCounts = Readonly<Record<string, number>>;

/** Reads the statistics block once per window. */
export class DropLog {
  readonly #before = new Float64Array(DROP_REASONS.length);
  #nextAtMs: number;

  constructor(
    private readonly statistics: Float64Array,
    now: number,
  ) {
    this.#nextAtMs = now + WINDOW_MS;
  }

  /** What was dropped in the window that has just ended; undefined if it has not, or nothing was. `now` is monotonic. */
  take(now: number): DropCounts | undefined {
    if (now < this.#nextAtMs) return undefined;
    this.#nextAtMs = now + WINDOW_MS;
    const counts: Record<string, number> = {};
    for (const [reason, name] of DROP_REASONS.entries()) {
      const total = this.statistics[dropIndex(reason)] ?? 0;
      if (total > (this.#before[reason] ?? 0)) counts[name] = total - (this.#before[reason] ?? 0);
      this.#before[reason] = total;
    }
    return Object.keys(counts).length > 0 ? counts : undefined;
  }
}
