import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { LoginStep } from '../../src/gateway/rooms.js';
import { anAccount } from '../identities.js';
import {
  anotherDevice,
  fingerprint,
  reasonOf,
  startLogin,
  type LoginBed,
} from './gateway-login-bed.js';
import { enrolTotp, type CodeApp } from './gateway-login-totp.js';

const alice = anAccount(0x10);
const phone = anotherDevice(alice, 0x60);
const mallory = anAccount(0x90);
let gateway: LoginBed;
let app: CodeApp;
let session: string;

beforeEach(async () => {
  gateway = await startLogin({
    authentication: { secondFactors: { allowed: ['Totp'], requiredFor: 'Everyone' } },
  });
  app = await enrolTotp(gateway, await gateway.enter(alice));
  gateway.clock.advance(60_000);
  const inside = await answer(app.code());
  session = inside.send.type === 'welcome' ? (inside.send.session ?? '') : '';
  gateway.clock.advance(60_000);
});
afterEach(async () => {
  await gateway.stop();
});

/** A login of `who` that shows `code`. */
async function answer(code: string, who = alice): Promise<LoginStep> {
  const { step, conversation } = await gateway.login(who);
  if (step.send.type !== 'second-factor') return step;
  return conversation.receive({ type: 'second-factor', proof: { kind: 'TOTP', code } });
}
const wrong = () => (app.code() === '000000' ? '000001' : '000000');
const locked = (seconds: number) => ({
  type: 'refused',
  reason: 'account-locked',
  retryAfterSeconds: seconds,
});
const lockouts = () => gateway.metric('sallyport_auth_lockouts_total');

describe('an account whose second factor is guessed', () => {
  it('S155: is locked by the fifth failure, not the fourth and not the sixth', async () => {
    for (let left = 4; left >= 1; left--)
      expect((await answer(wrong())).send).toMatchObject({
        type: 'second-factor',
        attemptsLeft: left,
      });
    expect(await lockouts()).toBe(0);
    expect((await answer(wrong())).send).toEqual(locked(1800));
    expect(await lockouts()).toBe(1);
    expect((await answer(app.code())).send).toEqual(locked(1800));
    expect(await lockouts()).toBe(1);
  });

  it('S155: gets in with a right fifth proof, and begins again at none', async () => {
    for (let failure = 0; failure < 4; failure++) await answer(wrong());
    expect(reasonOf(await answer(app.code()))).toBe('welcome');
    gateway.clock.advance(60_000);
    for (let failure = 0; failure < 4; failure++)
      expect(reasonOf(await answer(wrong()))).toBe('second-factor');
    expect(reasonOf(await answer(app.code()))).toBe('welcome');
  });

  it('S155: counts 100 guesses at the same time as 100: five are looked at', async () => {
    gateway.change({ rateLimits: { loginsPerAccountPerHour: 3_600 } });
    const asked = await Promise.all(Array.from({ length: 100 }, () => gateway.login(alice)));
    const right = app.code();
    const steps = await Promise.all(
      asked.map(({ conversation }, at) => {
        // The right code comes as the seventh of all.
        const proof = { kind: 'TOTP', code: at === 6 ? right : wrong() } as const;
        return conversation.receive({ type: 'second-factor', proof });
      }),
    );
    const reasons = steps.map(reasonOf);
    expect(reasons.filter((reason) => reason === 'welcome')).toHaveLength(0);
    expect(reasons.filter((reason) => reason === 'second-factor')).toHaveLength(4);
    expect(reasons.filter((reason) => reason === 'account-locked')).toHaveLength(96);
    expect(await lockouts()).toBe(1);
    const looked = await gateway.metric(
      'sallyport_auth_attempts_total{outcome="failure",method="totp",reason="invalid-proof"}',
    );
    expect(looked).toBe(5);
  });

  it('S155: counts all kinds of factors and step-ups together', async () => {
    const inside = gateway.connect((await gateway.login(alice, { session })).step);
    await answer(wrong());
    const { conversation } = await gateway.login(alice);
    const code = 'aaaaa-aaaaa-aaaaa-aaaaa';
    await conversation.receive({ type: 'second-factor', proof: { kind: 'RecoveryCode', code } });
    for (let failure = 0; failure < 2; failure++) {
      await gateway.request(inside, 'step-up.begin', {});
      const proof = { kind: 'TOTP', code: wrong() } as const;
      expect(await gateway.request(inside, 'step-up.prove', { proof })).toEqual({
        refused: 'proof-invalid',
      });
    }
    await gateway.request(inside, 'step-up.begin', {});
    const proof = { kind: 'TOTP', code: wrong() } as const;
    expect(await gateway.request(inside, 'step-up.prove', { proof })).toEqual({
      refused: 'too-many',
      retryAfterSeconds: 1800,
    });
  });

  it('is let in again when the lock is over, to the second', async () => {
    for (let failure = 0; failure < 5; failure++) await answer(wrong());
    gateway.clock.advance(1_799_000);
    expect((await answer(app.code())).send).toEqual(locked(1));
    gateway.clock.advance(1_000);
    expect(reasonOf(await answer(app.code()))).toBe('welcome');
  });

  it('may try three times on one connection', async () => {
    const { conversation } = await gateway.login(alice);
    const guess = () =>
      conversation.receive({ type: 'second-factor', proof: { kind: 'TOTP', code: wrong() } });
    expect(reasonOf(await guess())).toBe('second-factor');
    expect(reasonOf(await guess())).toBe('second-factor');
    expect(reasonOf(await guess())).toBe('second-factor-failed');
    expect(reasonOf(await guess())).toBe('login-failed');
  });

  it('gets no more guesses on one connection by sending them at the same time', async () => {
    const { conversation } = await gateway.login(alice);
    const proof = { kind: 'TOTP', code: wrong() } as const;
    const steps = await Promise.all(
      [1, 2, 3].map(() => conversation.receive({ type: 'second-factor', proof })),
    );
    expect(steps.map(reasonOf)).toEqual(['second-factor', 'login-failed', 'login-failed']);
    expect((await gateway.store.lockout(fingerprint(alice))).failures).toBe(1);
  });
});

