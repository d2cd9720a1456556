/* When certificates end: reference/alerting.md, 5.3, A6. */
import { alertRule, type AlertRule, type Runbooks } from './rules.js';
import { CERTIFICATES } from './thresholds.js';

const METRIC = 'sallyport_certificate_not_after_timestamp_seconds';
// Prometheus keeps the namespace that a program itself names beside that of the program.
const BY = 'by (namespace,job,exported_namespace,secret,purpose)';

/**
 * When the certificates in `s` end, for what is named `of`. A gateway and a relay always have one, so that to
 * show none is an alert too; an operator has none before there is a resource.
 */
export function certificateRules(
  of: 'Gateway' | 'Relay' | 'Operator',
  s: string,
  runbooks: Runbooks,
): readonly AlertRule[] {
  const left = `min ${BY} (${METRIC}{${s}}) - time()`;
  const { overdueSeconds, warningSeconds, criticalSeconds } = CERTIFICATES;
  const words = {
    signal: 'certificates',
    summary: 'A certificate ends soon.',
    description:
      'The certificate {{ $labels.purpose }} in Secret {{ $labels.secret }} ends in {{ $value | humanizeDuration }}.',
  };
  return [
    alertRule(
      `${of}CertificateRenewalOverdue`,
      { expr: `${left} < ${overdueSeconds}`, for: '10m' },
      { severity: 'info', level: 1, ...words },
      runbooks,
    ),
    alertRule(
      `${of}CertificateEndsWithinWeek`,
      { expr: `${left} < ${warningSeconds}`, for: '10m' },
      { severity: 'warning', level: 1, ...words },
      runbooks,
    ),
    alertRule(
      `${of}CertificateEndsWithinDay`,
      { expr: `${left} < ${criticalSeconds}` },
      { severity: 'critical', level: 2, ...words },
      runbooks,
    ),
    ...(of === 'Operator' ? [] : [unknown(of, s, runbooks)]),
  ];
}

function unknown(of: 'Gateway' | 'Relay', s: string, runbooks: Runbooks): AlertRule {
  return alertRule(
    `${of}CertificateUnknown`,
    { expr: `absent(${METRIC}{${s}})`, for: '10m' },
    {
      severity: 'warning',
      level: 1,
      signal: 'certificates',
      summary: 'Nobody says when a certificate ends.',
      description: 'No series of job {{ $labels.job }} names a certificate.',
    },
    runbooks,
  );
}
