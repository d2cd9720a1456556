import { describe, expect, it } from '@jest/globals';
import { HOLDERS, seedBundleRoles } from '../../test/seeds/roles.js';
import { decideAccess, type AccessRequest } from './decision.js';
import type { BundleRole } from './roles.js';

const NOON = new Date('2026-03-02T12:00:00Z');
const roles = seedBundleRoles(NOON);
const request = (change: Partial<AccessRequest> = {}): AccessRequest => ({
  ...{ subject: HOLDERS.user, resource: 'Chat', verb: 'Send', at: NOON },
  comesFrom: () => false,
  ...change,
});
const aRole = (change: Partial<BundleRole>): BundleRole => ({
  name: 'narrow',
  permissions: [{ resource: 'Chat', verbs: ['Send'] }],
  mfa: { required: false, hardwareKeyRequired: false },
  calls: { maxParticipants: 2, recording: 'Forbidden', externalParticipants: 'Forbidden' },
  assignment: 'Everyone',
  subjects: [],
  ...change,
});
const conditional = (conditions: object): BundleRole =>
  aRole({ permissions: [{ resource: 'Chat', verbs: ['Send'], conditions }] });

describe('a decision', () => {
  it('names the role and the rule that allow', () => {
    expect(decideAccess(roles, request({ resource: 'File' }))).toEqual({
      effect: 'Allow',
      role: 'user',
      rule: 2,
    });
  });

  it.each([
    ['no role at all', [], {}, { reason: 'NoRole' }],
    ['a role of others', roles, { subject: 'sp1nobody' }, { reason: 'NoRole' }],
    [
      'a role that does not speak of it',
      roles,
      { subject: HOLDERS.guest, resource: 'Call', verb: 'Start' },
      { reason: 'NoPermission', role: 'guest' },
    ],
    [
      'a role that has ended this instant',
      [aRole({ expiresAt: NOON.toISOString() })],
      {},
      { reason: 'RoleEnded', role: 'narrow' },
    ],
    [
      'another place',
      [conditional({ sourceCidrs: ['203.0.113.0/24'] })],
      {},
      { reason: 'SourceNotAllowed', role: 'narrow', rule: 0 },
    ],
    [
      'no second factor where the role asks for one',
      roles,
      { subject: HOLDERS.admin },
      { reason: 'SecondFactorMissing', role: 'admin', rule: 0 },
    ],
    [
      'a second factor that is too old',
      [conditional({ secondFactorWithinSeconds: 300 })],
      { secondFactorAgeSeconds: 301 },
      { reason: 'SecondFactorTooOld', role: 'narrow', rule: 0 },
    ],
  ] as const)('denies with the reason: %s', (_, given, change, denial) => {
    expect(decideAccess(given, request(change))).toEqual({ effect: 'Deny', ...denial });
  });

  it('gives the reason of the rule that came closest', () => {
    const [far, near] = [
      conditional({ sourceCidrs: ['203.0.113.0/24'] }),
      conditional({ secondFactorWithinSeconds: 300 }),
    ];
    for (const order of [
      [far, near],
      [near, far],
    ])
      expect(decideAccess(order, request())).toMatchObject({ reason: 'SecondFactorMissing' });
  });

  it('allows by one role what another forbids to come from there', () => {
    const far = conditional({ sourceCidrs: ['203.0.113.0/24'] });
    expect(decideAccess([far, aRole({ name: 'wide' })], request())).toMatchObject({
      effect: 'Allow',
      role: 'wide',
    });
  });
});
