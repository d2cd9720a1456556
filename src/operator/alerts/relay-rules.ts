/* What a relay pool's series mean. Expressions and figures: reference/alerting.md, 5.3, A3, A4, A6 and A9. */
import { certificateRules } from './certificate-rules.js';
import { handshakeRecords, handshakeRules } from './handshake-rules.js';
import { alertRule, seriesOf, type RuleGroup, type Runbooks, type Scraped } from './rules.js';
import { ANOMALIES, CLOCKS, RELAY_USAGE } from './thresholds.js';

const BY = 'by (namespace,job)';
const HOUR = 'sallyport:relay_bytes:avg1h';
const PROOFS = {
  name: 'LeaseProof',
  surge: 'Proofs of leases fail far more often than in the day before.',
  ratio: 'Many proofs of leases fail.',
} as const;

/** All rules of one pool. */
export function relayRules(pool: Scraped, runbooks: Runbooks): readonly RuleGroup[] {
  const s = seriesOf(pool);
  return [
    {
      name: 'sallyport.relay.rules',
      interval: '30s',
      rules: [
        {
          record: 'sallyport:relay_bytes:rate5m',
          expr: `sum ${BY} (rate(sallyport_relay_bytes_total{${s}}[5m]))`,
        },
        { record: HOUR, expr: `avg_over_time(sallyport:relay_bytes:rate5m{${s}}[1h])` },
        ...handshakeRecords(s),
      ],
    },
    {
      name: 'sallyport.relay.alerts',
      rules: [
        ...usage(s, runbooks),
        ...handshakeRules(PROOFS, s, runbooks),
        ...certificateRules('Relay', s, runbooks),
        ...state(s, runbooks),
      ],
    },
  ];
}

function usage(s: string, runbooks: Runbooks): RuleGroup['rules'] {
  const { doublings, bytesPerSecond } = RELAY_USAGE;
  const now = `${HOUR}{${s}}`;
  return [
    alertRule(
      'RelayUsageChanged',
      {
        // 1,024 bytes per second more on both sides: from nothing to little is no change.
        expr: `abs(log2((${now} + 1024) / (${now} offset 1w + 1024))) > ${doublings} and (${now} > ${bytesPerSecond} or ${now} offset 1w > ${bytesPerSecond})`,
        for: '15m',
        keep_firing_for: '30m',
      },
      {
        severity: 'warning',
        level: 1,
        signal: 'usage',
        summary: 'Relays carry far more or far less than in the same hour a week ago.',
        description: 'The change is {{ $value | humanize }} doublings.',
      },
      runbooks,
    ),
    alertRule(
      'RelayTrafficStopped',
      {
        expr: `${now} offset 1d > ${bytesPerSecond} and on (namespace,job) sum ${BY} (rate(sallyport_relay_bytes_total{${s}}[10m])) == 0`,
        for: '5m',
      },
      {
        severity: 'critical',
        level: 2,
        signal: 'usage',
        summary: 'Relays carry nothing any more.',
        description: 'A day ago it was {{ $value | humanize }} bytes per second.',
      },
      runbooks,
    ),
  ];
}

function state(s: string, runbooks: Runbooks): RuleGroup['rules'] {
  return [
    alertRule(
      'RelayClockSkew',
      {
        expr: `max ${BY} (abs(sallyport_clock_skew_seconds{${s}})) > ${CLOCKS.skewSeconds}`,
        for: '2m',
      },
      {
        severity: 'warning',
        level: 1,
        signal: 'clock',
        summary: "A relay's clock and a gateway's differ.",
        description:
          'They are {{ $value | humanizeDuration }} apart; from 5 s on there are no leases.',
      },
      runbooks,
    ),
    alertRule(
      'RelaySeesAnomalies',
      {
        expr: `round(sum ${BY} (increase(sallyport_network_anomalies_total{${s}}[1h]))) > ${ANOMALIES.warning}`,
      },
      {
        severity: 'warning',
        level: 2,
        signal: 'anomalies',
        summary: 'Relays are told what no gateway of ours would tell them.',
        description: '{{ $value }} anomalies within an hour; label kind of the series says which.',
      },
      runbooks,
    ),
    alertRule(
      'RelayPoolAbsent',
      { expr: `absent(sallyport_relay_sessions{${s}})`, for: '5m' },
      {
        severity: 'critical',
        level: 2,
        signal: 'presence',
        summary: 'No relay of a pool is scraped.',
        description: 'Nothing was read from any of them for five minutes.',
      },
      runbooks,
    ),
  ];
}
