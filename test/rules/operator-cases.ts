/* What the alerts of the operator say on both sides of their thresholds. */
import { jump, rising, steady, type AlertCase } from './promtool.js';

const passes = (result: string) =>
  `controller_runtime_reconcile_total{controller="relay-pool",result="${result}"}`;
const AGE = 'sallyport_last_event_age_seconds';
const OUTDATED = 'sallyport_crd_outdated{kind="RelayPool"}';
const REVERTS = 'sallyport_drift_reverts_total{kind="Service"}';
const FIGHTS = 'sallyport_fight_active';
const LEADS = 'leader_election_master_status{name="sallyport-operator"}';

/** All of them but those about certificates, which others have too. */
export const OPERATOR_CASES: readonly AlertCase[] = [
  {
    alert: 'SallyportOperatorReconcileStuck',
    when: 'when three passes of five fail for ten minutes',
    series: { [passes('error')]: rising([3, 90]), [passes('success')]: rising([2, 90]) },
    at: 25,
    fires: {
      description: '60% of the passes of relay-pool fail.',
      labels: { controller: 'relay-pool' },
    },
  },
  {
    alert: 'SallyportOperatorReconcileStuck',
    when: 'when two passes of five fail',
    series: { [passes('error')]: rising([2, 90]), [passes('success')]: rising([3, 90]) },
    at: 60,
  },
  {
    alert: 'SallyportOperatorReconcileStuck',
    when: 'when all of a few passes fail',
    series: { [passes('error')]: rising([0.9, 90]), [passes('success')]: steady(0) },
    at: 60,
  },
  {
    alert: 'SallyportOperatorHearsNothing',
    when: 'when the last event is long ago',
    series: { [AGE]: rising([60, 90]) },
    at: 25,
    fires: { description: 'The last event is 25m 0s old.' },
  },
  {
    alert: 'SallyportOperatorHearsNothing',
    when: 'while events are up to a quarter of an hour apart',
    series: { [AGE]: steady(890) },
    at: 60,
  },
  {
    alert: 'SallyportCrdOutdated',
    when: 'when a kind is held',
    series: { [OUTDATED]: steady(1) },
    at: 6,
    fires: { description: 'The kind is RelayPool.', labels: { kind: 'RelayPool' } },
  },
  {
    alert: 'SallyportCrdOutdated',
    when: 'while no kind is held',
    series: { [OUTDATED]: steady(0) },
    at: 60,
  },
  {
    alert: 'SallyportDriftRepeated',
    when: 'at the fourth change within an hour',
    series: { [REVERTS]: jump(4) },
    at: 8,
    fires: {
      description: '4 changes of objects of kind Service were put back within an hour.',
      labels: { kind: 'Service' },
    },
  },
  {
    alert: 'SallyportDriftRepeated',
    when: 'at three changes within an hour',
    series: { [REVERTS]: jump(3) },
    at: 8,
  },
  {
    alert: 'SallyportDriftFight',
    when: 'at the first field that is left',
    series: { [FIGHTS]: steady(1) },
    at: 2,
    fires: { description: '1 fields; condition DriftDetected of the resource names them.' },
  },
  {
    alert: 'SallyportDriftFight',
    when: 'while no field is left',
    series: { [FIGHTS]: steady(0) },
    at: 60,
  },
  ...[
    { when: 'when no replica leads', series: { [LEADS]: steady(0) } },
    { when: 'when no replica is read', series: {} },
  ].map((one) => ({
    ...one,
    alert: 'SallyportOperatorLeaderAbsent',
    at: 5,
    fires: {
      description: 'What runs goes on; nothing is repaired, rotated or changed (0 leaders).',
    },
  })),
  {
    alert: 'SallyportOperatorLeaderAbsent',
    when: 'while one of two leads',
    series: {
      [LEADS.replace('}', ',pod="a"}')]: steady(0),
      [LEADS.replace('}', ',pod="b"}')]: steady(1),
    },
    at: 60,
  },
  {
    alert: 'SallyportWatchdog',
    when: 'always',
    series: {},
    at: 1,
    fires: { description: 'Value 1.' },
  },
];
