import { describe, expect, it } from '@jest/globals';
import { isAuditEvent } from '../audit/record.js';
import type { WriteRecord } from '../kubernetes/write-record.js';
import { auditEventOf } from './write-audit.js';

const ref = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  namespace: 'office',
  name: 'edge-gateway',
};
const aWrite = (changes: Partial<WriteRecord> = {}): WriteRecord => ({
  verb: 'patch',
  ref,
  uid: '7a4c6f0e-0000-4000-8000-000000000000',
  resourceVersion: '41',
  outcome: 'success',
  reason: 'Drift',
  ...changes,
});

describe('the audit event of a write', () => {
  it.each([
    [aWrite(), 'object.apply', 'success', 'Drift'],
    [aWrite({ subresource: 'status' }), 'status.apply', 'success', 'Drift'],
    [aWrite({ verb: 'delete', reason: 'Pruned' }), 'object.delete', 'success', 'Pruned'],
    [
      aWrite({ verb: 'create', outcome: 'failure', reason: 'Forbidden' }),
      'object.create',
      'failure',
      'Forbidden',
    ],
    [
      aWrite({ verb: 'update', outcome: 'unknown', reason: 'Timeout' }),
      'object.replace',
      'failure',
      'NoAnswer',
    ],
    [aWrite({ outcome: 'failure', reason: 'a\nb' }), 'object.apply', 'failure', 'Other'],
  ])('of %j', (write, action, outcome, reason) => {
    const event = auditEventOf(write);
    expect(event).toMatchObject({ type: 'system-change', action, outcome, reason });
    expect(isAuditEvent(event)).toBe(true);
  });

  it('names the object and its version', () => {
    expect(auditEventOf(aWrite()).resource).toEqual({
      gvk: 'apps/v1/Deployment',
      ns: 'office',
      name: 'edge-gateway',
      uid: '7a4c6f0e-0000-4000-8000-000000000000',
      rv: '41',
    });
  });
});
