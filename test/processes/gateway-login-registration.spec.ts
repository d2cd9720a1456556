import { afterEach, describe, expect, it } from '@jest/globals';
import { nodeBackend } from '../../src/crypto/node.backend.js';
import { inviteHash } from '../../src/gateway/invite-hash.js';
import { StorageUnavailable } from '../../src/gateway/store.js';
import { anAccount } from '../identities.js';
import {
  anotherDevice,
  base64url,
  fingerprint,
  NOON_MS,
  reasonOf,
  startLogin,
  type LoginBed,
} from './gateway-login-bed.js';

const alice = anAccount(0x10);
const bob = anAccount(0x50);
const phone = anotherDevice(alice, 0x60);
const DAY_MS = 86_400_000;
let gateway: LoginBed;
afterEach(async () => {
  await gateway.stop();
});
const reason = async (...login: Parameters<LoginBed['login']>) =>
  reasonOf((await gateway.login(...login)).step);
const stateOf = async (account = alice) =>
  (await gateway.store.account(fingerprint(account)))?.state;
const deviceState = async (device = alice) =>
  (await gateway.store.device(fingerprint(alice), base64url(device.deviceId)))?.state;

describe('a new gateway', () => {
  it('is neither open nor dead: who is named in the resource gets in, everybody else waits', async () => {
    const administrators = [fingerprint(alice)];
    gateway = await startLogin({ authentication: { administrators, registration: 'Approval' } });
    const { step } = await gateway.login(alice);
    expect(step.send).toMatchObject({ type: 'welcome', administrator: true });
    expect(await reason(bob)).toBe('account-awaits-approval');
    expect(await reason(bob)).toBe('account-awaits-approval');
    expect(await stateOf(bob)).toBe('Pending');
    await gateway.store.setAccountState(fingerprint(bob), ['Pending'], 'Active');
    expect(await reason(bob)).toBe('welcome');
  });

  it('lets in who was named after he had begun to wait', async () => {
    gateway = await startLogin({ authentication: { registration: 'Approval' } });
    expect(await reason(alice)).toBe('account-awaits-approval');
    const administrators = [fingerprint(alice)];
    gateway.change({ authentication: { administrators, registration: 'Approval' } });
    expect(await reason(alice)).toBe('welcome');
  });

  it('keeps out whom an administrator has locked, and says so to the holder of the device only', async () => {
    gateway = await startLogin();
    await gateway.enter(alice);
    await gateway.store.setAccountState(fingerprint(alice), ['Active'], 'Locked');
    expect(await reason(alice)).toBe('account-locked');
    expect(await reason(alice, { deviceSeed: bob.deviceSeed })).toBe('login-failed');
  });

  it('limits how many accounts one address may make to wait', async () => {
    gateway = await startLogin({
      authentication: { registration: 'Approval' },
      rateLimits: { failedLoginsPerAddressPerMinute: 3 },
    });
    const reasons = [];
    for (let seed = 0x20; seed < 0x60; seed += 0x10) reasons.push(await reason(anAccount(seed)));
    expect(reasons).toEqual([
      'account-awaits-approval',
      'account-awaits-approval',
      'account-awaits-approval',
      'too-many-logins',
    ]);
  });
});

describe('registration by invitation', () => {
  const code = 'abcde-fghij-klmno-pqrst';
  const start = async (options: Parameters<typeof startLogin>[0] = {}) => {
    gateway = await startLogin({ authentication: { registration: 'Invite' }, ...options });
    const codeHash = inviteHash(nodeBackend, code);
    await gateway.store.addInvite({
      invite: 'AAAAAAAAAAAAAAAAAAAAAA',
      codeHash,
      expiresAt: NOON_MS + DAY_MS,
    });
  };

  it('takes a code for one account, and an account that is in needs none', async () => {
    await start();
    expect(await reason(alice)).toBe('registration-closed');
    expect(await reason(alice, { invite: 'aaaaa-aaaaa-aaaaa-aaaaa' })).toBe('invite-invalid');
    expect(await stateOf()).toBeUndefined();
    expect(await reason(alice, { invite: code })).toBe('welcome');
    expect(await reason(bob, { invite: code })).toBe('invite-invalid');
    expect(await stateOf(bob)).toBeUndefined();
    expect(await reason(alice)).toBe('welcome');
  });

  it('gives one of 20 accounts that show the same code at the same time the place', async () => {
    await start();
    const accounts = Array.from({ length: 20 }, (_, at) => anAccount(0x10 + 4 * at));
    const reasons = await Promise.all(accounts.map((account) => reason(account, { invite: code })));
    expect(reasons.filter((one) => one === 'welcome')).toHaveLength(1);
  });

  it('refuses a code that has expired, at its instant', async () => {
    await start();
    gateway.clock.advance(DAY_MS);
    expect(await reason(alice, { invite: code })).toBe('invite-invalid');
  });

  it('lets nobody guess codes for long', async () => {
    await start({ rateLimits: { failedLoginsPerAddressPerMinute: 3 } });
    const guess = () => reason(alice, { invite: 'aaaaa-aaaaa-aaaaa-aaaaa' });
    for (let guesses = 0; guesses < 3; guesses++) expect(await guess()).toBe('invite-invalid');
    expect(await guess()).toBe('too-many-logins');
  });
});

