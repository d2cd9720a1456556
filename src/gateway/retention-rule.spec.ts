import { describe, expect, it } from '@jest/globals';
import {
  endedSessionsSince,
  holdAt,
  keptBy,
  overdueSince,
  type RetentionSettings,
} from './retention-rule.js';

const OPEN: RetentionSettings = {
  deletion: 'Enabled',
  secureDeletion: { cryptographicErasure: true, receipts: true },
  classes: { account: { atLeastSeconds: 10, atMostSeconds: 20 }, session: { atLeastSeconds: 5 } },
  legalHolds: [],
};
const hold = (until: string) => ({ ...OPEN, legalHolds: [{ until, reason: 'Case 2027-114' }] });

describe('retention settings', () => {
  it('keep an account until at-least, and demand its end at at-most', () => {
    const account = { class: 'account', bornAt: 1_000 } as const;
    expect(keptBy(OPEN, account, 10_999)).toBe('AtLeast');
    expect(keptBy(OPEN, account, 11_000)).toBeUndefined();
    expect(overdueSince(OPEN, 'account', 30_000)).toBe(10_000);
  });

  it('say nothing of a class that they do not name', () => {
    expect(overdueSince(OPEN, 'device', 1e15)).toBeUndefined();
    expect(keptBy(OPEN, { class: 'device', bornAt: 0 }, 1)).toBeUndefined();
  });

  it('let records of ended sessions go at at-least, or at once without one', () => {
    expect(endedSessionsSince(OPEN, 30_000)).toBe(25_000);
    expect(endedSessionsSince({ ...OPEN, classes: {} }, 30_000)).toBe(30_000);
  });

  it.each([
    ['LegalHold', hold('1970-01-01T00:01:00Z')],
    ['LegalHold', hold('a time that nobody can read')],
    ['Suspended', { ...OPEN, deletion: 'Suspended' as const }],
  ])('keep everything: %s', (reason, settings) => {
    const now = 59_999;
    expect(holdAt(settings, now)).toBe(reason);
    expect(keptBy(settings, { class: 'account', bornAt: 0 }, now)).toBe(reason);
    expect(overdueSince(settings, 'account', now)).toBeUndefined();
    expect(endedSessionsSince(settings, now)).toBeUndefined();
  });

  it('end a hold at its time', () => {
    expect(holdAt(hold('1970-01-01T00:01:00Z'), 60_000)).toBeUndefined();
  });

  it('T38: keep what is too young, where at-least and at-most contradict each other', () => {
    const classes = { account: { atLeastSeconds: 30, atMostSeconds: 20 } };
    expect(overdueSince({ ...OPEN, classes }, 'account', 100_000)).toBe(70_000);
  });
});
