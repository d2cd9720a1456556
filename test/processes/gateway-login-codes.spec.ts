import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Ajv } from 'ajv';
import { isRefused } from '../../src/gateway/caller.js';
import { FROM_ENDPOINT } from '../../src/messages/signaling.js';
import { anAccount } from '../identities.js';
import { fingerprint, reasonOf, startLogin, type LoginBed } from './gateway-login-bed.js';
import { codeAt, enrolTotp, type CodeApp } from './gateway-login-totp.js';

const alice = anAccount(0x10);
const everyone = {
  authentication: {
    secondFactors: { allowed: ['Totp'], requiredFor: 'Everyone' as const },
    lockout: { maxAttempts: 5, windowSeconds: 900, durationSeconds: 1800 },
  },
};
let gateway: LoginBed;
let app: CodeApp;

/** Logs in and shows `code`. */
async function withCode(code: string) {
  const { step, conversation } = await gateway.login(alice);
  if (step.send.type !== 'second-factor') return step;
  return conversation.receive({ type: 'second-factor', proof: { kind: 'TOTP', code } });
}

/** In a step of its own. */
const later = <Result>(run: () => Promise<Result>): Promise<Result> => {
  gateway.clock.advance(60_000);
  return run();
};

async function withRecoveryCode(code: string) {
  const { step, conversation } = await gateway.login(alice);
  if (step.send.type !== 'second-factor') return step;
  return conversation.receive({ type: 'second-factor', proof: { kind: 'RecoveryCode', code } });
}

beforeEach(async () => {
  gateway = await startLogin(everyone);
  const connection = await gateway.enter(alice);
  expect(connection.caller.mustEnrol).toBe(true);
  app = await enrolTotp(gateway, connection);
  expect(connection.caller).toMatchObject({ mustEnrol: false, secondFactorAt: gateway.clock.ms });
});
afterEach(async () => {
  await gateway.stop();
});

describe('an account with a telephone that shows codes', () => {
  it('S87: gets in with a code of now, of one step before and of one step later', async () => {
    for (const later of [0, -30, 30]) {
      gateway.clock.advance(90_000);
      expect(reasonOf(await withCode(app.code(later)))).toBe('welcome');
    }
    gateway.clock.advance(120_000);
    for (const later of [-60, 60])
      expect(reasonOf(await withCode(app.code(later)))).toBe('second-factor');
  });

  it('T29: takes a code once, also of a step that is over, and the one that confirmed it never', async () => {
    expect(reasonOf(await withCode(app.code()))).toBe('second-factor');
    gateway.clock.advance(60_000);
    const [before, now] = [app.code(-30), app.code()];
    expect(reasonOf(await withCode(now))).toBe('welcome');
    expect(reasonOf(await withCode(now))).toBe('second-factor');
    expect(reasonOf(await withCode(before))).toBe('second-factor');
    expect(
      await gateway.metric(
        'sallyport_auth_attempts_total{outcome="failure",method="totp",reason="replayed-proof"}',
      ),
    ).toBe(3);
  });

  it('T29: takes one code once of 20 that come at the same time', async () => {
    gateway.clock.advance(60_000);
    gateway.change({
      authentication: {
        ...everyone.authentication,
        lockout: { maxAttempts: 100, windowSeconds: 900, durationSeconds: 60 },
      },
    });
    const asked = await Promise.all(Array.from({ length: 20 }, () => gateway.login(alice)));
    const proof = { kind: 'TOTP', code: app.code() } as const;
    const steps = await Promise.all(
      asked.map(({ conversation }) => conversation.receive({ type: 'second-factor', proof })),
    );
    expect(steps.filter((step) => reasonOf(step) === 'welcome')).toHaveLength(1);
  });

  it('answers a step-up within two minutes', async () => {
    const inside = gateway.connect(await later(() => withCode(app.code())));
    await gateway.request(inside, 'step-up.begin', {});
    gateway.clock.advance(120_000);
    const proof = { kind: 'TOTP', code: app.code() } as const;
    expect(await gateway.request(inside, 'step-up.prove', { proof })).toEqual({
      refused: 'proof-invalid',
    });
    await gateway.request(inside, 'step-up.begin', {});
    expect(await gateway.request(inside, 'step-up.prove', { proof })).toHaveProperty('until');
  });

  it('T29: a code as number, list, or digits of another script is no message', () => {
    const isMessage = new Ajv({ strict: false }).compile(FROM_ENDPOINT);
    const message = (code: unknown) => ({ type: 'second-factor', proof: { kind: 'TOTP', code } });
    expect(isMessage(message('123456'))).toBe(true);
    for (const code of [123_456, ['123456'], '١٢٣٤٥٦', '12345', '1234567', '123456\n', '+12345'])
      expect(isMessage(message(code))).toBe(false);
  });

  it('T29: cannot have its secret replaced without showing a code', async () => {
    gateway.clock.advance(300_000);
    gateway.change({
      authentication: { secondFactors: { allowed: ['Totp'], requiredFor: 'Nobody' } },
    });
    const thief = await gateway.enter(alice);
    expect(await gateway.request(thief, 'factor.totp.begin', {})).toEqual({
      refused: 'step-up-needed',
    });
    expect(await gateway.request(thief, 'factor.remove', { factor: app.factor })).toEqual({
      refused: 'step-up-needed',
    });
  });

  it('has no secret on the disk that could be read without the key beside it', async () => {
    const inside = gateway.connect(await later(() => withCode(app.code())));
    const begun = await gateway.request(inside, 'factor.totp.begin', {});
    if (isRefused(begun)) throw new Error(begun.refused);
    const secret = Buffer.from(begun.secret, 'base64url');
    const body = { code: codeAt(secret, gateway.clock.ms), label: 'second' };
    expect(await gateway.request(inside, 'factor.totp.confirm', body)).toHaveProperty('factor');
    const disk = await gateway.disk();
    expect(disk.includes('second')).toBe(true);
    expect(disk.includes(secret)).toBe(false);
    expect(disk.includes(begun.secret)).toBe(false);
  });
});

