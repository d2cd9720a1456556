import {
  collectDefaultMetrics,
  Counter as PromCounter,
  Gauge as PromGauge,
  Histogram as PromHistogram,
  Registry,
} from 'prom-client';
import type { Counter, Gauge, Metrics, ReadCounter } from './metrics.js';

/** Metrics of one process, and their text for a scrape. */
export interface MetricsRegistry extends Metrics {
  /** Text exposition format, version 0.0.4. */
  text(): Promise<string>;
  readonly contentType: string;
}

/** Gauges of prom-client that end in `_total`, which `promtool check metrics` refuses. */
const MISNAMED = [
  'nodejs_active_resources_total',
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
];

/** An own registry, so that two programs in one process (tests, standalone) never share a counter. */
export function createMetricsRegistry(options: { processMetrics: boolean }): MetricsRegistry {
  const registry = new Registry();
  if (options.processMetrics) {
    collectDefaultMetrics({ register: registry });
    for (const name of MISNAMED) registry.removeSingleMetric(name);
  }
  const common = { registers: [registry] };
  return {
    counter: ({ name, help, labelNames = [], collect }) => {
      const counter: PromCounter = new PromCounter({
        name,
        help,
        labelNames: [...labelNames],
        ...common,
        ...(collect && {
          collect: () => {
            counter.reset();
            collect(asReadCounter(counter));
          },
        }),
      });
      return asCounter(counter);
    },
    gauge: ({ name, help, labelNames = [], collect }) => {
      const gauge: PromGauge = new PromGauge({
        name,
        help,
        labelNames: [...labelNames],
        ...common,
        ...(collect && {
          collect: () => {
            collect(asGauge(gauge));
          },
        }),
      });
      return asGauge(gauge);
    },
    histogram: ({ name, help, labelNames = [], buckets }) => {
      const histogram = new PromHistogram({
        name,
        help,
        labelNames: [...labelNames],
        buckets: [...buckets],
        ...common,
      });
      return {
        observe: (value, labels = {}) => {
          histogram.observe(labels, value);
        },
      };
    },
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
}

const asCounter = (counter: PromCounter): Counter => ({
  inc: (labels = {}, amount = 1) => {
    counter.inc(labels, amount);
  },
});

const asReadCounter = (counter: PromCounter): ReadCounter => ({
  setTotal: (total, labels = {}) => {
    counter.inc(labels, total);
  },
});

const asGauge = (gauge: PromGauge): Gauge => ({
  set: (value, labels = {}) => {
    gauge.set(labels, value);
  },
  reset: () => {
    gauge.reset();
  },
});
