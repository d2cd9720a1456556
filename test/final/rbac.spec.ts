import { describe, expect, it } from '@jest/globals';
import { recordedCalls } from '../apiserver/bed/recorded-calls.js';
import { PERMISSIONS, refusals, unusedVerbs } from '../apiserver/rbac-usage.js';

/** Every call of an operator user in the audit logs of all API servers of this run. */
const calls = await recordedCalls();

describe('S189: the operator, judged by the audit logs of every API server of this run', () => {
  it('has recorded calls to judge', () => {
    expect(calls.length).toBeGreaterThan(0);
  });

  it('used every granted verb in some test', () => {
    expect(unusedVerbs(calls, PERMISSIONS)).toEqual([]);
  });

  it('never went beyond what is granted, and was never refused', () => {
    expect(refusals(calls, PERMISSIONS)).toEqual([]);
  });
});
