import { describe, expect, it } from '@jest/globals';
import { aFingerprint, anAccessRole, aSignalingGateway } from '../../test/builders.js';
import { isPermitted, type AccessRequest } from './decision.js';
import { dutyConflicts, rolesOn, VERBS_OF } from './roles.js';

const NOON = new Date('2026-03-02T12:00:00Z');
const ALICE = aFingerprint('alice');
const gateway = aSignalingGateway({ metadata: { labels: { tier: 'public' } } });
const named = (name: string, creationTimestamp = '2026-03-01T12:00:00Z') => ({
  metadata: { name, creationTimestamp },
});
const bundled = (...roles: Parameters<typeof anAccessRole>[0][]) =>
  rolesOn(gateway, roles.map(anAccessRole), NOON);
const request = (change: Partial<AccessRequest> = {}): AccessRequest => ({
  subject: ALICE,
  resource: 'Chat',
  verb: 'Send',
  at: NOON,
  comesFrom: () => false,
  ...change,
});

describe('the roles of a gateway', () => {
  it('are those that name it or its labels, by name', () => {
    const names = bundled(
      { ...named('zeta') },
      { ...named('alpha'), gateways: { selector: { matchLabels: { tier: 'public' } } } },
      { ...named('other'), gateways: { names: ['another'] } },
      { ...named('inner'), gateways: { selector: { matchLabels: { tier: 'inner' } } } },
      { metadata: { name: 'elsewhere', namespace: 'b' } },
    ).map(({ name }) => name);
    expect(names).toEqual(['alpha', 'zeta']);
  });

  it('lose one at the instant at which it ends', () => {
    expect(bundled({ expiresAt: '2026-03-02T12:00:00Z' })).toEqual([]);
    expect(bundled({ expiresAt: '2026-03-02T12:00:01Z' })).toHaveLength(1);
  });
});

describe('two roles that nobody may have together', () => {
  const maker = { ...named('maker', '2026-01-01T00:00:00Z'), subjects: [ALICE] };
  const checker = {
    ...named('checker', '2026-02-01T00:00:00Z'),
    subjects: [ALICE, aFingerprint('bob')],
  };

  it.each([
    ['the older', { ...maker, conflictsWith: ['checker'] }, checker],
    ['the younger', maker, { ...checker, conflictsWith: ['maker'] }],
  ])('leave a subject the older one, whichever says so: %s', (_, a, b) => {
    const subjects = Object.fromEntries(bundled(a, b).map((role) => [role.name, role.subjects]));
    expect(subjects).toEqual({ maker: [ALICE], checker: [aFingerprint('bob')] });
  });

  it('name the subjects that one of them does not get', () => {
    const [a, b] = [anAccessRole(maker), anAccessRole({ ...checker, conflictsWith: ['maker'] })];
    expect(dutyConflicts(b, [a, b])).toEqual([{ with: 'maker', subjects: [ALICE] }]);
    expect(dutyConflicts(a, [a, b])).toEqual([]);
  });

  it.each([
    ['the younger one is for everyone', {}, { assignment: 'Everyone' as const, subjects: [] }],
    ['the older one is for everyone', { assignment: 'Everyone' as const, subjects: [] }, {}],
  ])('T51: leave the younger one out altogether when %s', (_, older, younger) => {
    const [a, b] = [
      { ...maker, ...older },
      { ...checker, ...younger },
    ];
    const said = [
      [{ ...a, conflictsWith: ['checker'] }, b],
      [a, { ...b, conflictsWith: ['maker'] }],
    ] as const;
    for (const roles of said) {
      expect(bundled(...roles).map(({ name }) => name)).toEqual(['maker']);
    }
    expect(bundled(a, b)).toHaveLength(2);
  });

  it('are judged without one that has ended, for everyone or not', () => {
    const ended = { ...maker, assignment: 'Everyone' as const, expiresAt: '2026-03-02T12:00:00Z' };
    const names = bundled(ended, { ...checker, conflictsWith: ['maker'] }).map(({ name }) => name);
    expect(names).toEqual(['checker']);
  });

  it('do not judge roles of another namespace', () => {
    const far = anAccessRole({ ...maker, metadata: { ...maker.metadata, namespace: 'b' } });
    expect(dutyConflicts(anAccessRole({ ...checker, conflictsWith: ['maker'] }), [far])).toEqual(
      [],
    );
  });
});

describe('S114: a permission', () => {
  const roles = bundled({ subjects: [ALICE] });

  it('is what a role of the subject says', () => {
    expect(isPermitted(roles, request())).toBe(true);
  });

  it.each([
    ['nobody has a role', [], {}],
    ['the subject has none', roles, { subject: aFingerprint('eve') }],
    ['the resource is another', roles, { resource: 'File' as const }],
    [
      'the verb is another',
      bundled({ subjects: [ALICE], permissions: [{ resource: 'Chat', verbs: ['Receive'] }] }),
      {},
    ],
    [
      'the role has ended since',
      bundled({ subjects: [ALICE], expiresAt: '2026-03-02T12:00:01Z' }),
      { at: new Date('2026-03-02T12:00:01Z') },
    ],
  ])('is denied when %s', (_, given, change) => {
    expect(isPermitted(given, request(change))).toBe(false);
  });

  it('for everyone needs no list', () => {
    expect(isPermitted(bundled({ assignment: 'Everyone' }), request())).toBe(true);
  });

  it('with conditions holds only when all are met', () => {
    const conditions = { sourceCidrs: ['203.0.113.0/24'], secondFactorWithinSeconds: 300 };
    const strict = bundled({
      subjects: [ALICE],
      permissions: [{ resource: 'Chat', verbs: ['Send'], conditions }],
    });
    const there = { comesFrom: (cidr: string) => cidr === '203.0.113.0/24' };
    expect(isPermitted(strict, request({ ...there, secondFactorAgeSeconds: 300 }))).toBe(true);
    expect(isPermitted(strict, request({ ...there, secondFactorAgeSeconds: 301 }))).toBe(false);
    expect(isPermitted(strict, request(there))).toBe(false);
    expect(isPermitted(strict, request({ secondFactorAgeSeconds: 1 }))).toBe(false);
  });

  it('has a closed set of verbs per resource, without a wildcard', () => {
    expect(Object.values(VERBS_OF).flat()).not.toContain('*');
    expect(Object.keys(VERBS_OF)).toHaveLength(12);
  });
});
