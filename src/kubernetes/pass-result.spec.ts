import { describe, expect, it } from '@jest/globals';
import { ApiError } from './api-error.js';
import type { ApiErrorKind } from './api-error.js';
import { ForeignObject } from './child-failures.js';
import { Fenced } from './leader-lease.js';
import { Progress, whenToLook } from './pass-result.js';

const ref = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'talk', name: 'edge' };
const failed = (kind: ApiErrorKind) => ({
  ref,
  error: new ApiError({ kind, code: 409, reason: kind, message: 'why', causes: [] }),
});

describe('after a failure', () => {
  it('a conflict is tried again within the second that a repair may take, without growing delays', () => {
    expect(whenToLook(failed('Conflict'))).toEqual({ afterMs: 200 });
  });

  it('an API server that is away is tried again with growing delays', () => {
    expect(whenToLook(failed('Network'))).toEqual({ backoff: true });
  });

  it('what somebody must act on is looked at once a minute', () => {
    expect(whenToLook({ ref, error: new ForeignObject(ref) })).toEqual({ afterMs: 60_000 });
  });

  it('of one object the others go on; after the loss of leadership nothing does', () => {
    const done = new Progress();
    done.fail(ref, new Error('one'));
    expect(done.failed).toHaveLength(1);
    expect(() => {
      done.fail(ref, new Fenced());
    }).toThrow(Fenced);
  });
});
