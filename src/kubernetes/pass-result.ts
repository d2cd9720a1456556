import { isApiError } from './api-error.js';
import { isPassing, LOOK_AGAIN_MS } from './child-failures.js';
import type { ChildFailure } from './child-failures.js';
import type { ApplyOutcome, Pass } from './child.applier.js';
import type { CarriedOut } from './cluster.js';
import type { Drift } from './drift.js';
import { Fenced } from './leader-lease.js';
import type { When } from './look-again.js';
import { refId } from './object.js';
import type { ObjectRef } from './object.js';
import type { PlannedEvent } from './plan.js';
import { byCodeUnit } from '../runtime/order.js';

/** Of a resource that is being deleted. */
export const NOTHING: CarriedOut = { applied: [], pruned: [], failed: [], statusWritten: false };

/** What a pass has done so far. */
export class Progress implements CarriedOut {
  readonly applied: ObjectRef[] = [];
  readonly pruned: ObjectRef[] = [];
  readonly failed: ChildFailure[] = [];
  readonly outcomes: { readonly kind: string; readonly outcome: ApplyOutcome | 'Failed' }[] = [];
  statusWritten = false;

  get changedSomething(): boolean {
    return this.statusWritten || this.applied.length > 0 || this.pruned.length > 0;
  }

  /** Keeps a failure of one object and goes on. @throws Fenced: then nothing may go on */
  fail(ref: ObjectRef, error: unknown): void {
    if (error instanceof Fenced) throw error;
    this.failed.push({ ref, error: asError(error) });
    this.outcomes.push({ kind: ref.kind, outcome: 'Failed' });
  }
}

/** Somebody else was faster: nothing is wrong, and drift is to be repaired within a second. */
const AFTER_CONFLICT_MS = 200;

/**
 * Conflicts are tried again at once, and do not make later delays grow; what else may pass is tried again with growing
 * delays; what somebody must act on has no watch.
 */
export function whenToLook(failure: ChildFailure): When {
  const { error } = failure;
  if (isApiError(error, 'Conflict', 'AlreadyExists') || error.name === 'InTransition') {
    return { afterMs: AFTER_CONFLICT_MS };
  }
  return isPassing(failure) ? { backoff: true } : { afterMs: LOOK_AGAIN_MS };
}

/** What was thrown, as an Error. */
export function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

/** In one order, whatever ended first: the status must not change by chance. */
export function sorted(drifts: readonly Drift[]): readonly Drift[] {
  const id = ({ kind, name, field }: Drift): string => `${kind}/${name}/${field}`;
  return [...drifts].sort((a, b) => byCodeUnit(id(a), id(b)));
}

/** What the engine itself has to tell about a pass. */
export function eventsOf(pass: Pass, done: Progress): readonly PlannedEvent[] {
  const repaired = pass.repaired.map(({ kind, name, field, manager }): PlannedEvent => ({
    type: 'Warning',
    reason: 'DriftRepaired',
    note: `${field} of ${kind} ${name} was changed by ${manager} and put back.`,
  }));
  const left = pass.left.map(({ kind, name, field, manager }): PlannedEvent => ({
    type: 'Warning',
    reason: 'FightDetected',
    note: `${manager} keeps changing ${field} of ${kind} ${name}; it is left as it is.`,
  }));
  const failed = done.failed.map(({ ref, error }): PlannedEvent => ({
    type: 'Warning',
    reason: error.name === 'ForeignObject' ? 'ForeignObject' : 'ApplyFailed',
    note: `${refId(ref)} could not be applied.`,
  }));
  return [...repaired, ...left, ...failed];
}
