import { ApiError } from './api-error.js';
import type { ObjectRef } from './object.js';

/** One write of the operator, for its audit log: one per call, also of those that failed. */
export interface WriteRecord {
  readonly verb: 'create' | 'update' | 'patch' | 'delete';
  readonly ref: ObjectRef;
  readonly subresource?: 'status';
  /** UID of the object; absent when the call failed before there was one. */
  readonly uid?: string;
  /** Version after the write; absent when it failed or deleted. */
  readonly resourceVersion?: string;
  /** `unknown`: no answer came, so it may have been done. */
  readonly outcome: 'success' | 'failure' | 'unknown';
  /** Why it was made, or why it failed. */
  readonly reason: string;
}

/** Takes each record; must not throw. */
export type OnWrite = (record: WriteRecord) => void;

/** Whether a failed call may have been carried out all the same. */
export function outcomeOf(error: unknown): {
  readonly outcome: 'failure' | 'unknown';
  readonly reason: string;
} {
  if (!(error instanceof ApiError)) return { outcome: 'unknown', reason: 'NoAnswer' };
  return { outcome: error.code === 0 ? 'unknown' : 'failure', reason: error.reason || error.kind };
}
