/*
 * What code that counts sees of metrics: three instruments and nothing of the library behind them. Names follow
 * Prometheus (base units, `_total`, `_seconds`), labels are bounded: never a user, an address or a session.
 */

/** Values of an instrument's labels, by label name. */
export type Labels = Readonly<Record<string, string | number>>;

export interface Counter {
  /** Adds `amount` (default 1), never negative. */
  inc(labels?: Labels, amount?: number): void;
}

export interface Gauge {
  set(value: number, labels?: Labels): void;
  /** Forgets every series, before they are set anew. */
  reset(): void;
}

export interface Histogram {
  /** `value` in the unit that the name ends in. */
  observe(value: number, labels?: Labels): void;
}

/** Name, help and label names of one metric. */
export interface MetricSpec {
  readonly name: string;
  readonly help: string;
  readonly labelNames?: readonly string[];
}

/** A counter whose totals are counted elsewhere and read at each scrape. */
export interface ReadCounter {
  /** `total` since the start of the process; it never falls. */
  setTotal(total: number, labels?: Labels): void;
}

export interface CounterSpec extends MetricSpec {
  /** Runs at each scrape and sets every series. Must not throw. */
  readonly collect?: (counter: ReadCounter) => void;
}

export interface GaugeSpec extends MetricSpec {
  /** Runs at each scrape, before the gauge is read. Must not throw. */
  readonly collect?: (gauge: Gauge) => void;
}

export interface HistogramSpec extends MetricSpec {
  /** Upper bounds, ascending, in the unit of the name. */
  readonly buckets: readonly number[];
}

/** Where metrics are declared, once each. */
export interface Metrics {
  counter(spec: CounterSpec): Counter;
  gauge(spec: GaugeSpec): Gauge;
  histogram(spec: HistogramSpec): Histogram;
}