describe('a further device', () => {
  const approving = { deviceApproval: 'Administrator' as const };

  it('S92: waits until an administrator approves it; the first one came with its account', async () => {
    gateway = await startLogin({ authentication: approving });
    expect(await reason(alice)).toBe('welcome');
    expect(await reason(phone)).toBe('device-awaits-approval');
    expect(await reason(phone)).toBe('device-awaits-approval');
    expect(await deviceState(phone)).toBe('Pending');
    const waiting = await gateway.store.pendingDevices(undefined, 10);
    expect(waiting.rows.map(({ device }) => device)).toEqual([base64url(phone.deviceId)]);
    const phoneId = base64url(phone.deviceId);
    await gateway.store.setDeviceState(fingerprint(alice), phoneId, ['Pending'], 'Active');
    expect(await reason(phone)).toBe('welcome');
  });

  it('S92: approval was given to keys: other keys under the same name wait, and what was open ends', async () => {
    gateway = await startLogin({ authentication: approving });
    const connection = await gateway.enter(alice);
    const other = anAccount(0x70);
    const swapped = anAccount(0x10, {
      ed25519: other.keys.ed25519,
      serial: 2n,
    });
    const taken = { ...swapped, deviceSeed: other.deviceSeed };
    expect(await reason(taken)).toBe('device-awaits-approval');
    expect(await deviceState()).toBe('Pending');
    expect(connection.closedWith).toEqual(['session-ended']);
    const renewed = anAccount(0x10, { serial: 3n });
    expect(await reason(renewed)).toBe('device-awaits-approval');
  });

  it('keeps its approval when its binding is renewed for the same keys', async () => {
    gateway = await startLogin({ authentication: approving });
    await gateway.enter(alice);
    const renewed = anAccount(0x10, { serial: 2n, notAfterMs: NOON_MS + 700 * DAY_MS });
    expect(await reason(renewed)).toBe('welcome');
    expect(await reason(alice)).toBe('binding-outdated');
  });

  it('is in at once when policy asks nobody, also if it has waited', async () => {
    gateway = await startLogin({ authentication: approving });
    await gateway.enter(alice);
    expect(await reason(phone)).toBe('device-awaits-approval');
    gateway.change({ authentication: { deviceApproval: 'Automatic' } });
    expect(await reason(phone)).toBe('welcome');
  });

  it('is refused when the account has 64, and welcome when one of them is revoked', async () => {
    gateway = await startLogin();
    await gateway.enter(alice);
    for (let at = 101; at < 164; at++) {
      const binding = anAccount(0x10, { deviceId: new Uint8Array(16).fill(at) }).binding;
      const device = base64url(new Uint8Array(16).fill(at));
      const row = { account: fingerprint(alice), device, binding, serial: 1n };
      await gateway.store.putDevice({ ...row, state: 'Active', enrolledOn: 0 }, 64);
    }
    expect(await reason(phone)).toBe('too-many-devices');
    const revocations = [alice.revocation(new Uint8Array(16).fill(109))];
    expect(await reason(phone, { revocations })).toBe('welcome');
  });
});

describe('a revocation that comes with a login', () => {
  it('ends what the revoked device has open, and is kept', async () => {
    gateway = await startLogin();
    const stolen = await gateway.enter(phone);
    const revocations = [alice.revocation(phone.deviceId)];
    const connection = await gateway.enter(alice, { revocations });
    expect(stolen.closedWith).toEqual(['session-ended']);
    expect(await reason(phone)).toBe('device-revoked');
    expect(await reason(anotherDevice(alice, 0x60, 99n))).toBe('device-revoked');
    expect(connection.caller.revocations.map(base64url)).toEqual(revocations.map(base64url));
    expect(gateway.told).toContainEqual({
      type: 'sessions-ended',
      sessions: [stolen.caller.session],
    });
  });

  it('is kept also when the login itself is refused', async () => {
    gateway = await startLogin();
    await gateway.enter(alice);
    await gateway.enter(phone);
    await gateway.store.setAccountState(fingerprint(alice), ['Active'], 'Locked');
    const revocations = [alice.revocation(phone.deviceId)];
    expect(await reason(alice, { revocations })).toBe('account-locked');
    expect(await gateway.store.revocations(fingerprint(alice))).toHaveLength(1);
  });

  it('that is not signed by the account, or is of another account, ends the login and changes nothing', async () => {
    gateway = await startLogin();
    const broken = alice
      .revocation(phone.deviceId)
      .map((byte, at) => (at === 127 ? byte ^ 1 : byte));
    const other = bob.revocation(phone.deviceId);
    for (const revocation of [broken, other])
      expect(await reason(alice, { revocations: [revocation] })).toBe('login-failed');
    expect(await stateOf()).toBeUndefined();
    expect(await reason(phone)).toBe('welcome');
  });

  it('keeps a device out that an account revokes before it has ever registered', async () => {
    gateway = await startLogin();
    expect(await reason(alice, { revocations: [alice.revocation()] })).toBe('device-revoked');
    expect(await stateOf()).toBeUndefined();
    expect(await reason(phone, { revocations: [alice.revocation()] })).toBe('welcome');
    expect(await reason(alice)).toBe('device-revoked');
  });
});

describe('a database that does not answer', () => {
  it('refuses a login with a hint when to come back', async () => {
    let isDown = false;
    gateway = await startLogin({
      wrapStore: (store) =>
        new Proxy(store, {
          get: (target, name, receiver) => {
            if (isDown) throw new StorageUnavailable('timeout');
            return Reflect.get(target, name, receiver) as unknown;
          },
        }),
    });
    isDown = true;
    expect((await gateway.login(alice)).step.send).toEqual({
      type: 'refused',
      reason: 'unavailable',
      retryAfterSeconds: 5,
    });
    expect(await reason(alice, { deviceSeed: bob.deviceSeed })).toBe('login-failed');
    isDown = false;
    expect(await reason(alice)).toBe('welcome');
  });
});
