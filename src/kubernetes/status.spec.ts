import { describe, expect, it } from '@jest/globals';
import { ApiError } from './api-error.js';
import type { ApiErrorKind } from './api-error.js';
import { failureStanding, ForeignObject, isPassing } from './child-failures.js';
import { commonConditions, conditionsOf } from './conditions.js';
import type { DriftRecord } from './drift.js';
import type { CommonStatus } from './plan.js';
import { completeStatus, driftRecordsOf, statusHash } from './status.js';

const NOON = new Date('2030-01-01T12:00:00Z');
const LATER = new Date('2030-01-01T13:00:00Z');
const ref = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'talk', name: 'edge' };
const secret = { ...ref, kind: 'Secret' };

function planned(state: 'Ready' | 'Stalled' = 'Ready'): CommonStatus {
  const verdicts = commonConditions({ state, reason: 'Applied', message: 'planned' });
  return {
    observedGeneration: 1,
    conditions: conditionsOf([], verdicts, { generation: 1, now: NOON }),
  };
}

function apiError(kind: ApiErrorKind, message = 'why'): ApiError {
  return new ApiError({ kind, code: 422, reason: kind, message, causes: [] });
}

const record: DriftRecord = {
  kind: 'ConfigMap',
  name: 'edge',
  field: 'data.text',
  manager: 'kubectl',
  at: '2030-01-01T12:00:00Z',
  reverts: 5,
};

const quiet = { failures: [], records: [], left: [], generation: 1, now: LATER };

describe('a failure of an object', () => {
  it.each([
    ['a foreign object', new ForeignObject(ref), 'Stalled', 'ForeignObject'],
    ['a rejected object', apiError('Invalid'), 'Stalled', 'ObjectRejected'],
    ['a forbidden object', apiError('Forbidden'), 'Stalled', 'ObjectForbidden'],
    ['an API server that is away', apiError('Network'), 'Progressing', 'ApplyFailed'],
    ['a conflict', apiError('Conflict'), 'Progressing', 'ApplyFailed'],
    ['anything else', new Error('boom'), 'Progressing', 'ApplyFailed'],
  ])('%s is %s', (_, error, state, reason) => {
    expect(failureStanding([{ ref, error }])).toMatchObject({ state, reason });
    expect(isPassing({ ref, error })).toBe(state === 'Progressing');
  });

  it('that somebody must act on speaks before one that passes', () => {
    const failures = [
      { ref, error: apiError('Network') },
      { ref, error: new ForeignObject(ref) },
    ];
    expect(failureStanding(failures)?.reason).toBe('ForeignObject');
  });

  it('S21: of a Secret passes on nothing that the server repeated', () => {
    const error = apiError('Invalid', 'data[key]: Invalid value: "canary-7f3a"');
    expect(failureStanding([{ ref: secret, error }])?.message).not.toContain('canary-7f3a');
    expect(failureStanding([{ ref, error }])?.message).toContain('canary-7f3a');
  });
});

describe('the status to write', () => {
  it('is the planned one when nothing failed and nothing drifted', () => {
    const status = planned();
    expect(completeStatus(status, undefined, quiet)).toBe(status);
  });

  it('says what failed in place of Ready', () => {
    const failures = [{ ref, error: new ForeignObject(ref) }];
    const { conditions } = completeStatus(planned(), undefined, { ...quiet, failures });
    expect(conditions).toMatchObject([
      { type: 'Ready', status: 'False', reason: 'ForeignObject' },
      { type: 'Reconciling', status: 'False' },
      { type: 'Stalled', status: 'True', reason: 'ForeignObject' },
    ]);
  });

  it('keeps the reason of a room that is stalled itself', () => {
    const failures = [{ ref, error: apiError('Network') }];
    const { conditions } = completeStatus(planned('Stalled'), undefined, { ...quiet, failures });
    expect(conditions[2]).toMatchObject({ status: 'True', reason: 'Applied' });
  });

  it('keeps the transition time of what stands while a failure lasts', () => {
    const failures = [{ ref, error: new ForeignObject(ref) }];
    const first = completeStatus(planned(), undefined, { ...quiet, failures, now: NOON });
    const second = completeStatus(planned(), first, { ...quiet, failures });
    expect(second).toEqual(first);
    expect(statusHash(second)).toBe(statusHash(first));
  });

  it('lists drift, and forgets fights of an earlier generation', () => {
    const status = completeStatus(planned(), undefined, {
      ...quiet,
      records: [record],
      left: [record],
    });
    expect(status).toMatchObject({ drift: [record] });
    expect(status.conditions.at(-1)).toMatchObject({ type: 'DriftDetected', status: 'True' });
    expect(driftRecordsOf(status, 1)).toEqual([record]);
    expect(driftRecordsOf(status, 2)).toEqual([]);
    expect(driftRecordsOf(undefined, 1)).toEqual([]);
  });
});

describe('the hash of a status', () => {
  it('does not depend on the order of fields, nor on fields of our other managers', () => {
    expect(statusHash({ a: 1, b: 2, policyBundle: { serial: 3 } })).toBe(
      statusHash({ b: 2, a: 1 }),
    );
    expect(statusHash({ a: 1 })).not.toBe(statusHash({ a: 2 }));
    expect(statusHash(undefined)).toBe(statusHash({}));
  });
});
