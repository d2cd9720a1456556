/*
 * A histogram that is counted elsewhere, as Prometheus text (exposition format 0.0.4). Our registry observes values one
 * by one; the packet worker counts millions per second in shared memory.
 */

/** Buckets as they are counted: how many values fell into each, the last above all bounds. */
export interface CountedHistogram {
  readonly name: string;
  readonly help: string;
  /** Ascending; one fewer than `counts`. */
  readonly bounds: readonly number[];
  readonly counts: readonly number[];
  /** Of all values. */
  readonly sum: number;
}

/** Its lines, each with a line end. */
export function histogramText({ name, help, bounds, counts, sum }: CountedHistogram): string {
  let cumulative = 0;
  const buckets = counts.map((count, at) => {
    cumulative += count;
    return `${name}_bucket{le="${bounds[at] ?? '+Inf'}"} ${cumulative}`;
  });
  const lines = [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} histogram`,
    ...buckets,
    `${name}_sum ${sum}`,
    `${name}_count ${cumulative}`,
  ];
  return `${lines.join('\n')}\n`;
}
