/*
 * The processes that stand for pods, as a table.
 */
import type { PodState } from '../standalone/pod.process.js';

const MEBIBYTE = 1_048_576;

/** One line per process, headings first; nothing while there is none. */
export function podLines(pods: readonly PodState[]): string[] {
  if (pods.length === 0) return [];
  const rows = [
    ['PROCESS', 'ADDRESS', 'STATE', 'RESTARTS', 'MEMORY'],
    ...pods.map(({ id, address, phase, ready, restarts, residentBytes }) => [
      id,
      address,
      ready ? 'Ready' : phase,
      String(restarts),
      residentBytes === undefined ? '' : `${Math.round(residentBytes / MEBIBYTE)} MiB`,
    ]),
  ];
  const widths = [0, 1, 2, 3, 4].map((column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** The processes of `after` that changed since `before`; memory is no change, and is not told. */
export function changedPods(
  before: readonly PodState[],
  after: readonly PodState[],
): readonly Omit<PodState, 'residentBytes'>[] {
  const known = new Set(before.map((state) => JSON.stringify(lasting(state))));
  return after.map(lasting).filter((state) => !known.has(JSON.stringify(state)));
}

const lasting = ({ id, address, phase, ready, restarts }: PodState) => ({
  ...{ id, address, phase, ready, restarts },
});
