/*
 * Metrics of the relay. Everything is read at the scrape: from the statistics block that the packet worker writes, from
 * that of the TLS thread, and from what the program knows. Labels are closed lists, ids of lease keys and names of
 * gateways: never a user, a session or an address.
 */
import type { Metrics } from '../../runtime/metrics.js';
import { BATCH_BOUNDS, type StatisticsReading } from '../packet/statistics.js';
import type { Directory } from './directory.js';
import { dropGroups } from './drop-groups.js';
import { FALLBACK_ENDS, type FallbackReading } from './fallback-messages.js';
import { handshakeReasons } from './handshake-reasons.js';
import { histogramText } from './histogram-text.js';
import type { Leaf } from './leaf.js';
import type { RegistrationPhase } from './registration.js';
import { declareBackend, declareDates, declareState } from './state.metrics.js';

/** What the metrics are read from. */
export interface MeasuredRelay {
  readonly version: string;
  /** Failed writes of log and audit. */
  readonly lostWrites: () => number;
  readonly pool: { readonly namespace: string; readonly name: string };
  readonly socket: { readonly kind: string; readonly reason: string };
  /** Which implementation of the primitives verifies leases and proofs. */
  readonly backend: string;
  readonly statistics: () => StatisticsReading;
  /** The longest pass of the packet worker's loop since the last call, in ms. */
  readonly takeLoopLag: () => number;
  /** Absent: there is no fallback. */
  readonly fallback: () => FallbackReading | undefined;
  readonly phases: () => Readonly<Record<RegistrationPhase, number>>;
  readonly skewMs: () => number | undefined;
  readonly directory: () => Directory | undefined;
  readonly leaf: () => Leaf | undefined;
}

const PREFIX = 'sallyport_relay_';

/** Declares all of them. */
export function declareRelayMetrics(metrics: Metrics, relay: MeasuredRelay): void {
  declareTraffic(metrics, relay);
  declareSessions(metrics, relay);
  declareFallback(metrics, relay);
  declareDates(metrics, relay);
  declareState(metrics, relay);
  declareBackend(metrics, relay.backend);
}

/** The histograms of the packet worker, to be added to the registry's text. */
export function batchHistograms({ statistics }: Pick<MeasuredRelay, 'statistics'>): string {
  const { values, segments } = statistics();
  return histogramText({
    name: `${PREFIX}gro_segments`,
    help: 'Datagrams in one burst as the kernel gave it (UDP_GRO); 1 where nothing was put together.',
    bounds: BATCH_BOUNDS,
    counts: segments,
    sum: values.packets_in,
  });
}

function declareTraffic(
  metrics: Metrics,
  { statistics, takeLoopLag, socket }: MeasuredRelay,
): void {
  for (const unit of ['packets', 'bytes'] as const)
    metrics.counter({
      name: `${PREFIX}${unit}_total`,
      help: `UDP payloads and frames over TLS, in ${unit}.`,
      labelNames: ['direction'],
      collect: (counter) => {
        const { values } = statistics();
        counter.setTotal(values[`${unit}_in`], { direction: 'in' });
        counter.setTotal(values[`${unit}_out`], { direction: 'out' });
      },
    });
  metrics.counter({
    name: `${PREFIX}drops_total`,
    help: 'Datagrams that ended here, by reason; the log has finer ones.',
    labelNames: ['reason'],
    collect: (counter) => {
      for (const [reason, count] of dropGroups(statistics().drops))
        counter.setTotal(count, { reason });
    },
  });
  metrics.counter({
    name: `${PREFIX}kernel_drops_total`,
    help: 'Datagrams that found the receive buffer of the socket full.',
    collect: (counter) => {
      counter.setTotal(Math.max(0, statistics().values.kernel_drops));
    },
  });
  metrics.counter({
    name: `${PREFIX}receive_calls_total`,
    help: 'System calls that took datagrams, by how many the call took at most.',
    labelNames: ['datagrams'],
    collect: (counter) => {
      for (const [at, count] of statistics().receiveBatches.entries())
        counter.setTotal(count, { datagrams: BATCH_BOUNDS[at] ?? 'more' });
    },
  });
  metrics.gauge({
    name: `${PREFIX}loop_lag_seconds`,
    help: 'Longest pass of the loop of the packet worker since the last scrape.',
    collect: (gauge) => {
      gauge.set(takeLoopLag() / 1_000);
    },
  });
  metrics
    .gauge({
      name: `${PREFIX}socket_info`,
      help: 'How datagrams are read and written, and why not in batches if they are not.',
      labelNames: ['socket', 'reason'],
    })
    .set(1, { socket: socket.kind, reason: socket.reason });
}

