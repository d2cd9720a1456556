/* What a gateway's series mean. Expressions and figures: reference/alerting.md, 5.3, A1 to A7 and A9. */
import { certificateRules } from './certificate-rules.js';
import { failureRatio, handshakeRecords, handshakeRules } from './handshake-rules.js';
import { alertRule, seriesOf, type RuleGroup, type Runbooks, type Scraped } from './rules.js';
import { ADMINISTRATION, ANOMALIES, AUTHENTICATION, ENCRYPTION } from './thresholds.js';

const BY = 'by (namespace,job)';
const SESSIONS = {
  name: 'Handshake',
  surge: 'Session handshakes fail far more often than in the day before.',
  ratio: 'Many session handshakes fail.',
} as const;

/** All rules of one gateway. */
export function gatewayRules(gateway: Scraped, runbooks: Runbooks): readonly RuleGroup[] {
  const s = seriesOf(gateway);
  return [
    { name: 'sallyport.gateway.rules', interval: '30s', rules: records(s) },
    {
      name: 'sallyport.gateway.alerts',
      rules: [
        ...authentication(s, runbooks),
        ...handshakeRules(SESSIONS, s, runbooks),
        ...administration(s, runbooks),
        ...anomalies(s, runbooks),
        ...certificateRules('Gateway', s, runbooks),
        ...encryption(s, runbooks),
        ...presence(s, runbooks),
      ],
    },
  ];
}

/** Ratios and rates that several alerts and the dashboard read. */
function records(s: string): RuleGroup['rules'] {
  const auth = 'sallyport_auth_attempts_total';
  const seals = 'sallyport_encryption_operations_total';
  return [
    { record: 'sallyport:auth_failures:ratio_rate5m', expr: failureRatio(s, auth, '5m') },
    { record: 'sallyport:auth_failures:ratio_rate1h', expr: failureRatio(s, auth, '1h') },
    {
      record: 'sallyport:auth_failures:increase1h',
      expr: `sum ${BY} (increase(${auth}{${s},outcome="failure"}[1h]))`,
    },
    ...handshakeRecords(s),
    { record: 'sallyport:encryption_failures:ratio_rate5m', expr: failureRatio(s, seals, '5m') },
  ];
}

function authentication(s: string, runbooks: Runbooks): RuleGroup['rules'] {
  const above = (ratio: number) =>
    `sallyport:auth_failures:ratio_rate5m{${s}} > ${ratio} and sallyport:auth_failures:ratio_rate1h{${s}} > ${ratio} and sallyport:auth_failures:increase1h{${s}} >= ${AUTHENTICATION.failuresPerHour}`;
  const words = {
    signal: 'authentication',
    summary: 'Logins fail more often than usual.',
    description: 'The share of failed logins is {{ $value | humanizePercentage }}.',
  };
  return [
    alertRule(
      'AuthenticationFailures',
      { expr: above(AUTHENTICATION.warningRatio), for: '2m', keep_firing_for: '15m' },
      { severity: 'warning', level: 2, ...words },
      runbooks,
    ),
    alertRule(
      'AuthenticationAttack',
      { expr: above(AUTHENTICATION.criticalRatio), for: '1m', keep_firing_for: '15m' },
      { severity: 'critical', level: 3, ...words },
      runbooks,
    ),
    alertRule(
      'AccountLockouts',
      {
        expr: `round(sum ${BY} (increase(sallyport_auth_lockouts_total{${s}}[5m]))) > ${AUTHENTICATION.lockoutsIn5m}`,
      },
      {
        severity: 'warning',
        level: 2,
        signal: 'authentication',
        summary: 'Accounts are being locked out.',
        description: '{{ $value }} accounts were locked within five minutes.',
      },
      runbooks,
    ),
  ];
}

