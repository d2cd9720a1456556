import { describe, expect, it } from '@jest/globals';
import { nodeBackend } from '../../crypto/node.backend.js';
import { fingerprintOf } from '../../protocol/identity/account.js';
import { decodeDeviceBinding } from '../../protocol/identity/device-binding.js';
import { anAccount, type Account } from '../../../test/identities.js';
import { admissionOf, type AdmissionFacts } from './admission.js';

const alice = anAccount(0x10);
const name = fingerprintOf(nodeBackend, alice.identity);
const device = Buffer.from(alice.deviceId).toString('base64url');

function proven({ binding }: Account): AdmissionFacts['proven'] {
  const keys = decodeDeviceBinding(binding);
  if (typeof keys === 'string') throw new Error(keys);
  return { account: name, device, keys, binding };
}
const row = (state: 'Pending' | 'Active' | 'Locked') => ({
  account: name,
  identity: alice.identity,
  state,
  registeredOn: 0,
});
const deviceRow = (state: 'Pending' | 'Active' | 'Revoked') => ({
  account: name,
  device,
  binding: alice.binding,
  serial: 1n,
  state,
  enrolledOn: 0,
});
type Policy = AdmissionFacts['policy'];
const facts = (
  change: Partial<Omit<AdmissionFacts, 'policy'>> = {},
  policy: Partial<Policy> = {},
): AdmissionFacts => ({
  proven: proven(alice),
  account: undefined,
  devices: [],
  revoked: new Set(),
  hasInvite: false,
  ...change,
  policy: { administrators: [], registration: 'Open', deviceApproval: 'Automatic', ...policy },
});
/** Account written, its state, device written, its state, and what it waits for. */
const summary = (given: AdmissionFacts): string => {
  const admission = admissionOf(given);
  if (typeof admission === 'string') return admission;
  const { account, device: to, waits } = admission;
  const code = account.withInvite ? ' with code' : '';
  const become = to.become === undefined ? '' : ` to ${to.become}`;
  return `${account.write} ${account.state}${code}, ${to.write} ${to.state}${become}, ${waits ?? 'in'}`;
};

describe('who gets in', () => {
  it.each([
    ['Open', false, 'create Active, put Active, in'],
    ['Approval', false, 'create Pending, put Active, AccountAwaitsApproval'],
    ['Approval', true, 'create Pending, put Active, AccountAwaitsApproval'],
    ['Invite', false, 'RegistrationClosed'],
    ['Invite', true, 'create Active with code, put Active, in'],
  ] as const)(
    'an account that is new, under %s, with a code: %s',
    (registration, hasInvite, is) => {
      expect(summary(facts({ hasInvite }, { registration }))).toBe(is);
    },
  );

  it.each([
    ['Open', false, 'activate Active, nothing Active, in'],
    ['Approval', false, 'nothing Pending, nothing Active, AccountAwaitsApproval'],
    ['Invite', false, 'nothing Pending, nothing Active, AccountAwaitsApproval'],
    ['Invite', true, 'activate Active with code, nothing Active, in'],
  ] as const)('an account that waits, under %s, with a code: %s', (registration, hasInvite, is) => {
    const stored = { account: row('Pending'), devices: [deviceRow('Active')], hasInvite };
    expect(summary(facts(stored, { registration }))).toBe(is);
  });

  it.each(['Approval', 'Invite', 'Open'] as const)(
    'who is named in the resource waits for nobody, under %s',
    (registration) => {
      const policy = { registration, administrators: [name] };
      expect(summary(facts({}, policy))).toBe('create Active, put Active, in');
      const waiting = { account: row('Pending'), devices: [deviceRow('Active')] };
      expect(summary(facts(waiting, policy))).toBe('activate Active, nothing Active, in');
      expect(summary(facts({ account: row('Locked') }, policy))).toBe('AccountLocked');
    },
  );

  it('nobody whose device is revoked, by himself, by an administrator, or by more than 1,024 revocations', () => {
    const account = row('Active');
    expect(summary(facts({ account, revoked: new Set([device]) }))).toBe('DeviceRevoked');
    expect(summary(facts({ account, devices: [deviceRow('Revoked')] }))).toBe('DeviceRevoked');
    const most = new Set(Array.from({ length: 1_024 }, (_, at) => `device ${at}`));
    expect(summary(facts({ account, revoked: most }))).toBe('nothing Active, put Active, in');
    expect(summary(facts({ account, revoked: new Set([...most, 'one more']) }))).toBe(
      'DeviceRevoked',
    );
  });
});

describe('a device under approval by administrators', () => {
  const policy = { deviceApproval: 'Administrator' } as const;
  const account = row('Active');
  const other = anAccount(0x40);

  it.each([
    ['the first one', [], alice, 'nothing Active, put Active, in'],
    [
      'a further one',
      [{ ...deviceRow('Active'), device: 'other' }],
      alice,
      'nothing Active, put Pending, DeviceAwaitsApproval',
    ],
    [
      'one after all were revoked',
      [{ ...deviceRow('Revoked'), device: 'other' }],
      alice,
      'nothing Active, put Pending, DeviceAwaitsApproval',
    ],
    ['the same', [deviceRow('Active')], alice, 'nothing Active, nothing Active, in'],
    [
      'the same that waits',
      [deviceRow('Pending')],
      alice,
      'nothing Active, nothing Pending, DeviceAwaitsApproval',
    ],
    [
      'a renewed binding',
      [deviceRow('Active')],
      anAccount(0x10, { serial: 2n }),
      'nothing Active, put Active, in',
    ],
    [
      'a renewed binding that waits',
      [deviceRow('Pending')],
      anAccount(0x10, { serial: 2n }),
      'nothing Active, put Pending, DeviceAwaitsApproval',
    ],
    [
      'another signing key',
      [deviceRow('Active')],
      anAccount(0x10, { serial: 2n, ed25519: other.keys.ed25519 }),
      'nothing Active, put Pending to Pending, DeviceAwaitsApproval',
    ],
    [
      'another static key',
      [deviceRow('Active')],
      anAccount(0x10, { serial: 2n, x25519: other.keys.x25519 }),
      'nothing Active, put Pending to Pending, DeviceAwaitsApproval',
    ],
    [
      'an older binding',
      [{ ...deviceRow('Active'), serial: 2n, binding: anAccount(0x10, { serial: 2n }).binding }],
      alice,
      'BindingOutdated',
    ],
    [
      'another binding of the same serial',
      [deviceRow('Active')],
      anAccount(0x10, { x25519: other.keys.x25519 }),
      'BindingOutdated',
    ],
  ] as const)('%s', (_, devices, shown, is) => {
    expect(summary(facts({ account, devices, proven: proven(shown) }, policy))).toBe(is);
  });

  it('is in as soon as policy asks nobody', () => {
    const waiting = { account, devices: [deviceRow('Pending')] };
    expect(summary(facts(waiting))).toBe('nothing Active, nothing Active to Active, in');
  });
});
