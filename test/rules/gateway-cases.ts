/* What the alerts of a gateway say on both sides of their thresholds. */
import { jump, rising, steady, type AlertCase } from './promtool.js';

const attempts = (outcome: string) => `sallyport_auth_attempts_total{outcome="${outcome}"}`;
const sealed = (outcome: string) => `sallyport_encryption_operations_total{outcome="${outcome}"}`;
const admin = (labels: string) => `sallyport_admin_requests_total{${labels}}`;
const anomaly = (kind: string) => `sallyport_network_anomalies_total{kind="${kind}"}`;
const relays = (state: string) => `sallyport_relay_registry_relays{state="${state}"}`;

/** So many of a hundred fail, every minute. */
const percent = (of: (outcome: string) => string, failures: number) => ({
  [of('failure')]: rising([failures, 90]),
  [of('success')]: rising([100 - failures, 90]),
});

const logins: readonly AlertCase[] = [
  {
    alert: 'SallyportAuthenticationFailures',
    when: 'at 2 % of logins',
    series: percent(attempts, 2),
    at: 10,
    fires: { description: 'The share of failed logins is 2%.' },
  },
  {
    alert: 'SallyportAuthenticationFailures',
    when: 'at 0.9 % of logins',
    series: percent(attempts, 0.9),
    at: 70,
  },
  {
    alert: 'SallyportAuthenticationFailures',
    when: 'when one login of four fails',
    series: { [attempts('failure')]: jump(1), [attempts('success')]: jump(3) },
    at: 9,
  },
  {
    alert: 'SallyportAuthenticationAttack',
    when: 'at 6 % of logins',
    series: percent(attempts, 6),
    at: 10,
    fires: { description: 'The share of failed logins is 6%.' },
  },
  {
    alert: 'SallyportAuthenticationAttack',
    when: 'at 4 % of logins',
    series: percent(attempts, 4),
    at: 70,
  },
  {
    alert: 'SallyportAccountLockouts',
    when: 'at the fourth account within five minutes',
    series: { sallyport_auth_lockouts_total: jump(4) },
    at: 8,
    fires: { description: '4 accounts were locked within five minutes.' },
  },
  {
    alert: 'SallyportAccountLockouts',
    when: 'at three accounts',
    series: { sallyport_auth_lockouts_total: jump(3) },
    at: 8,
  },
];

const WEEK = 7 * 24 * 60;

const administration: readonly AlertCase[] = [
  {
    alert: 'SallyportAdministratorFromNewPlace',
    when: 'at one act from elsewhere',
    series: { [admin('source="other"')]: jump(1) },
    at: 8,
    fires: { description: '1 requests within ten minutes.' },
  },
  {
    alert: 'SallyportAdministratorFromNewPlace',
    when: 'while all acts come from where they may',
    series: { [admin('source="other"')]: steady(0), [admin('source="allowed"')]: jump(50) },
    at: 8,
  },
  {
    alert: 'SallyportAdministratorNewPrincipal',
    when: 'at the first act of a principal within a week',
    series: {
      [admin('principal="first"')]: '5+0x680',
      [admin('principal="second"')]: '0+0x672 1+0x5',
    },
    step: 15,
    at: WEEK + 15,
    fires: {
      description: 'Principal second was not seen in the seven days before.',
      labels: { principal: 'second' },
    },
  },
  {
    alert: 'SallyportAdministratorNewPrincipal',
    when: 'while the principals of the week before act',
    series: { [admin('principal="first"')]: '0+0x10 1+0x680' },
    step: 15,
    at: WEEK + 15,
  },
  {
    alert: 'SallyportAdministrationDenied',
    when: 'at five denied of forty',
    series: { [admin('code="403"')]: jump(5), [admin('code="200"')]: jump(35) },
    at: 8,
    fires: { description: '5 were refused within ten minutes.' },
  },
  {
    alert: 'SallyportAdministrationDenied',
    when: 'at four denied of ten',
    series: { [admin('code="403"')]: jump(4), [admin('code="200"')]: jump(6) },
    at: 8,
  },
  {
    alert: 'SallyportAdministrationDenied',
    when: 'at five denied of sixty',
    series: { [admin('code="403"')]: jump(5), [admin('code="200"')]: jump(55) },
    at: 8,
  },
  {
    // The first value is of midnight, a Thursday.
    alert: 'SallyportAdministrationOutOfHours',
    when: 'at an act after midnight',
    series: { [admin('code="200"')]: jump(2) },
    at: 8,
    fires: { description: '2 requests within ten minutes.' },
  },
  {
    alert: 'SallyportAdministrationOutOfHours',
    when: 'at an act on a Saturday at noon',
    series: { [admin('code="200"')]: '0+0x720 2+0x5' },
    step: 5,
    at: 60 * 60 + 10,
    fires: { description: '2 requests within ten minutes.' },
  },
  {
    alert: 'SallyportAdministrationOutOfHours',
    when: 'at an act on a Thursday at noon',
    series: { [admin('code="200"')]: '0+0x720 2+0x20' },
    at: 725,
  },
];

