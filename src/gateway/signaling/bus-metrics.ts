import type { Counter, Metrics } from '../../runtime/metrics.js';
import { networkAnomalies } from '../network-anomalies.js';
import { FRAME_REFUSALS } from './bus-frames.js';
import { TAG_REFUSALS } from './bus-tag.js';

/** What becomes of a frame that is to be sent. */
export const SENT_OUTCOMES = [
  'sent',
  'disconnected',
  'full',
  'failed',
  'too-long',
  'no-key',
] as const;
/** Why what arrives is nobody's new frame. */
const NOT_OURS = [...TAG_REFUSALS, ...FRAME_REFUSALS, 'replayed'] as const;
/** What becomes of a frame that arrives. */
export const RECEIVED_OUTCOMES = [
  'taken',
  ...NOT_OURS,
  'bad-answer',
  'late',
  'too-many-replicas',
  'handler-failed',
] as const;

/** Counters of the bus. */
export interface BusMetrics {
  readonly sent: (outcome: (typeof SENT_OUTCOMES)[number]) => void;
  readonly received: (outcome: (typeof RECEIVED_OUTCOMES)[number]) => void;
}

/** Declares the counters, each outcome at 0, and a gauge of the replicas that are alive, this one included. */
export function busMetrics(metrics: Metrics, replicas: () => number): BusMetrics {
  const sent = metrics.counter({
    name: 'sallyport_bus_sent_total',
    help: 'Messages to other replicas, by what became of them.',
    labelNames: ['outcome'],
  });
  const received = metrics.counter({
    name: 'sallyport_bus_received_total',
    help: 'Messages from the bus, taken or refused by reason.',
    labelNames: ['outcome'],
  });
  metrics.gauge({
    name: 'sallyport_bus_replicas',
    help: 'Replicas of this gateway that this one hears, itself included.',
    collect: (gauge) => {
      gauge.set(replicas());
    },
  });
  const anomalies = networkAnomalies(metrics);
  begin(sent, SENT_OUTCOMES);
  begin(received, RECEIVED_OUTCOMES);
  return {
    sent: (outcome) => {
      sent.inc({ outcome });
    },
    received: (outcome) => {
      received.inc({ outcome });
      if (isOne(NOT_OURS, outcome)) anomalies.inc({ kind: 'bus-frame' });
    },
  };
}

const isOne = (list: readonly string[], name: string): boolean => list.includes(name);

/** Every series exists from the start, so that its first increase is seen. */
function begin(counter: Counter, outcomes: readonly string[]): void {
  for (const outcome of outcomes) counter.inc({ outcome }, 0);
}
