/* What the dashboard shows. Limits are those at which alerts fire, so that a line turns red when one does. */
import { failureRatio } from './handshake-rules.js';
import {
  ADMINISTRATION,
  ANOMALIES,
  AUTHENTICATION,
  CERTIFICATES,
  CLOCKS,
  ENCRYPTION,
  HANDSHAKES,
  OPERATOR,
  RELAY_USAGE,
} from './thresholds.js';

/** One graph. */
export interface Panel {
  readonly title: string;
  readonly description: string;
  /** A unit of Grafana. */
  readonly unit: 'percentunit' | 's' | 'Bps' | 'short';
  /** Expressions by the legend of their lines. */
  readonly lines: Readonly<Record<string, string>>;
  /** Where a line turns to warning and to critical. */
  readonly limits?: {
    readonly warning: number;
    readonly critical?: number;
    /** True: what is below is bad. */
    readonly below?: boolean;
  };
}

/** Graphs under one heading. */
export interface PanelRow {
  readonly title: string;
  readonly panels: readonly Panel[];
}

/** Series of what the variables of the dashboard choose. */
const S = 'namespace=~"$namespace",job=~"$job"';
const RANGE = '$__rate_interval';
const JOB = '{{job}}';

const per = (label: string, metric: string, matchers = '') =>
  `sum by (job,${label}) (rate(${metric}{${S}${matchers}}[${RANGE}]))`;
const perHour = (label: string, metric: string) =>
  `sum by (job,${label}) (increase(${metric}{${S}}[1h]))`;

const ACCESS: PanelRow = {
  title: 'Access',
  panels: [
    {
      title: 'Failed logins',
      description: 'Share of logins and proofs of second factors that failed.',
      unit: 'percentunit',
      lines: { [JOB]: failureRatio(S, 'sallyport_auth_attempts_total', '5m') },
      limits: { warning: AUTHENTICATION.warningRatio, critical: AUTHENTICATION.criticalRatio },
    },
    {
      title: 'Why logins fail',
      description: 'Failures per second by reason.',
      unit: 'short',
      lines: { '{{reason}}': per('reason', 'sallyport_auth_attempts_total', ',outcome="failure"') },
    },
    {
      title: 'Accounts locked',
      description: 'Lockouts within five minutes.',
      unit: 'short',
      lines: { [JOB]: `sum by (job) (increase(sallyport_auth_lockouts_total{${S}}[5m]))` },
      limits: { warning: AUTHENTICATION.lockoutsIn5m },
    },
    {
      title: 'Connections',
      description: 'Endpoints and relays at the gateways, by state.',
      unit: 'short',
      lines: { '{{state}}': `sum by (job,state) (sallyport_gateway_sockets{${S}})` },
    },
    {
      title: 'Acts of administration within an hour',
      description: 'By kind of administrator, code, and whether the address was allowed.',
      unit: 'short',
      lines: {
        '{{principal}} {{code}} {{source}}': perHour(
          'principal,code,source',
          'sallyport_admin_requests_total',
        ),
      },
    },
    {
      title: 'Denied acts of administration',
      description: 'Share of all acts within ten minutes.',
      unit: 'percentunit',
      lines: {
        [JOB]: `sum by (job) (increase(sallyport_admin_requests_total{${S},code="403"}[10m])) / sum by (job) (increase(sallyport_admin_requests_total{${S}}[10m]))`,
      },
      limits: { warning: ADMINISTRATION.deniedRatio },
    },
  ],
};

