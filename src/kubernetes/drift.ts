import { timestamp } from './conditions.js';
import type { DriftReason } from './conditions.js';
import { FIELD_MANAGER } from './metadata.js';
import type { KubernetesObject, ManagedFieldsEntry } from './object.js';
import { diffPaths, managersOf } from './field-diff.js';
import { formatPath, type FieldPath } from './field-path.js';
import type { Verdict } from './plan.js';
import { byCodeUnit } from '../runtime/order.js';

/** One entry of `status.drift`: what somebody changed and we put back. */
export interface DriftRecord {
  readonly kind: string;
  readonly name: string;
  /** `spec.template.spec.containers[name=gateway].image`, or `(object)` when the whole object was deleted. */
  readonly field: string;
  /** Field manager that changed it, as managedFields names it; `unknown` when it left no trace. */
  readonly manager: string;
  /** When it was last put back. */
  readonly at: string;
  readonly reverts: number;
}

/** What was found different from what we applied. */
export type Drift = Pick<DriftRecord, 'kind' | 'name' | 'field' | 'manager'>;

/** After this many reverts of one field by one manager, each soon after the other, we stop. */
export const FIGHT_REVERTS = 5;
/** Reverts further apart than this are not the same quarrel. */
export const FIGHT_WINDOW_MS = 10 * 60_000;
/** How long a fought field is left before one more try. */
export const FIGHT_QUIET_MS = 60 * 60_000;
/** After this long, a quarrel is forgotten. */
export const FIGHT_FORGOTTEN_MS = 24 * 60 * 60_000;
/** The most entries of `status.drift`; the oldest go first. */
export const MAX_DRIFT_RECORDS = 16;
/** The most fields of one object that are recorded at once. */
const MAX_FIELDS = 4;
const MAX_FIELD_CHARS = 253;
const MAX_MANAGER_CHARS = 128;

/** `field` of the record of a deleted object. Deleting is never a fight: without the object nothing works. */
export const WHOLE_OBJECT = '(object)';

/**
 * Who changed what, from the live object. `certain`: we had applied exactly `desired` before, so every difference is
 * drift; otherwise only what another manager now owns is, and the rest is our own change of mind.
 */
export function attributeDrift(
  desired: KubernetesObject,
  live: KubernetesObject,
  certain: boolean,
): readonly Drift[] {
  const { kind, metadata } = desired;
  return diffPaths(desired, live)
    .map((path) => ({ path, manager: managerOf(live, path) }))
    .filter(({ manager }) => certain || manager !== undefined)
    .slice(0, MAX_FIELDS)
    .map(({ path, manager }) => ({
      kind,
      name: metadata.name,
      field: fieldOf(path),
      manager: (manager ?? newestOther(live.metadata.managedFields)).slice(0, MAX_MANAGER_CHARS),
    }));
}

/** `records` after `drifts` were put back at `now`. */
export function recordDrift(
  records: readonly DriftRecord[],
  drifts: readonly Drift[],
  now: Date,
): readonly DriftRecord[] {
  if (drifts.length === 0) return records;
  const added = drifts.map((drift) => ({
    ...drift,
    at: timestamp(now),
    reverts: revertsBefore(findRecord(records, drift), now) + 1,
  }));
  const kept = records.filter((record) => !drifts.some((drift) => isSame(record, drift)));
  return [...added, ...kept].sort((a, b) => byCodeUnit(b.at, a.at)).slice(0, MAX_DRIFT_RECORDS);
}

/** The first of `drifts` that is a fight now: it is left as it is. */
export function foughtDrift(
  records: readonly DriftRecord[],
  drifts: readonly Drift[],
  now: Date,
): DriftRecord | undefined {
  return drifts
    .map((drift) => findRecord(records, drift))
    .find((record) => record !== undefined && isFight(record, now));
}

/** Whether `record` is a quarrel that we have left and not yet tried again. */
export function isFight(record: DriftRecord, now: Date): boolean {
  return (
    record.field !== WHOLE_OBJECT &&
    record.reverts >= FIGHT_REVERTS &&
    ageMs(record, now) < FIGHT_QUIET_MS
  );
}

/** Milliseconds until a left field is tried again. */
export function fightEndsInMs(record: DriftRecord, now: Date): number {
  return Math.max(0, FIGHT_QUIET_MS - ageMs(record, now));
}

/** `records` without quarrels: the resource was edited since, so its author has spoken again. */
export function forgetFights(records: readonly DriftRecord[]): readonly DriftRecord[] {
  return records.filter((record) => record.reverts < FIGHT_REVERTS);
}

/** `DriftDetected`; undefined while nobody has ever touched anything. `left`: fields that are left as they are now. */
export function driftVerdict(
  records: readonly DriftRecord[],
  left: readonly Drift[],
): Verdict<'DriftDetected', DriftReason> | undefined {
  const [fought] = left;
  if (fought) {
    const { kind, name, field, manager } = fought;
    return {
      type: 'DriftDetected',
      status: 'True',
      reason: 'FightDetected',
      message: `${manager} keeps changing ${field} of ${kind} ${name}; it is left as it is. Stop ${manager} from writing it, or set the value in this resource's spec.`,
    };
  }
  const [last] = records;
  if (!last) return undefined;
  return {
    type: 'DriftDetected',
    status: 'False',
    reason: 'DriftRepaired',
    message: `${last.field} of ${last.kind} ${last.name} was changed by ${last.manager} and put back at ${last.at}. Change this resource's spec instead.`,
  };
}

/** The path as text. Empty: nothing is ours, because somebody has emptied managedFields. */
function fieldOf(path: FieldPath): string {
  return formatPath(path).slice(0, MAX_FIELD_CHARS) || 'metadata.managedFields';
}

/** Another manager that owns the value at `path`, the newest first; undefined when only we do, or nobody. */
function managerOf(live: KubernetesObject, path: FieldPath): string | undefined {
  const others = managersOf(live, path).filter((owner) => owner.manager !== FIELD_MANAGER);
  return [...others].sort((a, b) => byCodeUnit(b.time ?? '', a.time ?? ''))[0]?.manager;
}

/** A removed field has no owner any more: whoever wrote last is the likeliest. */
function newestOther(entries: readonly ManagedFieldsEntry[] | undefined): string {
  const others = (entries ?? []).filter(
    (entry) => entry.manager !== FIELD_MANAGER && entry.subresource === undefined,
  );
  const [newest] = others.sort((a, b) => byCodeUnit(b.time ?? '', a.time ?? ''));
  return newest?.manager ?? 'unknown';
}

function revertsBefore(record: DriftRecord | undefined, now: Date): number {
  if (!record) return 0;
  const wasFight = record.reverts >= FIGHT_REVERTS;
  return ageMs(record, now) <= (wasFight ? FIGHT_FORGOTTEN_MS : FIGHT_WINDOW_MS)
    ? record.reverts
    : 0;
}

function findRecord(records: readonly DriftRecord[], drift: Drift): DriftRecord | undefined {
  return records.find((record) => isSame(record, drift));
}

function isSame(a: Drift, b: Drift): boolean {
  return a.kind === b.kind && a.name === b.name && a.field === b.field && a.manager === b.manager;
}

function ageMs(record: DriftRecord, now: Date): number {
  return now.getTime() - Date.parse(record.at);
}
