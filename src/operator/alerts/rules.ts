/* Rules of Prometheus as data. What Prometheus and prometheus-operator read has the same field names. */

/** How loud: `warning` and `critical` want a person, `info` is only seen on dashboards. */
export type Severity = 'info' | 'warning' | 'critical';

/** An alerting rule. Times are texts of Prometheus, like `5m`. */
export interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  /** Keeps an alert that flaps; since Prometheus 2.42. */
  readonly keep_firing_for?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** A recording rule. */
export interface RecordingRule {
  readonly record: string;
  readonly expr: string;
}

/** Rules that are evaluated one after the other. */
export interface RuleGroup {
  readonly name: string;
  readonly interval?: string;
  readonly rules: readonly (AlertRule | RecordingRule)[];
}

/** The series of one program: its namespace and the name of the Service by which it is scraped. */
export interface Scraped {
  readonly namespace: string;
  readonly job: string;
}

/** Where the pages of docs/runbooks are read. */
export interface Runbooks {
  /** Without a slash at its end. */
  readonly baseUrl: string;
}

/** What an alert says besides its expression. */
export interface AlertWords {
  readonly severity: Severity;
  /** Of an incident, 1 to 4 (seed B). */
  readonly level: 1 | 2 | 3 | 4;
  /** Alerts about one thing have one signal: the critical one mutes the others. */
  readonly signal: string;
  /** Without figures, so that a group of alerts reads as one. */
  readonly summary: string;
  /** With `{{ $value }}`. */
  readonly description: string;
}

/** An alerting rule named `Sallyport` and `name`, with the page `name` of the runbooks. */
export function alertRule(
  name: string,
  rule: Pick<AlertRule, 'expr' | 'for' | 'keep_firing_for'>,
  { severity, level, signal, summary, description }: AlertWords,
  { baseUrl }: Runbooks,
): AlertRule {
  const alert = `Sallyport${name}`;
  return {
    alert,
    ...rule,
    labels: { severity, incident_level: String(level), signal },
    annotations: { summary, description, runbook_url: `${baseUrl}/${alert}.md` },
  };
}

/** Label matchers of the series of one program, without braces. */
export function seriesOf({ namespace, job }: Scraped): string {
  return `namespace=${JSON.stringify(namespace)},job=${JSON.stringify(job)}`;
}
