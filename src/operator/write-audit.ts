import type { AuditEvent } from '../audit/record.js';
import type { WriteRecord } from '../kubernetes/write-record.js';

/** What the operator does, in the words of the audit trail: an apply creates or changes, an update replaces. */
const DEEDS = { create: 'create', update: 'replace', patch: 'apply', delete: 'delete' } as const;

/** The longest reason that a record takes; ours are shorter, those of an API server could be anything. */
const REASON = /^[A-Z][A-Za-z0-9]{0,63}$/;

/**
 * The audit event of one write. A write whose answer never came is a failure with reason `NoAnswer`: it may have
 * been done, and the next pass finds out.
 */
export function auditEventOf({ verb, ref, subresource, ...write }: WriteRecord): AuditEvent {
  const reason = write.outcome === 'unknown' ? 'NoAnswer' : write.reason;
  return {
    type: 'system-change',
    action: `${subresource ?? 'object'}.${DEEDS[verb]}`,
    outcome: write.outcome === 'success' ? 'success' : 'failure',
    ...(reason !== '' && { reason: REASON.test(reason) ? reason : 'Other' }),
    actor: { kind: 'operator', subject: 'operator' },
    resource: {
      gvk: `${ref.apiVersion}/${ref.kind}`,
      ...(ref.namespace !== '' && { ns: ref.namespace }),
      name: ref.name,
      ...(write.uid !== undefined && { uid: write.uid }),
      ...(write.resourceVersion !== undefined && { rv: write.resourceVersion }),
    },
  };
}