function declareSessions(metrics: Metrics, { statistics }: MeasuredRelay): void {
  metrics.gauge({
    name: `${PREFIX}sessions`,
    help: 'Sessions held now, by how many of their two slots are taken.',
    labelNames: ['state'],
    collect: (gauge) => {
      const { sessions, sessions_half_open } = statistics().values;
      gauge.set(sessions - sessions_half_open, { state: 'open' });
      gauge.set(sessions_half_open, { state: 'half-open' });
    },
  });
  metrics.counter({
    name: 'sallyport_handshakes_total',
    help: 'Proofs of leases that came with a valid cookie, by what became of them.',
    labelNames: ['outcome', 'reason', 'suite'],
    collect: (counter) => {
      for (const { outcome, reason, count } of handshakeReasons(statistics().handshakes))
        counter.setTotal(count, { outcome, reason, suite: 'Standard' });
    },
  });
  metrics.counter({
    name: `${PREFIX}sessions_rejected_total`,
    help: 'Proofs of leases that were refused, by reason.',
    labelNames: ['reason'],
    collect: (counter) => {
      for (const { outcome, reason, count } of handshakeReasons(statistics().handshakes))
        if (outcome === 'failure') counter.setTotal(count, { reason });
    },
  });
  metrics.counter({
    name: `${PREFIX}sessions_ended_total`,
    help: 'Slots and sessions that ended, by why.',
    labelNames: ['reason'],
    collect: (counter) => {
      const { values } = statistics();
      counter.setTotal(values.sessions_idle_ended, { reason: 'idle' });
      counter.setTotal(values.leases_expired, { reason: 'expired' });
      counter.setTotal(values.sessions_half_open_ended, { reason: 'half-open' });
      counter.setTotal(values.sessions_evicted, { reason: 'evicted' });
      counter.setTotal(values.leases_revoked, { reason: 'revoked' });
      counter.setTotal(values.byes_taken, { reason: 'bye' });
    },
  });
}

function declareFallback(metrics: Metrics, { fallback }: MeasuredRelay): void {
  metrics.gauge({
    name: `${PREFIX}fallback_connections`,
    help: 'TLS connections now, by whether a lease was proven on them.',
    labelNames: ['state'],
    collect: (gauge) => {
      const values = fallback()?.values;
      const proven = values?.connections_proven ?? 0;
      gauge.set(proven, { state: 'proven' });
      gauge.set((values?.connections ?? 0) - proven, { state: 'unproven' });
    },
  });
  metrics.counter({
    name: `${PREFIX}fallback_connections_ended_total`,
    help: 'TLS connections that ended or never began, by why.',
    labelNames: ['reason'],
    collect: (counter) => {
      const ends = fallback()?.ends;
      for (const reason of FALLBACK_ENDS) counter.setTotal(ends?.[reason] ?? 0, { reason });
    },
  });
  metrics.counter({
    name: `${PREFIX}fallback_drops_total`,
    help: 'Frames that were dropped because the other side of a TLS connection does not read.',
    collect: (counter) => {
      counter.setTotal(fallback()?.values.dropped ?? 0);
    },
  });
}
