/* What the operator's own series mean (reference/alerting.md, 5.3, A11), and the alert that always fires. */
import { certificateRules } from './certificate-rules.js';
import { alertRule, seriesOf, type RuleGroup, type Runbooks, type Scraped } from './rules.js';
import { OPERATOR } from './thresholds.js';

const BY = 'by (namespace,job)';

/** All rules of one installation's operator. */
export function operatorRules(operator: Scraped, runbooks: Runbooks): readonly RuleGroup[] {
  const s = seriesOf(operator);
  return [
    {
      name: 'sallyport.operator.alerts',
      rules: [
        ...work(s, runbooks),
        ...drift(s, runbooks),
        ...certificateRules('Operator', s, runbooks),
        ...presence(s, runbooks),
      ],
    },
  ];
}

function work(s: string, runbooks: Runbooks): RuleGroup['rules'] {
  const { errorRatio, errorsIn10m, oldestEventSeconds } = OPERATOR;
  const passes = (result: string) =>
    `sum by (namespace,job,controller) (increase(controller_runtime_reconcile_total{${s}${result}}[10m]))`;
  const errors = passes(',result="error"');
  return [
    alertRule(
      'OperatorReconcileStuck',
      {
        expr: `${errors} / (${passes('')} > 0) > ${errorRatio} and ${errors} >= ${errorsIn10m}`,
        for: '10m',
      },
      {
        severity: 'warning',
        level: 1,
        signal: 'operator',
        summary: 'The operator fails to bring resources to what they declare.',
        description:
          '{{ $value | humanizePercentage }} of the passes of {{ $labels.controller }} fail.',
      },
      runbooks,
    ),
    alertRule(
      'OperatorHearsNothing',
      {
        expr: `max ${BY} (sallyport_last_event_age_seconds{${s}}) > ${oldestEventSeconds}`,
        for: '5m',
      },
      {
        severity: 'warning',
        level: 1,
        signal: 'operator',
        summary: 'The API server has told the operator nothing for long.',
        description: 'The last event is {{ $value | humanizeDuration }} old.',
      },
      runbooks,
    ),
    alertRule(
      'CrdOutdated',
      { expr: `max by (namespace,job,kind) (sallyport_crd_outdated{${s}}) > 0`, for: '5m' },
      {
        severity: 'warning',
        level: 1,
        signal: 'operator',
        summary: 'A CRD is older than the operator, which holds its kind.',
        description: 'The kind is {{ $labels.kind }}.',
      },
      runbooks,
    ),
  ];
}

function drift(s: string, runbooks: Runbooks): RuleGroup['rules'] {
  const words = { severity: 'warning', level: 2, signal: 'drift' } as const;
  return [
    alertRule(
      'DriftRepeated',
      {
        expr: `round(sum by (namespace,job,kind) (increase(sallyport_drift_reverts_total{${s}}[1h]))) > ${OPERATOR.repairsPerHour}`,
      },
      {
        ...words,
        summary: 'Somebody keeps changing what the operator writes.',
        description:
          '{{ $value }} changes of objects of kind {{ $labels.kind }} were put back within an hour.',
      },
      runbooks,
    ),
    alertRule(
      'DriftFight',
      { expr: `max ${BY} (sallyport_fight_active{${s}}) > 0` },
      {
        ...words,
        summary: 'A field is left to somebody who insists on another value.',
        description: '{{ $value }} fields; condition DriftDetected of the resource names them.',
      },
      runbooks,
    ),
  ];
}

function presence(s: string, runbooks: Runbooks): RuleGroup['rules'] {
  return [
    alertRule(
      'OperatorLeaderAbsent',
      {
        expr: `(sum ${BY} (leader_election_master_status{${s}}) or absent(leader_election_master_status{${s}}) - 1) == 0`,
        for: '2m',
      },
      {
        severity: 'critical',
        level: 2,
        signal: 'operator',
        summary: 'No operator leads.',
        description:
          'What runs goes on; nothing is repaired, rotated or changed ({{ $value }} leaders).',
      },
      runbooks,
    ),
    alertRule(
      'Watchdog',
      { expr: 'vector(1)' },
      {
        severity: 'info',
        level: 1,
        signal: 'watchdog',
        summary: 'Always fires: while it arrives, alerts arrive.',
        description: 'Value {{ $value }}.',
      },
      runbooks,
    ),
  ];
}
