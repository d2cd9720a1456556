/* What the alerts of a relay pool say on both sides of their thresholds. */
import { jump, rising, steady, type AlertCase } from './promtool.js';

const BYTES = 'sallyport_relay_bytes_total{direction="in"}';
const SKEW = 'sallyport_clock_skew_seconds';
const ANOMALIES = 'sallyport_network_anomalies_total{kind="foreign-drain"}';
/** Values every four minutes, so that a week is short, and two of them in the five minutes that a rate reads. */
const STEP = 4;
const stepsOf = (hours: number) => (hours * 60) / STEP;
const kilobytesPerSecond = (kilobytes: number) => kilobytes * 1_000 * 60 * STEP;
const HOURS_OF_WEEK = 7 * 24;

/** A week and 24 minutes at one rate, then another. */
const changed = (before: number, after: number) => ({
  [BYTES]: rising(
    [kilobytesPerSecond(before), stepsOf(HOURS_OF_WEEK + 0.4)],
    [kilobytesPerSecond(after), stepsOf(3)],
  ),
});
const afterWeek = { step: STEP, at: (HOURS_OF_WEEK + 3) * 60 };

/** Two days at one rate, then another. */
const stopped = (before: number, after: number) => ({
  [BYTES]: rising(
    [kilobytesPerSecond(before), stepsOf(48)],
    [kilobytesPerSecond(after), stepsOf(1)],
  ),
});
const afterDays = { step: STEP, at: 48 * 60 + 20 };

/** All of them but those about handshakes and certificates, which others have too. */
export const RELAY_CASES: readonly AlertCase[] = [
  {
    alert: 'SallyportRelayUsageChanged',
    when: 'at 4.2 times the traffic of a week ago',
    series: changed(200, 840),
    ...afterWeek,
    fires: { description: 'The change is 2.065 doublings.' },
  },
  {
    alert: 'SallyportRelayUsageChanged',
    when: 'at a fifth of the traffic of a week ago',
    series: changed(800, 160),
    ...afterWeek,
    fires: { description: 'The change is 2.315 doublings.' },
  },
  {
    alert: 'SallyportRelayUsageChanged',
    when: 'at 3.8 times the traffic',
    series: changed(200, 760),
    ...afterWeek,
  },
  {
    alert: 'SallyportRelayUsageChanged',
    when: 'while there is little traffic on both sides',
    series: changed(10, 90),
    ...afterWeek,
  },
  {
    alert: 'SallyportRelayUsageChanged',
    when: 'while a pool has no past',
    series: { [BYTES]: rising([kilobytesPerSecond(900), stepsOf(4)]) },
    step: STEP,
    at: 180,
  },
  {
    alert: 'SallyportRelayTrafficStopped',
    when: 'when 200 kB/s became nothing',
    series: stopped(200, 0),
    ...afterDays,
    fires: { description: 'A day ago it was 200k bytes per second.' },
  },
  {
    alert: 'SallyportRelayTrafficStopped',
    when: 'while a tenth still flows',
    series: stopped(200, 20),
    ...afterDays,
  },
  {
    alert: 'SallyportRelayTrafficStopped',
    when: 'when 90 kB/s became nothing',
    series: stopped(90, 0),
    ...afterDays,
  },
  {
    alert: 'SallyportRelayClockSkew',
    when: 'when a clock is 1.5 s behind',
    series: { [SKEW]: steady(-1.5) },
    at: 5,
    fires: { description: 'They are 1.5s apart; from 5 s on there are no leases.' },
  },
  {
    alert: 'SallyportRelayClockSkew',
    when: 'while a clock is 0.9 s ahead',
    series: { [SKEW]: steady(0.9) },
    at: 60,
  },
  {
    alert: 'SallyportRelaySeesAnomalies',
    when: 'at eleven within an hour',
    series: { [ANOMALIES]: jump(11) },
    at: 8,
    fires: { description: '11 anomalies within an hour; label kind of the series says which.' },
  },
  {
    alert: 'SallyportRelaySeesAnomalies',
    when: 'at ten within an hour',
    series: { [ANOMALIES]: jump(10) },
    at: 8,
  },
  {
    alert: 'SallyportRelayPoolAbsent',
    when: 'when nothing was read for five minutes',
    series: {},
    at: 6,
    fires: { description: 'Nothing was read from any of them for five minutes.' },
  },
  {
    alert: 'SallyportRelayPoolAbsent',
    when: 'while one relay is read',
    series: { 'sallyport_relay_sessions{state="open"}': steady(0) },
    at: 60,
  },
];
