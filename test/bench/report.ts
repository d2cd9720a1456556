/** One figure of a bench: a JSON line, and a row of the table at the end. */
export interface Metric {
  readonly bench: string;
  readonly metric: string;
  readonly value: number;
  readonly unit: string;
  /** How many gateways the figure was taken with. */
  readonly size?: number;
  /** What others or the target say, in the same unit. */
  readonly reference?: string;
}

/** The line that a machine reads. */
export function jsonLine(metric: Metric): string {
  return JSON.stringify({ ...metric, value: rounded(metric.value) });
}

/** The table that a person reads: one row per metric. */
export function table(metrics: readonly Metric[]): string {
  const rows = metrics.map(({ metric, size, value, unit, reference }) => [
    metric,
    size === undefined ? '' : `${size}`,
    `${rounded(value)}`,
    unit,
    reference ?? '',
  ]);
  const all = [['metric', 'gateways', 'value', 'unit', 'reference'], ...rows];
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

function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