const anomalies: readonly AlertCase[] = [
  {
    alert: 'SallyportRelayAnomalies',
    when: 'at eleven within an hour',
    series: { [anomaly('relay-flapping')]: jump(6), [anomaly('relay-missing')]: jump(5) },
    at: 8,
    fires: {
      description: '11 anomalies within an hour; label kind of the series says which.',
    },
  },
  {
    alert: 'SallyportRelayAnomalies',
    when: 'at ten within an hour',
    series: { [anomaly('relay-flapping')]: jump(5), [anomaly('relay-missing')]: jump(5) },
    at: 8,
  },
  {
    alert: 'SallyportRelayAttack',
    when: 'at a hundred and one within an hour',
    series: { [anomaly('relay-message')]: jump(101) },
    at: 8,
    fires: {
      description: '101 anomalies within an hour; label kind of the series says which.',
    },
  },
  {
    alert: 'SallyportRelayAttack',
    when: 'at a hundred within an hour',
    series: { [anomaly('relay-message')]: jump(100) },
    at: 8,
  },
  ...['relay-identity', 'relay-wrong-pool', 'relay-second-boot'].map((kind) => ({
    alert: 'SallyportRelayIdentityRefused',
    when: `at one ${kind}`,
    series: { [anomaly(kind)]: jump(1) },
    at: 8,
    fires: { description: `1 times within a quarter of an hour (${kind}).`, labels: { kind } },
  })),
  {
    alert: 'SallyportRelayIdentityRefused',
    when: 'while relays are only lost',
    series: { [anomaly('relay-missing')]: jump(9), [anomaly('relay-identity')]: steady(0) },
    at: 8,
  },
  {
    alert: 'SallyportNoLiveRelay',
    when: 'when all known relays are missing',
    series: { [relays('Live')]: steady(0), [relays('Missing')]: steady(2) },
    at: 6,
    fires: { description: 'Relays are known, but 0 of them are live.' },
  },
  {
    alert: 'SallyportNoLiveRelay',
    when: 'while one of three is live',
    series: { [relays('Live')]: steady(1), [relays('Missing')]: steady(2) },
    at: 60,
  },
  {
    alert: 'SallyportNoLiveRelay',
    when: 'while there is no pool',
    series: { [relays('Live')]: steady(0), [relays('Missing')]: steady(0) },
    at: 60,
  },
];

const rest: readonly AlertCase[] = [
  {
    alert: 'SallyportEncryptionFailures',
    when: 'when 98 % succeed',
    series: percent(sealed, 2),
    at: 10,
    fires: { description: 'Only 98% of the operations succeed.' },
  },
  {
    alert: 'SallyportEncryptionFailures',
    when: 'when 99.5 % succeed',
    series: { [sealed('failure')]: rising([1, 90]), [sealed('success')]: rising([199, 90]) },
    at: 60,
  },
  {
    alert: 'SallyportEncryptionBroken',
    when: 'when 94 % succeed',
    series: percent(sealed, 6),
    at: 10,
    fires: { description: 'Only 94% of the operations succeed.' },
  },
  {
    alert: 'SallyportEncryptionBroken',
    when: 'when 96 % succeed',
    series: percent(sealed, 4),
    at: 60,
  },
  {
    alert: 'SallyportEncryptionBroken',
    when: 'at four failures of eight',
    series: { [sealed('failure')]: jump(4), [sealed('success')]: jump(4) },
    at: 9,
  },
  {
    alert: 'SallyportGatewayAbsent',
    when: 'when nothing was read for five minutes',
    series: {},
    at: 6,
    fires: { description: 'Nothing was read from any replica for five minutes.' },
  },
  {
    alert: 'SallyportGatewayAbsent',
    when: 'while one replica is read',
    series: { 'sallyport_gateway_sockets{state="open"}': steady(0) },
    at: 60,
  },
];

/** All of them but those about handshakes and certificates, which others have too. */
export const GATEWAY_CASES: readonly AlertCase[] = [
  ...logins,
  ...administration,
  ...anomalies,
  ...rest,
];
