/* When handshakes fail too often: expressions of reference/alerting.md, 5.3, A3, for whoever counts them. */
import { alertRule, type AlertRule, type RecordingRule, type Runbooks } from './rules.js';
import { HANDSHAKES } from './thresholds.js';

const BY = 'by (namespace,job)';
const METRIC = 'sallyport_handshakes_total';

/** What the alerts about one kind of handshake are called and say. */
export interface HandshakeWords {
  /** Before `FailureSurge` and `FailureRatio`. */
  readonly name: string;
  readonly surge: string;
  readonly ratio: string;
}

/** Failures of `metric` among all in `range`, 0 to 1. Nothing where nothing happened. */
export function failureRatio(s: string, metric: string, range: string): string {
  return `sum ${BY} (rate(${metric}{${s},outcome="failure"}[${range}])) / (sum ${BY} (rate(${metric}{${s}}[${range}])) > 0)`;
}

/** What `handshakeRules` compares, recorded. */
export function handshakeRecords(s: string): readonly RecordingRule[] {
  const rate = 'sallyport:handshake_failures:rate5m';
  // The hour before is left out: a surge must not be part of what it is measured against.
  const day = `${rate}{${s}}[1d] offset 1h`;
  return [
    { record: rate, expr: `sum ${BY} (rate(${METRIC}{${s},outcome="failure"}[5m]))` },
    {
      record: 'sallyport:handshake_failures:ratio_rate5m',
      expr: failureRatio(s, METRIC, '5m'),
    },
    { record: 'sallyport:handshake_failures:avg1d', expr: `avg_over_time(${day})` },
    { record: 'sallyport:handshake_failures:stddev1d', expr: `stddev_over_time(${day})` },
  ];
}

/** A surge against the day before, and a share that is too high however steady it is. */
export function handshakeRules(
  words: HandshakeWords,
  s: string,
  runbooks: Runbooks,
): readonly AlertRule[] {
  const { deviations, leastDeviation, failuresIn5m, ratio } = HANDSHAKES;
  const [rate, mean, deviation] = ['rate5m', 'avg1d', 'stddev1d'].map(
    (name) => `sallyport:handshake_failures:${name}{${s}}`,
  );
  const floor = `sum ${BY} (increase(${METRIC}{${s},outcome="failure"}[5m])) >= ${failuresIn5m}`;
  const common = { severity: 'warning', level: 2, signal: 'handshakes' } as const;
  return [
    alertRule(
      `${words.name}FailureSurge`,
      {
        expr: `(${rate} - ${mean}) / ((${deviation} > ${mean} * ${leastDeviation}) or clamp_min(${mean} * ${leastDeviation}, 0.01)) > ${deviations} and on (namespace,job) ${floor}`,
        for: '5m',
        keep_firing_for: '10m',
      },
      {
        ...common,
        summary: words.surge,
        description: 'The rate of failures is {{ $value | humanize }} deviations above its mean.',
      },
      runbooks,
    ),
    alertRule(
      `${words.name}FailureRatio`,
      {
        expr: `sallyport:handshake_failures:ratio_rate5m{${s}} > ${ratio} and on (namespace,job) ${floor}`,
        for: '5m',
        keep_firing_for: '10m',
      },
      {
        ...common,
        summary: words.ratio,
        description: '{{ $value | humanizePercentage }} of them failed.',
      },
      runbooks,
    ),
  ];
}
