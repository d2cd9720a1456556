import { describe, expect, it } from '@jest/globals';
import { refusedFactorKinds } from '../factor-kinds.js';
import {
  factorDemand,
  factorQuestion,
  type AccountPolicy,
  type EnrolledFactor,
} from './factor-policy.js';

const totp: EnrolledFactor = { kind: 'TOTP', roaming: false };
const platform: EnrolledFactor = { kind: 'WebAuthn', roaming: false };
const roaming: EnrolledFactor = { kind: 'WebAuthn', roaming: true };
type RequiredFor = Parameters<typeof factorDemand>[0]['secondFactors']['requiredFor'];

const demand = (
  roles: Partial<AccountPolicy> = {},
  change: { allowed?: string[]; requiredFor?: RequiredFor; administrator?: boolean } = {},
) => {
  const { allowed = ['WebAuthn', 'Totp'], requiredFor = 'Nobody', administrator = false } = change;
  const secondFactors = { allowed, requiredFor };
  return factorDemand({ secondFactors }, administrator, { required: false, ...roles });
};

describe('whether a second factor is asked for', () => {
  it.each([
    ['Nobody', false, false, false],
    ['Nobody', true, false, false],
    ['Nobody', false, true, true],
    ['Administrators', false, false, false],
    ['Administrators', true, false, true],
    ['Everyone', false, false, true],
  ] as const)(
    '%s; administrator: %s; a role asks: %s',
    (requiredFor, administrator, required, is) => {
      expect(demand({ required }, { requiredFor, administrator }).required).toBe(is);
    },
  );
});

describe('which second factor is asked for', () => {
  it.each([
    ['any that there is', [totp, roaming], {}, ['TOTP', 'WebAuthn', 'RecoveryCode'], true],
    ['the kind of a role', [totp, roaming], { kinds: ['WebAuthn'] }, ['WebAuthn'], true],
    ['a roaming key', [totp, platform, roaming], { roamingKey: true }, ['WebAuthn'], true],
    [
      'what there is, before a roaming key is enrolled',
      [totp, platform],
      { roamingKey: true },
      ['TOTP', 'WebAuthn', 'RecoveryCode'],
      false,
    ],
    [
      'what there is, before the kind of a role is enrolled',
      [totp],
      { kinds: ['WebAuthn'] },
      ['TOTP', 'RecoveryCode'],
      false,
    ],
  ] as [string, EnrolledFactor[], Partial<AccountPolicy>, string[], boolean][])(
    'S74: %s',
    (...row) => {
      const [, factors, roles, kinds, satisfies] = row;
      expect(factorQuestion(factors, 1, demand(roles))).toEqual({ kinds, satisfies });
    },
  );

  it('is none of an account that has none, not even a recovery code', () => {
    expect(factorQuestion([], 10, demand())).toBeUndefined();
  });

  it('is no recovery code of who has none left', () => {
    expect(factorQuestion([totp], 0, demand())?.kinds).toEqual(['TOTP']);
  });

  it('is no kind that the gateway does not allow, whatever a role says', () => {
    const asked = demand({ kinds: ['TOTP', 'WebAuthn'] }, { allowed: ['WebAuthn'] });
    expect(asked.kinds).toEqual(['WebAuthn']);
    expect(factorQuestion([totp, roaming], 0, asked)?.kinds).toEqual(['WebAuthn']);
  });
});

describe('settings of second factors', () => {
  it.each([[[]], [['WebAuthn']], [['WebAuthn', 'Totp']]])('take %j', (allowed) => {
    expect(refusedFactorKinds(allowed)).toBeUndefined();
  });

  it.each(['SMS', 'sms', 'Sms'])('S88: refuse %s, and say why', (kind) => {
    expect(refusedFactorKinds(['Totp', kind])).toMatch(
      /SMS never counts as a second factor, because whoever takes over the number/,
    );
    expect(demand({}, { allowed: [kind] }).kinds).toEqual([]);
  });

  it('refuse what does not exist', () => {
    expect(refusedFactorKinds(['Email'])).toMatch(/does not exist: write WebAuthn or Totp/);
    expect(refusedFactorKinds(['toString'])).toMatch(/does not exist/);
  });
});