describe('a victim', () => {
  it('T28: is not locked out by whoever knows the account but has no device of it', async () => {
    for (let attempt = 0; attempt < 19; attempt++)
      expect(reasonOf((await gateway.login(alice, { deviceSeed: mallory.deviceSeed })).step)).toBe(
        'login-failed',
      );
    expect(await gateway.store.lockout(fingerprint(alice))).toEqual({ failures: 0 });
    expect(reasonOf(await answer(app.code()))).toBe('welcome');
  });

  it('T28: whose stolen device locks the account goes on in an open session, and revokes the device by logging in', async () => {
    gateway.change({
      authentication: { secondFactors: { allowed: ['Totp'], requiredFor: 'Nobody' } },
    });
    await gateway.enter(phone);
    gateway.change({});
    for (let failure = 0; failure < 5; failure++) await answer(wrong(), phone);
    expect(reasonOf((await gateway.login(alice)).step)).toBe('account-locked');
    const revocations = [alice.revocation(phone.deviceId)];
    expect(reasonOf((await gateway.login(alice, { revocations })).step)).toBe('account-locked');
    expect(reasonOf((await gateway.login(phone)).step)).toBe('device-revoked');
    expect(reasonOf((await gateway.login(alice, { session })).step)).toBe('welcome');
  });

  it('T28: is not locked out by 1,000 addresses without a device key', async () => {
    for (let address = 0; address < 1_000; address++) {
      const facts = gateway.facts({ address: `198.51.${address >> 8}.${address & 255}` });
      await gateway.login(alice, { deviceSeed: mallory.deviceSeed, facts });
    }
    expect(reasonOf(await answer(app.code()))).toBe('welcome');
  });
});
