/*
 * What should not happen in a network of ours: one counter for the whole gateway, whoever asks for it first. Each value is
 * one of the label `kind`, of which a metric has room for twelve.
 */
import type { Counter, Metrics } from '../runtime/metrics.js';

/** What should not happen between relays and this gateway; each is the reason of an audit record as well. */
export const RELAY_ANOMALIES = [
  'relay-second-boot', // two processes claim one relay id
  'relay-wrong-pool', // a certificate of one pool names another pool
  'relay-flapping', // a relay registers again and again
  'relay-missing', // a relay fell silent, or one with an address never registered
  'relay-unknown', // a relay without an address stays registered
  'relay-clock', // a relay's clock is too far off
  'relay-load', // a relay's counters cannot be true
  'relay-keys', // a relay does not have a key that it should
  'relay-message', // a relay says what is not its turn, or too much
] as const;
/** One of RELAY_ANOMALIES. */
export type RelayAnomaly = (typeof RELAY_ANOMALIES)[number];

/** All of them. */
export const NETWORK_ANOMALIES = [
  ...RELAY_ANOMALIES,
  'relay-identity', // a certificate of an authority that is trusted names nobody who may register
  'bus-frame', // somebody who may publish on the bus is no replica of ours, or not of this release
] as const;
/** One of NETWORK_ANOMALIES. */
export type NetworkAnomaly = (typeof NETWORK_ANOMALIES)[number];

const counters = new WeakMap<Metrics, Counter>();

/** The counter of anomalies among `metrics`, by `kind`: declared at the first call, every kind at 0. */
export function networkAnomalies(metrics: Metrics): Counter {
  const known = counters.get(metrics);
  if (known) return known;
  const counter = metrics.counter({
    name: 'sallyport_network_anomalies_total',
    help: 'What should not happen in a network of ours, by kind.',
    labelNames: ['kind'],
  });
  for (const kind of NETWORK_ANOMALIES) counter.inc({ kind }, 0);
  counters.set(metrics, counter);
  return counter;
}
