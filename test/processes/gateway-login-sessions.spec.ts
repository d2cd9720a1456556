import { setImmediate } from 'node:timers/promises';
import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { isRefused } from '../../src/gateway/caller.js';
import type { LeaseRow } from '../../src/gateway/store.js';
import { anAccount } from '../identities.js';
import {
  anotherDevice,
  base64url,
  fingerprint,
  reasonOf,
  startLogin,
  type LoginBed,
} from './gateway-login-bed.js';
import { enrolTotp } from './gateway-login-totp.js';

const alice = anAccount(0x10);
const phone = anotherDevice(alice, 0x60);
const bob = anAccount(0x50);
let gateway: LoginBed;
let ended: LeaseRow[];

beforeEach(async () => {
  ended = [];
  gateway = await startLogin({
    options: {
      leasesEnded: (leases) => {
        ended.push(...leases);
      },
    },
  });
});
afterEach(async () => {
  await gateway.stop();
});

/** Logs in and gives the token of the new session. */
async function tokenOf(account = alice): Promise<string> {
  const { step } = await gateway.login(account);
  if (step.send.type !== 'welcome' || step.send.session === undefined) throw new Error('not new');
  return step.send.session;
}
/** Whether a login with this token takes up its session: it is given no new token. */
async function isTakenUp(session: string, account = alice): Promise<boolean> {
  const { step } = await gateway.login(account, { session });
  expect(reasonOf(step)).toBe('welcome');
  return step.send.type === 'welcome' && step.send.session === undefined;
}

describe('a session', () => {
  it('is stored by the hash of its token, and by the hour', async () => {
    gateway.clock.advance(1_234_567);
    const token = await tokenOf();
    const [row] = await gateway.store.sessions(fingerprint(alice));
    const hash = createHash('sha256').update(Buffer.from(token, 'base64url')).digest();
    expect(Buffer.from(row?.tokenHash ?? []).equals(hash)).toBe(true);
    expect(row?.beganAt).toBe(gateway.clock.ms - 1_234_567);
    const disk = await gateway.disk();
    expect(disk.includes(hash)).toBe(true);
    expect(disk.includes(Buffer.from(token, 'base64url'))).toBe(false);
    expect(disk.includes(token)).toBe(false);
  });

  it('T31: ends at its age, to the millisecond', async () => {
    const session = await tokenOf();
    for (let minute = 1; minute <= 59; minute++) {
      gateway.clock.advance(60_000);
      expect(await isTakenUp(session)).toBe(true);
    }
    gateway.clock.advance(59_999);
    expect(await isTakenUp(session)).toBe(true);
    gateway.clock.advance(1);
    expect(await isTakenUp(session)).toBe(false);
  });

  it('T31: ends after 900 seconds of silence, and counts from the last message that its connection heard', async () => {
    const session = await tokenOf();
    gateway.clock.advance(899_999);
    expect(await isTakenUp(session)).toBe(true);
    const connection = gateway.connect((await gateway.login(alice, { session })).step);
    gateway.clock.advance(100_000);
    gateway.room.heard?.(connection, gateway.clock.ms);
    gateway.room.closed?.(connection);
    gateway.clock.advance(899_999);
    expect(await isTakenUp(session)).toBe(true);
    gateway.clock.advance(900_000);
    expect(await isTakenUp(session)).toBe(false);
  });

  it('T31: is the one of its device only: another device or account gets a new one', async () => {
    const session = await tokenOf();
    expect(await isTakenUp(session, phone)).toBe(false);
    expect(await isTakenUp(session, bob)).toBe(false);
    expect(await isTakenUp(session)).toBe(true);
  });

  it('T31: is never one that the endpoint has chosen', async () => {
    const chosen = base64url(new Uint8Array(32).fill(7));
    expect(await isTakenUp(chosen)).toBe(false);
    expect(await isTakenUp(chosen)).toBe(false);
  });

  it('ends when its device begins another one', async () => {
    const session = await tokenOf();
    await tokenOf();
    expect(await isTakenUp(session)).toBe(false);
    expect(await gateway.store.sessions(fingerprint(alice))).toHaveLength(1);
  });

  it('lives shorter where a role says so, and from then on where policy does', async () => {
    const session = await tokenOf();
    gateway.change({
      authentication: { sessions: { idleTimeoutSeconds: 60, absoluteTimeoutSeconds: 3600 } },
    });
    gateway.clock.advance(60_000);
    expect(await isTakenUp(session)).toBe(false);
  });
});