describe('recovery codes', () => {
  const renew = async () => {
    gateway.clock.advance(60_000);
    const inside = gateway.connect(await withCode(app.code()));
    const made = await gateway.request(inside, 'factor.recovery-codes.renew', {});
    return isRefused(made) ? [made.refused] : made.codes;
  };

  it('S87: are ten, each opens one login, with or without its hyphens, and new ones end the old', async () => {
    const codes = await renew();
    expect(codes).toHaveLength(10);
    expect(new Set(codes).size).toBe(10);
    const [first = '', second = ''] = codes;
    expect(first).toMatch(/^([a-z2-7]{5}-){3}[a-z2-7]{5}$/);
    expect(reasonOf(await withRecoveryCode(first))).toBe('welcome');
    expect(reasonOf(await withRecoveryCode(first))).toBe('second-factor');
    expect(reasonOf(await withRecoveryCode(second.replaceAll('-', '')))).toBe('welcome');
    expect(await gateway.store.recoveryCodesLeft(fingerprint(alice))).toBe(8);
    const [fresh = ''] = await renew();
    expect(reasonOf(await withRecoveryCode(codes[2] ?? ''))).toBe('second-factor');
    expect(reasonOf(await withRecoveryCode(fresh))).toBe('welcome');
  });

  it('of one account open no other', async () => {
    const bob = anAccount(0x50);
    const codes = await renew();
    const other = await gateway.enter(bob);
    await enrolTotp(gateway, other);
    await gateway.request(other, 'factor.recovery-codes.renew', {});
    const { step, conversation } = await gateway.login(bob);
    expect(step.send).toMatchObject({ kinds: ['TOTP', 'RecoveryCode'] });
    const proof = { kind: 'RecoveryCode', code: codes[0] ?? '' } as const;
    const refused = await conversation.receive({ type: 'second-factor', proof });
    expect(reasonOf(refused)).toBe('second-factor');
  });

  it('are asked for only of who has some', async () => {
    gateway.clock.advance(60_000);
    const { step } = await gateway.login(alice);
    expect(step.send).toMatchObject({ kinds: ['TOTP'] });
  });
});

describe('a policy that asks for kinds', () => {
  it('S74: of what an account has, asks for those that are enabled', async () => {
    gateway.change({
      authentication: { secondFactors: { allowed: ['WebAuthn'], requiredFor: 'Everyone' } },
    });
    gateway.clock.advance(60_000);
    const step = await withCode(app.code());
    expect(step.send).toMatchObject({ type: 'welcome', enrolSecondFactor: true });
    const inside = gateway.connect(step);
    expect(await gateway.request(inside, 'factor.totp.begin', {})).toEqual({
      refused: 'forbidden',
    });
    expect(await gateway.request(inside, 'factor.web-authn.begin', {})).toHaveProperty('challenge');
  });

  it('S74: and allows none, keeps those out who must show one', async () => {
    gateway.change({
      authentication: { secondFactors: { allowed: [], requiredFor: 'Everyone' } },
    });
    expect(reasonOf((await gateway.login(anAccount(0x50))).step)).toBe('no-second-factor');
  });

  it('S88: SMS never counts: a gateway whose settings name it does not start, and says why', async () => {
    await expect(
      startLogin({
        authentication: { secondFactors: { allowed: ['Totp', 'SMS'], requiredFor: 'Everyone' } },
      }),
    ).rejects.toThrow(/SMS never counts as a second factor, because whoever takes over the number/);
    gateway.change({
      authentication: { secondFactors: { allowed: ['SMS'], requiredFor: 'Everyone' } },
    });
    expect(reasonOf((await gateway.login(anAccount(0x50))).step)).toBe('no-second-factor');
  });
});
