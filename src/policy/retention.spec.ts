import { describe, expect, it } from '@jest/globals';
import type { RetentionPolicy } from '../kinds/retention-policy.gen.js';
import type { SignalingGateway } from '../kinds/signaling-gateway.gen.js';
import { appliesTo, demandsOn, describeConflict, mergeRetention } from './retention.js';
import type { RetentionDemand } from './retention.js';

const aDemand = (name: string, demand: Partial<RetentionDemand> = {}): RetentionDemand => ({
  name,
  classes: {},
  secureDeletion: { cryptographicErasure: false, receipts: false },
  ...demand,
});

describe('several RetentionPolicies on one gateway', () => {
  const sox = aDemand('sox', { classes: { auditSkeleton: { atLeastSeconds: 900 } } });
  const hipaa = aDemand('hipaa', {
    classes: { auditSkeleton: { atLeastSeconds: 600 }, session: { atMostSeconds: 60 } },
  });
  const gdpr = aDemand('gdpr', {
    classes: { session: { atMostSeconds: 30 }, auditSkeleton: { atMostSeconds: 1000 } },
    secureDeletion: { cryptographicErasure: true, receipts: false },
  });

  it('keep for the longest at-least and delete at the shortest at-most', () => {
    expect(mergeRetention([sox, hipaa, gdpr])).toMatchObject({
      deletion: 'Enabled',
      secureDeletion: { cryptographicErasure: true, receipts: false },
      classes: {
        auditSkeleton: { atLeastSeconds: 900, atMostSeconds: 1000 },
        session: { atMostSeconds: 30 },
      },
      conflicts: [],
    });
  });

  it('mean the same in any order', () => {
    expect(mergeRetention([gdpr, hipaa, sox])).toEqual(mergeRetention([sox, hipaa, gdpr]));
  });

  it('say nothing about classes that none of them names', () => {
    expect(mergeRetention([sox]).classes).toEqual({ auditSkeleton: { atLeastSeconds: 900 } });
    expect(mergeRetention([])).toEqual({
      deletion: 'Enabled',
      secureDeletion: { cryptographicErasure: false, receipts: false },
      classes: {},
      legalHolds: [],
      conflicts: [],
    });
  });
});

describe('two RetentionPolicies that cross', () => {
  const keep = aDemand('sox', { classes: { auditSkeleton: { atLeastSeconds: 900 } } });
  const drop = aDemand('gdpr', { classes: { auditSkeleton: { atMostSeconds: 899 } } });
  const merged = mergeRetention([keep, drop]);

  it('delete nothing', () => {
    expect(merged.deletion).toBe('Suspended');
  });

  it('are both named, with what to do', () => {
    const [conflict] = merged.conflicts;
    expect(describeConflict(conflict!)).toBe(
      'auditSkeleton: RetentionPolicy sox keeps at least 900 s, gdpr at most 899 s. Nothing is deleted; change one of them.',
    );
  });

  it('do not cross where both bounds are equal', () => {
    const equal = aDemand('gdpr', { classes: { auditSkeleton: { atMostSeconds: 900 } } });
    expect(mergeRetention([keep, equal]).deletion).toBe('Enabled');
  });
});

describe('legal holds', () => {
  it('all apply, earliest end first', () => {
    const a = aDemand('a', { legalHold: { until: '2030-01-01T00:00:00Z', reason: 'case 7' } });
    const b = aDemand('b', { legalHold: { until: '2029-01-01T00:00:00Z', reason: 'case 3' } });
    expect(mergeRetention([a, b]).legalHolds.map(({ reason }) => reason)).toEqual([
      'case 3',
      'case 7',
    ]);
  });
});

describe('a RetentionPolicy', () => {
  const metadata = { name: 'edge', namespace: 'demo', labels: { tier: 'public' } };
  // Only its metadata decides.
  const gateway = { metadata } as unknown as SignalingGateway;
  // Without the fields that the API server adds.
  const policy = (gateways: object, more: object = {}) =>
    ({
      metadata: { name: 'p', namespace: 'demo' },
      spec: {
        gateways,
        classes: {},
        secureDeletion: { cryptographicErasure: true, receipts: true },
        ...more,
      },
    }) as unknown as RetentionPolicy;

  it.each([
    ['names it', { names: ['edge'] }, true],
    ['names another', { names: ['core'] }, false],
    ['selects its labels', { selector: { matchLabels: { tier: 'public' } } }, true],
    ['selects other labels', { selector: { matchLabels: { tier: 'internal' } } }, false],
    ['selects every gateway', { selector: { matchLabels: {} } }, true],
  ])('applies to a gateway when it %s: %#', (_, gateways, applies) => {
    expect(appliesTo(policy(gateways), gateway)).toBe(applies);
  });

  it('of another namespace never applies', () => {
    const away = policy({ names: ['edge'] });
    const elsewhere = { ...away, metadata: { ...away.metadata, namespace: 'other' } };
    expect(appliesTo(elsewhere, gateway)).toBe(false);
  });

  it('demands a legal hold until it ends', () => {
    const legalHold = { until: '2026-03-02T12:00:00Z', reason: 'case 7' };
    const held = policy({ names: ['edge'] }, { legalHold });
    const holds = (now: string) => demandsOn(gateway, [held], new Date(now))[0]?.legalHold;
    expect(holds('2026-03-02T11:59:59Z')).toEqual(legalHold);
    expect(holds('2026-03-02T12:00:00Z')).toBeUndefined();
  });
});
