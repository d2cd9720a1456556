import { ApiError } from './api-error.js';
import type { Standing } from './conditions.js';
import { ANNOTATION_ADOPT } from './metadata.js';
import { keyId } from './object.js';
import type { ObjectRef } from './object.js';

/** An object of the plan that could not be carried out. */
export interface ChildFailure {
  readonly ref: ObjectRef;
  readonly error: Error;
}

/** An object that somebody else made stands where a plan wants one. */
export class ForeignObject extends Error {
  override readonly name = 'ForeignObject';

  constructor(readonly ref: ObjectRef) {
    super(`${ref.kind} ${keyId(ref)} exists and was not made for this resource`);
  }
}

/** A stalled resource is looked at again after this long: what is in its way has no watch. */
export const LOOK_AGAIN_MS = 60_000;

/** Where a resource stands when objects failed: the first that somebody must act on speaks. Undefined without any. */
export function failureStanding(failures: readonly ChildFailure[]): Standing | undefined {
  const standings = failures.map(standingOf);
  return standings.find(({ state }) => state === 'Stalled') ?? standings[0];
}

/** Whether trying again soon can help, without anybody changing anything. */
export function isPassing({ ref, error }: ChildFailure): boolean {
  return standingOf({ ref, error }).state === 'Progressing';
}

function standingOf({ ref, error }: ChildFailure): Standing {
  const what = `${ref.kind} ${ref.name}`;
  if (error instanceof ForeignObject) {
    return {
      state: 'Stalled',
      reason: 'ForeignObject',
      message: `${ref.kind} ${keyId(ref)} exists and was not made for this resource. ${foreignRemedy(ref)}`,
    };
  }
  if (error instanceof ApiError && (error.kind === 'Invalid' || error.kind === 'BadRequest')) {
    return {
      state: 'Stalled',
      reason: 'ObjectRejected',
      message: `The API server rejects ${what}: ${serverMessage(ref, error)}`,
    };
  }
  if (error instanceof ApiError && error.kind === 'Forbidden') {
    return {
      state: 'Stalled',
      reason: 'ObjectForbidden',
      message: `${what} is not allowed; check quotas, admission policies and the operator's roles: ${serverMessage(ref, error)}`,
    };
  }
  const why = error instanceof ApiError ? error.kind : error.name;
  return {
    state: 'Progressing',
    reason: 'ApplyFailed',
    message: `${what} could not be applied (${why}); it is tried again.`,
  };
}

/** Secrets are never taken over (decideSeizure). */
function foreignRemedy({ kind }: ObjectRef): string {
  return kind === 'Secret'
    ? 'Rename or delete it: a Secret is never taken over.'
    : `Rename or delete it, or set the annotation ${ANNOTATION_ADOPT}: "true" on it and here to take it over.`;
}

/** A server may repeat the value that it rejects: of a Secret nothing is passed on. */
function serverMessage(ref: ObjectRef, error: ApiError): string {
  return ref.kind === 'Secret' ? error.reason : error.message;
}
