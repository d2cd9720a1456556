/** One figure of a bench: a JSON line, and a row of the table at the end. */
export interface Metric {
  readonly bench: string;
  readonly metric: string;
  readonly value: number;
  readonly unit: string;
  /** The range, where the value is a median. */
  readonly least?: number;
  readonly most?: number;
  /** How many gateways the figure was taken with. */
  readonly size?: number;
  readonly packet_bytes?: number;
  readonly flows?: number;
  /** Datagrams that are sent as one with UDP_SEGMENT. */
  readonly burst?: number;
  /** Sessions held at one time. */
  readonly sessions?: number;
  /** Connections that are open. */
  readonly sockets?: number;
  readonly spoofed_per_second?: number;
  /** Cryptographic back end, or kind of storage. */
  readonly backend?: string;
  /** Decoder that was fed. */
  readonly decoder?: string;
  /** What others or the target say, in the same unit. */
  readonly reference?: string;
}

/** The line that a machine reads. */
export function jsonLine(metric: Metric): string {
  const { value, least, most } = metric;
  return JSON.stringify({
    ...metric,
    value: rounded(value),
    ...(least !== undefined && { least: rounded(least) }),
    ...(most !== undefined && { most: rounded(most) }),
  });
}

/** The table that a person reads: one row per metric. */
export function table(metrics: readonly Metric[]): string {
  const rows = metrics.map((metric) => [
    metric.metric,
    conditionsOf(metric),
    `${rounded(metric.value)}`,
    rangeOf(metric),
    metric.unit,
    metric.reference ?? '',
  ]);
  const all = [['metric', 'with', 'value', 'range', 'unit', 'reference'], ...rows];
  const widths = all[0]!.map((_, column) => Math.max(...all.map((row) => row[column]!.length)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) =>
        column === 2 ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!),
      )
      .join('  ')
      .trimEnd();
  return all.map(line).join('\n');
}

/** The `percent`-th percentile (nearest rank) of `values`. @throws RangeError when there is none. */
export function percentile(values: readonly number[], percent: number): number {
  if (values.length === 0) throw new RangeError('no values');
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)]!;
}

/** The median (nearest rank) of `values`. @throws RangeError when there is none. */
export const median = (values: readonly number[]): number => percentile(values, 50);

/** What the figure was taken with, in a few words. */
function conditionsOf(metric: Metric): string {
  const parts: readonly (readonly [number | string | undefined, string])[] = [
    [metric.size, 'gateways'],
    [metric.packet_bytes, 'B'],
    [metric.flows, 'flows'],
    [metric.burst, 'in a burst'],
    [metric.sessions, 'sessions'],
    [metric.sockets, 'sockets'],
    [metric.spoofed_per_second, 'spoofed/s'],
    [metric.backend, ''],
    [metric.decoder, ''],
  ];
  return parts
    .filter(([value]) => value !== undefined)
    .map(([value, unit]) => `${value} ${unit}`.trim())
    .join(', ');
}

function rangeOf({ least, most }: Metric): string {
  if (least === undefined || most === undefined || least === most) return '';
  return `${rounded(least)} to ${rounded(most)}`;
}

function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