function administration(s: string, runbooks: Runbooks): RuleGroup['rules'] {
  const metric = 'sallyport_admin_requests_total';
  const seen = (range: string) =>
    `group by (namespace,job,principal) (max_over_time(${metric}{${s}}${range}) > 0)`;
  const { deniedRatio, deniedIn10m } = ADMINISTRATION;
  const denied = `sum ${BY} (increase(${metric}{${s},code="403"}[10m]))`;
  const words = { level: 3, signal: 'administration' } as const;
  return [
    alertRule(
      'AdministratorFromNewPlace',
      { expr: `round(sum ${BY} (increase(${metric}{${s},source="other"}[10m]))) > 0` },
      {
        ...words,
        severity: 'critical',
        summary: 'Somebody administers from a network that no role allows.',
        description: '{{ $value }} requests within ten minutes.',
      },
      runbooks,
    ),
    alertRule(
      'AdministratorNewPrincipal',
      {
        expr: `${seen('[15m]')} unless on (namespace,job,principal) ${seen('[7d] offset 15m')}`,
      },
      {
        ...words,
        level: 2,
        severity: 'warning',
        summary: 'A kind of administrator acts that has not acted for a week.',
        description: 'Principal {{ $labels.principal }} was not seen in the seven days before.',
      },
      runbooks,
    ),
    alertRule(
      'AdministrationDenied',
      {
        expr: `round(${denied}) >= ${deniedIn10m} and on (namespace,job) ${denied} / (sum ${BY} (increase(${metric}{${s}}[10m])) > 0) > ${deniedRatio}`,
      },
      {
        ...words,
        level: 2,
        severity: 'warning',
        summary: 'Acts of administration are refused.',
        description: '{{ $value }} were refused within ten minutes.',
      },
      runbooks,
    ),
    alertRule(
      'AdministrationOutOfHours',
      {
        expr: `round(sum ${BY} (increase(${metric}{${s}}[10m]))) > 0 and on () (hour() < 6 or hour() >= 20 or day_of_week() % 6 == 0)`,
      },
      {
        ...words,
        level: 1,
        severity: 'info',
        summary: 'Somebody administers at night or at the weekend (UTC).',
        description: '{{ $value }} requests within ten minutes.',
      },
      runbooks,
    ),
  ];
}

function anomalies(s: string, runbooks: Runbooks): RuleGroup['rules'] {
  const perHour = `round(sum ${BY} (increase(sallyport_network_anomalies_total{${s}}[1h])))`;
  const words = {
    signal: 'anomalies',
    summary: 'Relays or replicas behave as none of ours would.',
    description: '{{ $value }} anomalies within an hour; label kind of the series says which.',
  };
  return [
    alertRule(
      'RelayAnomalies',
      { expr: `${perHour} > ${ANOMALIES.warning}` },
      { severity: 'warning', level: 2, ...words },
      runbooks,
    ),
    alertRule(
      'RelayAttack',
      { expr: `${perHour} > ${ANOMALIES.critical}` },
      { severity: 'critical', level: 3, ...words },
      runbooks,
    ),
    alertRule(
      'RelayIdentityRefused',
      {
        expr: `round(sum by (namespace,job,kind) (increase(sallyport_network_anomalies_total{${s},kind=~"relay-identity|relay-wrong-pool|relay-second-boot"}[15m]))) > 0`,
      },
      {
        severity: 'critical',
        level: 3,
        signal: 'anomalies',
        summary: 'Something registers as a relay that is none of ours.',
        description: '{{ $value }} times within a quarter of an hour ({{ $labels.kind }}).',
      },
      runbooks,
    ),
    alertRule(
      'NoLiveRelay',
      {
        expr: `max ${BY} (sallyport_relay_registry_relays{${s},state="Live"}) == 0 and on (namespace,job) sum ${BY} (sallyport_relay_registry_relays{${s}}) > 0`,
        for: '5m',
      },
      {
        severity: 'critical',
        level: 2,
        signal: 'relays',
        summary: 'No relay may be given leases.',
        description: 'Relays are known, but {{ $value }} of them are live.',
      },
      runbooks,
    ),
  ];
}

function encryption(s: string, runbooks: Runbooks): RuleGroup['rules'] {
  const below = (share: number) =>
    `1 - sallyport:encryption_failures:ratio_rate5m{${s}} < ${share} and on (namespace,job) sum ${BY} (increase(sallyport_encryption_operations_total{${s},outcome="failure"}[5m])) >= ${ENCRYPTION.failuresIn5m}`;
  const words = {
    signal: 'encryption',
    summary: 'Secrets of second factors cannot be sealed or opened.',
    description: 'Only {{ $value | humanizePercentage }} of the operations succeed.',
  };
  return [
    alertRule(
      'EncryptionFailures',
      { expr: below(ENCRYPTION.warningRatio), for: '2m', keep_firing_for: '10m' },
      { severity: 'warning', level: 2, ...words },
      runbooks,
    ),
    alertRule(
      'EncryptionBroken',
      { expr: below(ENCRYPTION.criticalRatio), for: '1m', keep_firing_for: '10m' },
      { severity: 'critical', level: 3, ...words },
      runbooks,
    ),
  ];
}

/** Without series nothing above can fire. */
function presence(s: string, runbooks: Runbooks): RuleGroup['rules'] {
  return [
    alertRule(
      'GatewayAbsent',
      { expr: `absent(sallyport_gateway_sockets{${s}})`, for: '5m' },
      {
        severity: 'critical',
        level: 2,
        signal: 'presence',
        summary: 'No gateway is scraped.',
        description: 'Nothing was read from any replica for five minutes.',
      },
      runbooks,
    ),
  ];
}
