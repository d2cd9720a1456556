/* What several programs are warned of: handshakes that fail, certificates that end. */
import { rising, steady, type AlertCase } from './promtool.js';

const shakes = (outcome: string) => `sallyport_handshakes_total{outcome="${outcome}"}`;
const DAY_S = 86_400;
/** Minutes of a day and two hours, in which one handshake fails each second. */
const LEARNT = 26 * 60;

const surge = (perMinute: number) => ({
  [shakes('failure')]: rising([60, LEARNT], [perMinute, 30]),
});

/** For alerts `SallyportNAMEFailureSurge` and `SallyportNAMEFailureRatio`. */
export function handshakeCases(name: string): readonly AlertCase[] {
  const [surges, ratio] = [`Sallyport${name}FailureSurge`, `Sallyport${name}FailureRatio`];
  return [
    {
      alert: surges,
      when: 'at 4.7 deviations above the day before',
      series: surge(130),
      at: LEARNT + 15,
      fires: { description: 'The rate of failures is 4.667 deviations above its mean.' },
    },
    {
      alert: surges,
      when: 'at 3.3 deviations',
      series: surge(110),
      at: LEARNT + 15,
    },
    {
      alert: surges,
      when: 'when three fail in a quarter of an hour after a quiet day',
      series: { [shakes('failure')]: rising([0, LEARNT], [0.2, 30]) },
      at: LEARNT + 15,
    },
    {
      alert: ratio,
      when: 'when 21 % fail',
      series: { [shakes('failure')]: rising([21, 90]), [shakes('success')]: rising([79, 90]) },
      at: 15,
      fires: { description: '21% of them failed.' },
    },
    {
      alert: ratio,
      when: 'when 19 % fail',
      series: { [shakes('failure')]: rising([19, 90]), [shakes('success')]: rising([81, 90]) },
      at: 60,
    },
    {
      alert: ratio,
      when: 'when half of a few fail',
      series: { [shakes('failure')]: rising([3, 90]), [shakes('success')]: rising([3, 90]) },
      at: 60,
    },
  ];
}

const certificate =
  'sallyport_certificate_not_after_timestamp_seconds{exported_namespace="demo",secret="edge-tls",purpose="public"}';
const labels = { exported_namespace: 'demo', secret: 'edge-tls', purpose: 'public' };
const ends = (left: string) => ({
  labels,
  description: `The certificate public in Secret edge-tls ends in ${left}.`,
});

/** For alerts `SallyportOFCertificate...`. The first value is of second 0, each question of minute 15. */
export function certificateCases(of: 'Gateway' | 'Relay' | 'Operator'): readonly AlertCase[] {
  const named = (rest: string) => `Sallyport${of}Certificate${rest}`;
  const at = 15;
  const until = (seconds: number) => ({ [certificate]: steady(seconds) });
  return [
    {
      alert: named('RenewalOverdue'),
      when: 'less than nine days before the end',
      series: until(9 * DAY_S - 60),
      at,
      fires: ends('8d 23h 44m 0s'),
    },
    {
      alert: named('RenewalOverdue'),
      when: 'more than nine days before the end',
      series: until(9 * DAY_S + 960),
      at,
    },
    {
      alert: named('EndsWithinWeek'),
      when: 'less than a week before the end',
      series: until(7 * DAY_S - 60),
      at,
      fires: ends('6d 23h 44m 0s'),
    },
    {
      alert: named('EndsWithinWeek'),
      when: 'more than a week before the end',
      series: until(7 * DAY_S + 960),
      at,
    },
    {
      alert: named('EndsWithinDay'),
      when: 'less than a day before the end',
      series: until(DAY_S + 840),
      at,
      fires: ends('23h 59m 0s'),
    },
    {
      alert: named('EndsWithinDay'),
      when: 'more than a day before the end',
      series: until(DAY_S + 960),
      at,
    },
    ...(of === 'Operator' ? [] : unknown(named('Unknown'))),
  ];
}

function unknown(alert: string): readonly AlertCase[] {
  return [
    {
      alert,
      when: 'when no certificate is shown for ten minutes',
      series: {},
      at: 11,
      fires: { description: 'No series of job edge names a certificate.' },
    },
    { alert, when: 'while one is shown', series: { [certificate]: steady(DAY_S) }, at: 60 },
  ];
}
