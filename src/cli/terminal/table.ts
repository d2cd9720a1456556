import { plainText } from '../../runtime/json-line.js';

/** Longest cell: a fingerprint has 35 characters, a name 64. */
const CELL_CHARACTERS = 72;

/** Rows as lines, columns aligned, `headings` first. No cell can draw on a terminal. */
export function columns(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
): readonly string[] {
  const all = [headings, ...rows].map((row) => row.map((cell) => plainText(cell, CELL_CHARACTERS)));
  const widths = headings.map((_, i) => Math.max(...all.map((row) => row[i]?.length ?? 0)));
  return all.map((row) =>
    widths
      .map((width, i) => (row[i] ?? '').padEnd(width))
      .join('  ')
      .trimEnd(),
  );
}

/** `name  value` lines. */
export function pairs(values: readonly (readonly [string, string])[]): readonly string[] {
  const width = Math.max(0, ...values.map(([name]) => name.length));
  return values.map(([name, value]) => `${name.padEnd(width)}  ${plainText(value, 256)}`);
}

/** A moment to the minute, UTC. */
export const minute = (unixMs: number): string =>
  `${new Date(unixMs).toISOString().slice(0, 16).replace('T', ' ')} UTC`;

/** A day, UTC. */
export const day = (unixMs: number): string => new Date(unixMs).toISOString().slice(0, 10);

/** Counts by reason as JSON shows them. */
export const counted = (counts: ReadonlyMap<string, number>): Readonly<Record<string, number>> =>
  Object.fromEntries(counts);

/** Counts by reason as text; `none` if there are none. */
export const countsText = (counts: ReadonlyMap<string, number>): string =>
  counts.size === 0 ? 'none' : [...counts].map(([reason, n]) => `${n} ${reason}`).join(', ');
