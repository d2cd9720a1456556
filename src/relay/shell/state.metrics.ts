/*
 * Metrics of what a relay is, beside those of what it does (relay.metrics.ts).
 */
import type { Gauge, Metrics } from '../../runtime/metrics.js';
import type { MeasuredRelay } from './relay.metrics.js';
import { REGISTRATION_PHASES } from './registration.js';

const PREFIX = 'sallyport_relay_';

/** Declares when certificate and lease keys end. */
export function declareDates(metrics: Metrics, { directory, leaf, pool }: MeasuredRelay): void {
  metrics.gauge({
    name: 'sallyport_certificate_not_after_timestamp_seconds',
    help: 'When a certificate ends, in Unix seconds.',
    labelNames: ['namespace', 'secret', 'purpose'],
    collect: (gauge) => {
      gauge.reset();
      const notAfterMs = leaf()?.notAfterMs;
      const labels = {
        namespace: pool.namespace,
        secret: `${pool.name}-relay-tls`,
        purpose: 'relay',
      };
      if (notAfterMs !== undefined) gauge.set(notAfterMs / 1_000, labels);
    },
  });
  const dates = (field: 'notBeforeMs' | 'notAfterMs') => (gauge: Gauge) => {
    gauge.reset();
    for (const key of directory()?.leaseKeys ?? [])
      gauge.set(key[field] / 1_000, { gateway: key.gateway, kid: key.kid });
  };
  const labelNames = ['gateway', 'kid'];
  metrics.gauge({
    name: `${PREFIX}lease_key_not_before_timestamp_seconds`,
    help: 'From when leases of a key are accepted, in Unix seconds.',
    labelNames,
    collect: dates('notBeforeMs'),
  });
  metrics.gauge({
    name: `${PREFIX}lease_key_not_after_timestamp_seconds`,
    help: 'Until when leases of a key are accepted, in Unix seconds.',
    labelNames,
    collect: dates('notAfterMs'),
  });
}

/** Declares how the relay is: draining, registered, at which time and version. */
export function declareState(
  metrics: Metrics,
  { statistics, phases, skewMs, version, lostWrites }: MeasuredRelay,
): void {
  metrics.gauge({
    name: `${PREFIX}draining`,
    help: '1 while the relay moves its sessions away.',
    collect: (gauge) => {
      gauge.set(statistics().values.draining);
    },
  });
  metrics.gauge({
    name: `${PREFIX}registrations`,
    help: 'Permitted gateways by where the registration at them stands.',
    labelNames: ['state'],
    collect: (gauge) => {
      const count = phases();
      for (const state of REGISTRATION_PHASES) gauge.set(count[state], { state });
    },
  });
  metrics.gauge({
    name: 'sallyport_clock_skew_seconds',
    help: 'How far the clock is from that of the gateway that differs most; positive: ahead.',
    collect: (gauge) => {
      gauge.set((skewMs() ?? 0) / 1_000);
    },
  });
  metrics.counter({
    name: `${PREFIX}lost_output_total`,
    help: 'Writes to standard output (audit) and standard error (log) that failed: a full disk, a reader that is gone.',
    collect: (counter) => {
      counter.setTotal(lostWrites());
    },
  });
  metrics
    .gauge({
      name: 'sallyport_build_info',
      help: 'Version of this program.',
      labelNames: ['version'],
    })
    .set(1, { version });
}

/** Declares which implementation does the cryptography of this program. */
export function declareBackend(metrics: Metrics, backend: string): void {
  metrics
    .gauge({
      name: 'sallyport_crypto_backend_info',
      help: 'Which implementation does the cryptography of this program.',
      labelNames: ['backend'],
    })
    .set(1, { backend });
}
