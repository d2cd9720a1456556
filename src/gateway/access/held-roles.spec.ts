import { describe, expect, it } from '@jest/globals';
import { HOLDERS, seedBundleRoles } from '../../../test/seeds/roles.js';
import type { BundleRole } from '../../policy/roles.js';
import { concerned, losesRight, rolesOf } from './held-roles.js';

const NOON = new Date('2026-03-02T12:00:00Z');
const roles = seedBundleRoles(NOON);
const named = (name: string): BundleRole => {
  const found = roles.find((role) => role.name === name);
  if (found === undefined) throw new Error(`there is no role ${name}`);
  return found;
};
const user = named('user');

describe('a change of roles', () => {
  it.each([
    ['a permission is gone', { permissions: user.permissions.slice(1) }],
    ['files get smaller', { files: { maxBytes: 1, scan: true } }],
    ['a second factor is asked for', { mfa: { required: true, hardwareKeyRequired: false } }],
    [
      'a permission gets a condition',
      { permissions: user.permissions.map((one) => ({ ...one, conditions: { sourceCidrs: [] } })) },
    ],
  ])('takes something away when %s', (_, change) => {
    expect(losesRight([user], [{ ...user, ...change }])).toBe(true);
  });

  it('takes nothing away when it only gives, or when another role gives the same', () => {
    const more = [...user.permissions, { resource: 'Input', verbs: ['Send'] } as const];
    expect(losesRight([user], [{ ...user, permissions: more }])).toBe(false);
    expect(losesRight([user], [{ ...user, name: 'again' }])).toBe(false);
    expect(losesRight([], [user])).toBe(false);
  });

  it('concerns the holders of what changed, and everybody when it was for everybody', () => {
    const others = roles.filter((role) => role !== user);
    expect(concerned(roles, others)).toEqual(new Set([HOLDERS.user]));
    expect(concerned(roles, roles)).toEqual(new Set());
    expect(concerned([{ ...user, assignment: 'Everyone' }], [])).toBe('Everyone');
  });
});

describe('the roles of an account', () => {
  it('are those that name it or are for everyone, until they end', () => {
    const open: BundleRole = { ...user, name: 'open', assignment: 'Everyone', subjects: [] };
    const ended: BundleRole = { ...open, name: 'ended', expiresAt: NOON.toISOString() };
    const names = rolesOf([...roles, open, ended], HOLDERS.guest, NOON).map(({ name }) => name);
    expect(names).toEqual(['guest', 'open']);
  });
});
