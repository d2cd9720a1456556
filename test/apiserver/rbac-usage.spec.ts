import { describe, expect, it } from '@jest/globals';
import type { Permission } from '../../src/operator/permissions.js';
import type { AuditEntry } from './bed/audit-log.js';
import type { RecordedCall } from './bed/recorded-calls.js';
import { refusals, unusedVerbs } from './rbac-usage.js';
import { unmatchedWrites } from './rbac-writes.js';

const permissions: readonly Permission[] = [
  { group: 'apps', resource: 'deployments', scope: 'Watched', verbs: { create: 'c', patch: 'p' } },
];
const aCall = (changes: Partial<RecordedCall>): RecordedCall => ({
  user: 'operator',
  verb: 'patch',
  apiGroup: 'apps',
  resource: 'deployments',
  path: '',
  namespaced: true,
  code: 200,
  ...changes,
});

describe('the comparison of writes with audit records', () => {
  const made = (
    verb: string,
    resource: string,
    code: number,
    subresource?: string,
  ): AuditEntry => ({
    auditID: 'a',
    stage: 'ResponseComplete',
    verb,
    user: { username: 'operator' },
    requestURI: '/',
    objectRef: { resource, namespace: 'office', name: 'edge', ...(subresource && { subresource }) },
    responseStatus: { code },
    requestReceivedTimestamp: '2026-11-22T12:00:00Z',
  });
  const record = (action: string, gvk: string, outcome = 'success') => ({
    action,
    outcome,
    resource: { gvk, ns: 'office', name: 'edge' },
  });
  const applied = record('object.apply', 'networking.k8s.io/v1/NetworkPolicy');

  it('matches each write with one record, and reads and renewals with none', () => {
    const entries = [
      made('patch', 'networkpolicies', 201),
      made('patch', 'relaypools', 200, 'status'),
      made('delete', 'ingresses', 404),
      made('list', 'secrets', 200),
      made('update', 'leases', 200),
    ];
    const records = [
      applied,
      record('status.apply', 'sallyport.dev/v1alpha1/RelayPool'),
      record('object.delete', 'networking.k8s.io/v1/Ingress'),
    ];
    expect(unmatchedWrites(entries, records)).toEqual({ unrecorded: [], unmade: [] });
  });

  it('finds a write without a record, a record without a write, and a failure told as success', () => {
    const write = 'patch networkpolicies office/edge ok';
    const entry = made('patch', 'networkpolicies', 200);
    expect(unmatchedWrites([entry, entry], [applied])).toEqual({ unrecorded: [write], unmade: [] });
    expect(unmatchedWrites([], [applied])).toEqual({ unrecorded: [], unmade: [write] });
    expect(unmatchedWrites([made('patch', 'networkpolicies', 409)], [applied])).toEqual({
      unrecorded: ['patch networkpolicies office/edge failed'],
      unmade: [write],
    });
  });
});

describe('the comparison of calls with permissions', () => {
  it('counts an apply that created as both of its verbs', () => {
    expect(unusedVerbs([aCall({ code: 201 })], permissions)).toEqual([]);
    expect(unusedVerbs([aCall({})], permissions)).toEqual(['create deployments.apps']);
  });

  it('finds a call that was refused, and one that is not granted', () => {
    expect(refusals([aCall({})], permissions)).toEqual([]);
    expect(refusals([aCall({ code: 403 })], permissions)).toEqual(['patch deployments.apps']);
    expect(refusals([aCall({ verb: 'delete' })], permissions)).toEqual(['delete deployments.apps']);
    expect(refusals([aCall({ apiGroup: '' })], permissions)).toEqual(['patch deployments']);
  });

  it('does not take a refused call for a use', () => {
    expect(unusedVerbs([aCall({ code: 403 })], permissions)).toHaveLength(2);
  });
});