describe('the end of a session by its owner', () => {
  it('T31: closes its sockets and ends its leases; of the asking one after the answer', async () => {
    const [here, there] = [await gateway.enter(alice), await gateway.enter(phone)];
    const lease = {
      account: fingerprint(alice),
      device: there.caller.device,
      session: there.caller.session,
      jti: 'AAAAAAAAAAAAAAAAAAAAAA',
      kid: 'BBBBBBBBBBBBBBBBBBBBBB',
      expiresAt: gateway.clock.ms + 600_000,
    };
    await gateway.store.addLease(lease, 8, gateway.clock.ms);
    expect(await gateway.request(here, 'session.list', {})).toMatchObject({
      sessions: expect.arrayContaining([
        expect.objectContaining({ session: here.caller.session, current: true }),
        expect.objectContaining({ session: there.caller.session, current: false }),
      ]),
    });
    const { session } = there.caller;
    expect(await gateway.request(here, 'session.end', { session })).toEqual({});
    expect(there.closedWith).toEqual(['session-ended']);
    expect(ended.map(({ jti }) => jti)).toEqual([lease.jti]);
    expect(gateway.told).toContainEqual({ type: 'sessions-ended', sessions: [session] });
    expect(await gateway.request(here, 'session.end', { session })).toEqual({
      refused: 'not-found',
    });
    expect(await gateway.request(here, 'session.end', {})).toEqual({});
    expect(here.closedWith).toEqual([]);
    await setImmediate();
    expect(here.closedWith).toEqual(['session-ended']);
    expect(await gateway.store.sessions(fingerprint(alice))).toEqual([]);
  });

  it("reaches nobody else's", async () => {
    const [here, other] = [await gateway.enter(alice), await gateway.enter(bob)];
    const { session } = other.caller;
    expect(await gateway.request(here, 'session.end', { session })).toEqual({
      refused: 'not-found',
    });
    expect(other.closedWith).toEqual([]);
  });
});

describe('devices of an account', () => {
  it('are listed, and one is revoked for ever with what it has open', async () => {
    const [here, lost] = [await gateway.enter(alice), await gateway.enter(phone)];
    const list = await gateway.request(here, 'device.list', {});
    expect(list).toMatchObject({
      devices: expect.arrayContaining([
        {
          device: lost.caller.device,
          state: 'Active',
          enrolledOn: gateway.clock.ms - 43_200_000,
          notAfter: phone.keys.notAfterMs,
        },
      ]),
    });
    const revocation = base64url(alice.revocation(phone.deviceId));
    expect(await gateway.request(here, 'device.revoke', { revocation })).toEqual({});
    expect(lost.closedWith).toEqual(['session-ended']);
    expect(here.caller.revocations).toHaveLength(1);
    expect(reasonOf((await gateway.login(phone)).step)).toBe('device-revoked');
    expect(reasonOf((await gateway.login(alice)).step)).toBe('welcome');
    expect(await gateway.request(here, 'device.revoke', { revocation })).toEqual({
      refused: 'already-done',
    });
  });

  it("are revoked by their own account's key only", async () => {
    const here = await gateway.enter(alice);
    const foreign = base64url(bob.revocation(alice.deviceId));
    expect(await gateway.request(here, 'device.revoke', { revocation: foreign })).toEqual({
      refused: 'forbidden',
    });
    const broken = alice.revocation().map((byte, at) => (at === 100 ? byte ^ 1 : byte));
    expect(await gateway.request(here, 'device.revoke', { revocation: base64url(broken) })).toEqual(
      { refused: 'bad-request' },
    );
    expect(reasonOf((await gateway.login(alice)).step)).toBe('welcome');
  });
});

