/*
 * A counter for what happens with every message: an addition to a number, which a scrape reads. The library's counters
 * look their series up by a text of the labels each time.
 */
import type { Metrics } from '../../runtime/metrics.js';

/** A counter with one label. */
export interface TallySpec<Value> {
  readonly name: string;
  readonly help: string;
  readonly label: string;
  /** All values of the label; each begins at 0. */
  readonly values: readonly Value[];
}

/** Counts by the values of one label. */
export class Tally<Value extends string | number> {
  readonly #totals: Map<Value, number>;

  constructor(metrics: Metrics, { name, help, label, values }: TallySpec<Value>) {
    this.#totals = new Map(values.map((value) => [value, 0]));
    metrics.counter({
      ...{ name, help, labelNames: [label] },
      collect: (counter) => {
        for (const [value, total] of this.#totals) counter.setTotal(total, { [label]: value });
      },
    });
  }

  /** Counts one. */
  inc(value: Value): void {
    this.#totals.set(value, (this.#totals.get(value) ?? 0) + 1);
  }
}