const CRYPTOGRAPHY: PanelRow = {
  title: 'Handshakes and keys',
  panels: [
    {
      title: 'Failed handshakes',
      description: 'Of sessions as endpoints report them, and of leases as relays see them.',
      unit: 'percentunit',
      lines: { [JOB]: failureRatio(S, 'sallyport_handshakes_total', '5m') },
      limits: { warning: HANDSHAKES.ratio },
    },
    {
      title: 'Why handshakes fail',
      description: 'Failures per second by reason.',
      unit: 'short',
      lines: {
        '{{job}} {{reason}}': per('reason', 'sallyport_handshakes_total', ',outcome="failure"'),
      },
    },
    {
      title: 'Secrets sealed and opened',
      description: 'Share of the operations on secrets of second factors that succeeded.',
      unit: 'percentunit',
      lines: { [JOB]: `1 - ${failureRatio(S, 'sallyport_encryption_operations_total', '5m')}` },
      limits: {
        warning: ENCRYPTION.warningRatio,
        critical: ENCRYPTION.criticalRatio,
        below: true,
      },
    },
    {
      title: 'Certificates',
      description: 'Time until each ends.',
      unit: 's',
      lines: {
        '{{job}} {{secret}} {{purpose}}': `min by (job,secret,purpose) (sallyport_certificate_not_after_timestamp_seconds{${S}}) - time()`,
      },
      limits: {
        warning: CERTIFICATES.warningSeconds,
        critical: CERTIFICATES.criticalSeconds,
        below: true,
      },
    },
  ],
};

const RELAYS: PanelRow = {
  title: 'Relays',
  panels: [
    {
      title: 'Traffic',
      description: 'Bytes per second; above the line a change is worth an alert.',
      unit: 'Bps',
      lines: { '{{job}} {{direction}}': per('direction', 'sallyport_relay_bytes_total') },
      limits: { warning: RELAY_USAGE.bytesPerSecond },
    },
    {
      title: 'Sessions',
      description: 'Held now, by how many of their slots are taken.',
      unit: 'short',
      lines: { '{{job}} {{state}}': `sum by (job,state) (sallyport_relay_sessions{${S}})` },
    },
    {
      title: 'Relays as gateways see them',
      description: 'The most that one replica knows of; only Live ones get leases.',
      unit: 'short',
      lines: { '{{state}}': `max by (job,state) (sallyport_relay_registry_relays{${S}})` },
    },
    {
      title: 'Anomalies within an hour',
      description: 'What no relay and no replica of ours should do.',
      unit: 'short',
      lines: { '{{job}} {{kind}}': perHour('kind', 'sallyport_network_anomalies_total') },
      limits: { warning: ANOMALIES.warning, critical: ANOMALIES.critical },
    },
    {
      title: 'Clocks',
      description: 'How far relays and gateways are apart.',
      unit: 's',
      lines: { [JOB]: `max by (job) (abs(sallyport_clock_skew_seconds{${S}}))` },
      limits: { warning: CLOCKS.skewSeconds },
    },
    {
      title: 'Dropped datagrams',
      description: 'Per second by reason.',
      unit: 'short',
      lines: { '{{reason}}': per('reason', 'sallyport_relay_drops_total') },
    },
  ],
};

const OPERATION: PanelRow = {
  title: 'Operator',
  panels: [
    {
      title: 'Failed passes',
      description: 'Share of the passes of each controller within ten minutes.',
      unit: 'percentunit',
      lines: {
        '{{controller}}': `sum by (job,controller) (increase(controller_runtime_reconcile_total{${S},result="error"}[10m])) / sum by (job,controller) (increase(controller_runtime_reconcile_total{${S}}[10m]))`,
      },
      limits: { warning: OPERATOR.errorRatio },
    },
    {
      title: 'Changes put back within an hour',
      description: 'Edits by others, by kind of object.',
      unit: 'short',
      lines: { '{{kind}}': perHour('kind', 'sallyport_drift_reverts_total') },
      limits: { warning: OPERATOR.repairsPerHour },
    },
    {
      title: 'Leaders',
      description: 'Exactly one.',
      unit: 'short',
      lines: { [JOB]: `sum by (job) (leader_election_master_status{${S}})` },
      limits: { warning: 1, below: true },
    },
    {
      title: 'Last event',
      description: 'Since the API server last said anything.',
      unit: 's',
      lines: { [JOB]: `max by (job) (sallyport_last_event_age_seconds{${S}})` },
      limits: { warning: OPERATOR.oldestEventSeconds },
    },
  ],
};

/** Everything on the dashboard, from top to bottom. */
export const DASHBOARD_ROWS: readonly PanelRow[] = [ACCESS, CRYPTOGRAPHY, RELAYS, OPERATION];