describe('an account that asks about itself', () => {
  it('is told everything that is stored, but no secret', async () => {
    const here = await gateway.enter(alice);
    await gateway.enter(phone);
    await enrolTotp(gateway, here);
    await gateway.request(here, 'factor.recovery-codes.renew', {});
    const answer = await gateway.request(here, 'account.export', {});
    if (isRefused(answer)) throw new Error(answer.refused);
    expect(answer.account).toMatchObject({
      account: fingerprint(alice),
      identity: base64url(alice.identity),
      state: 'Active',
      registeredOn: gateway.clock.ms - 43_200_000,
      devices: [expect.anything(), expect.anything()],
      sessions: [expect.anything(), expect.anything()],
      factors: [{ kind: 'TOTP', label: 'phone' }],
      recoveryCodesLeft: 10,
      failures: 0,
      leases: [],
      revokedDevices: [],
    });
    const text = JSON.stringify(answer);
    for (const row of await gateway.store.factors(fingerprint(alice)))
      expect(text).not.toContain(base64url(row.secret));
    for (const row of await gateway.store.sessions(fingerprint(alice)))
      expect(text).not.toContain(base64url(row.tokenHash));
  });

  it('S91: shows a second factor of the last five minutes for its export and its deletion, if it has one', async () => {
    const here = await gateway.enter(alice);
    const app = await enrolTotp(gateway, here);
    gateway.clock.advance(300_000);
    for (const name of ['account.export', 'account.delete'] as const)
      expect(await gateway.request(here, name, {})).toEqual({ refused: 'step-up-needed' });
    await gateway.request(here, 'step-up.begin', {});
    const proof = { kind: 'TOTP', code: app.code() } as const;
    expect(await gateway.request(here, 'step-up.prove', { proof })).toEqual({
      until: gateway.clock.ms + 300_000,
    });
    gateway.clock.advance(299_999);
    expect(await gateway.request(here, 'account.export', {})).toHaveProperty('account');
    gateway.clock.advance(1);
    expect(await gateway.request(here, 'account.export', {})).toEqual({
      refused: 'step-up-needed',
    });
  });

  it('goes with all that is stored, and its revocations stay', async () => {
    const [here, other] = [await gateway.enter(alice), await gateway.enter(phone)];
    const lost = new Uint8Array(16).fill(9);
    const revocation = base64url(alice.revocation(lost));
    await gateway.request(here, 'device.revoke', { revocation });
    expect(await gateway.request(here, 'account.delete', {})).toEqual({});
    expect(other.closedWith).toContain('session-ended');
    await setImmediate();
    expect(here.closedWith).toContain('session-ended');
    expect(gateway.told).toContainEqual({ type: 'account-changed', account: fingerprint(alice) });
    expect(await gateway.store.account(fingerprint(alice))).toBeUndefined();
    expect(await gateway.store.revocations(fingerprint(alice))).toHaveLength(1);
    const { rows } = await gateway.store.deletions(undefined, 10);
    expect(rows).toContainEqual({
      class: 'account',
      count: 1,
      at: gateway.clock.ms,
      reason: 'Requested',
    });
  });

  it('stays while retention suspends deletions', async () => {
    const here = await gateway.enter(alice);
    gateway.change({ retention: { deletion: 'Suspended' } });
    expect(await gateway.request(here, 'account.delete', {})).toEqual({ refused: 'forbidden' });
    gateway.change({ retention: { classes: { account: { atLeastSeconds: 86_400 } } } });
    expect(await gateway.request(here, 'account.delete', {})).toEqual({ refused: 'forbidden' });
    expect(await gateway.store.account(fingerprint(alice))).toBeDefined();
  });
});
