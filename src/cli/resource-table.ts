import type { CommonStatus, Condition } from '../kubernetes/plan.js';
import type { KubernetesObject } from '../kubernetes/object.js';
import { plainText } from '../runtime/json-line.js';

/** One resource as the table shows it. */
export interface ResourceRow {
  readonly kind: string;
  readonly name: string;
  readonly ready: string;
  readonly reason: string;
  readonly message: string;
  /** Objects made for it. */
  readonly objects: number;
}

/** The row of `resource`, for which `objects` objects were made. */
export function rowOf(resource: KubernetesObject, objects: number): ResourceRow {
  const { name, namespace = '' } = resource.metadata;
  return { kind: resource.kind, name: `${namespace}/${name}`, ...verdictOf(resource), objects };
}

function verdictOf(resource: KubernetesObject): Pick<ResourceRow, 'ready' | 'reason' | 'message'> {
  const status = resource['status'] as Partial<CommonStatus> | undefined;
  const waiting = { ready: 'Unknown', reason: 'Waiting', message: '' };
  if (status?.observedGeneration !== resource.metadata.generation) return waiting;
  const shown = shownCondition(status?.conditions ?? []);
  return shown ? { ready: shown.status, reason: shown.reason, message: shown.message } : waiting;
}

/** Stalled tells more than the Ready=False that comes with it. */
function shownCondition(conditions: readonly Condition[]): Condition | undefined {
  const stalled = conditions.find(({ type, status }) => type === 'Stalled' && status === 'True');
  const ready = conditions.find(({ type }) => type === 'Ready');
  return stalled ? { ...stalled, status: ready?.status ?? 'False' } : ready;
}

/** Whether `resource` says in its present form that it cannot go on until it is changed. */
export function isStalled(resource: KubernetesObject): boolean {
  const status = resource['status'] as Partial<CommonStatus> | undefined;
  if (status?.observedGeneration !== resource.metadata.generation) return false;
  return (status?.conditions ?? []).some(
    ({ type, status }) => type === 'Stalled' && status === 'True',
  );
}

/** Whether `resource` says in its present form that it is ready. */
export function isReady(resource: KubernetesObject): boolean {
  return verdictOf(resource).ready === 'True';
}

const HEADINGS: ResourceRow = {
  kind: 'KIND',
  name: 'NAME',
  ready: 'READY',
  reason: 'REASON',
  message: 'MESSAGE',
  objects: 0,
};

/** Longest cell of each column but the last, which takes what is left of `width`. */
const CELL_CHARACTERS = 40;
const LEAST_MESSAGE_CHARACTERS = 20;

/** The table as lines of at most `width` characters (0: as long as they are), headings first. */
export function tableLines(rows: readonly ResourceRow[], width: number): string[] {
  const all = [HEADINGS, ...rows].map((row, index) => [
    ...[
      row.kind,
      row.name,
      row.ready,
      index === 0 ? 'OBJECTS' : String(row.objects),
      row.reason,
    ].map((cell) => plainText(cell, CELL_CHARACTERS)),
    row.message,
  ]);
  const widths = [0, 1, 2, 3, 4].map((column) =>
    Math.max(...all.map((cells) => cells[column]?.length ?? 0)),
  );
  const used = widths.reduce((sum, one) => sum + one + 2, 0);
  const left =
    width === 0 ? Number.MAX_SAFE_INTEGER : Math.max(LEAST_MESSAGE_CHARACTERS, width - used);
  return all.map((cells) => {
    const columns = widths.map((one, column) => (cells[column] ?? '').padEnd(one));
    return [...columns, plainText(cells[5] ?? '', left)].join('  ').trimEnd();
  });
}

/** The rows of `after` that changed since `before`: for output that is no terminal. */
export function changedRows(
  before: readonly ResourceRow[],
  after: readonly ResourceRow[],
): readonly ResourceRow[] {
  const lines = new Map(before.map((row) => [`${row.kind}/${row.name}`, rowLine(row)]));
  return after.filter((row) => lines.get(`${row.kind}/${row.name}`) !== rowLine(row));
}

/** One row as one line. */
export function rowLine({ kind, name, ready, reason, objects, message }: ResourceRow): string {
  const text = message === '' ? '' : `: ${plainText(message, 256)}`;
  return `${kind} ${name} Ready=${ready} ${reason} (${objects} objects)${text}`;
}
