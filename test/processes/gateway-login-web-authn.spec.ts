import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { isRefused } from '../../src/gateway/caller.js';
import type { AccountPolicy } from '../../src/gateway/login/factor-policy.js';
import type { FactorProof } from '../../src/messages/fields.js';
import { Authenticator, type Behaviour } from '../authenticator/authenticator.js';
import { anAccount, type Account } from '../identities.js';
import { enrolTotp } from './gateway-login-totp.js';
import {
  anotherDevice,
  fingerprint,
  HOST,
  startLogin,
  type LoginBed,
  type TestConnection,
} from './gateway-login-bed.js';

const alice = anAccount(0x10);
const bob = anAccount(0x50);
const ORIGIN = `https://${HOST}`;
let gateway: LoginBed;
let policy: AccountPolicy;

beforeEach(async () => {
  policy = { required: false };
  gateway = await startLogin({ options: { policyOf: () => policy } });
});
afterEach(async () => {
  await gateway.stop();
});

/** Enrols `key` for the account of the connection: the handle of the factor, or the refusal. */
async function enrol(connection: TestConnection, key: Authenticator, behaviour: Behaviour = {}) {
  const begun = await gateway.request(connection, 'factor.web-authn.begin', {});
  if (isRefused(begun)) return begun.refused;
  const answer = key.create({ ...begun, origin: ORIGIN }, behaviour);
  const done = await gateway.request(connection, 'factor.web-authn.confirm', {
    ...answer,
    label: 'key',
  });
  return isRefused(done) ? done.refused : done.factor;
}

/** Asks for a step-up and answers it: until when it holds, or the refusal. */
async function stepUp(
  connection: TestConnection,
  answer: (asked: { challenge: string; rpId: string }) => FactorProof,
) {
  const asked = await gateway.request(connection, 'step-up.begin', {});
  if (isRefused(asked) || asked.webAuthn === undefined) throw new Error('nothing is asked');
  const proof = answer(asked.webAuthn);
  const done = await gateway.request(connection, 'step-up.prove', { proof });
  return isRefused(done) ? done.refused : done.until;
}

const withKey = (key: Authenticator, behaviour: Behaviour = {}, origin = ORIGIN) =>
  ((asked) => key.get({ ...asked, origin }, behaviour)) as Parameters<typeof stepUp>[1];

async function enrolledAccount(account: Account, key: Authenticator, behaviour: Behaviour = {}) {
  const connection = await gateway.enter(account);
  expect(await enrol(connection, key, behaviour)).toMatch(/^[A-Za-z0-9_-]{22}$/);
  return connection;
}

describe('a security key of an account', () => {
  it('S86: is enrolled, asked for at login, and removed', async () => {
    const key = new Authenticator();
    const connection = await enrolledAccount(alice, key);
    gateway.change({
      authentication: { secondFactors: { allowed: ['WebAuthn'], requiredFor: 'Everyone' } },
    });
    const { step, conversation } = await gateway.login(alice);
    if (step.send.type !== 'second-factor' || !step.send.webAuthn) throw new Error('not asked');
    expect(step.send).toMatchObject({ kinds: ['WebAuthn'], attemptsLeft: 5 });
    const proof = key.get({ ...step.send.webAuthn, origin: ORIGIN });
    const welcome = await conversation.receive({ type: 'second-factor', proof });
    expect(welcome.send).toMatchObject({ type: 'welcome', enrolSecondFactor: false });
    const inside = gateway.connect(welcome);
    expect(inside.caller.secondFactorAt).toBe(gateway.clock.ms);
    const list = await gateway.request(connection, 'factor.list', {});
    const factor = isRefused(list) ? '' : (list.factors[0]?.factor ?? '');
    expect(await gateway.request(inside, 'factor.remove', { factor })).toEqual({
      refused: 'second-factor-needed',
    });
    gateway.change({});
    expect(await gateway.request(inside, 'factor.remove', { factor })).toEqual({});
  });

  it('T30: is refused with another relying party, origin, ceremony or channel of the page', async () => {
    const key = new Authenticator();
    const connection = await enrolledAccount(alice, key);
    const wrong = [
      withKey(key, { rpId: 'evil.example.org' }),
      withKey(key, {}, 'https://evil.example.org'),
      withKey(key, {}, `http://${HOST}`),
      withKey(key, {}, `https://${HOST}.evil.example`),
      withKey(key, { type: 'webauthn.create' }),
      withKey(key, { userPresent: false, userVerified: false }),
    ];
    gateway.change({
      authentication: { lockout: { maxAttempts: 50, windowSeconds: 900, durationSeconds: 60 } },
    });
    for (const answer of wrong) expect(await stepUp(connection, answer)).toBe('proof-invalid');
    expect(await stepUp(connection, withKey(key))).toBe(gateway.clock.ms + 300_000);
  });

  it('T30: answers a challenge once, within two minutes', async () => {
    const key = new Authenticator();
    const connection = await enrolledAccount(alice, key);
    let captured: FactorProof | undefined;
    const first = await stepUp(connection, (asked) => {
      captured = key.get({ ...asked, origin: ORIGIN });
      return captured;
    });
    expect(first).toBe(gateway.clock.ms + 300_000);
    if (captured === undefined) throw new Error('nothing was captured');
    const replayed = captured;
    expect(await gateway.request(connection, 'step-up.prove', { proof: replayed })).toEqual({
      refused: 'proof-invalid',
    });
    expect(await stepUp(connection, () => replayed)).toBe('proof-invalid');
    const late = await stepUp(connection, (asked) => {
      gateway.clock.advance(120_000);
      return key.get({ ...asked, origin: ORIGIN });
    });
    expect(late).toBe('proof-invalid');
  });

  it('T30: answers at login within two minutes as well', async () => {
    const key = new Authenticator();
    await enrolledAccount(alice, key);
    policy = { required: true };
    const { step, conversation } = await gateway.login(alice);
    if (step.send.type !== 'second-factor' || !step.send.webAuthn) throw new Error('not asked');
    gateway.clock.advance(120_000);
    const late = key.get({ ...step.send.webAuthn, origin: ORIGIN });
    const again = await conversation.receive({ type: 'second-factor', proof: late });
    if (again.send.type !== 'second-factor' || !again.send.webAuthn) throw new Error('not again');
    const proof = key.get({ ...again.send.webAuthn, origin: ORIGIN });
    const inside = await conversation.receive({ type: 'second-factor', proof });
    expect(inside.send.type).toBe('welcome');
  });

  it("T30: is of no use with somebody else's key or somebody else's credential", async () => {
    const [key, other] = [new Authenticator(), new Authenticator()];
    const connection = await enrolledAccount(alice, key);
    await enrolledAccount(bob, other);
    expect(await stepUp(connection, withKey(other))).toBe('proof-invalid');
    const forged = await stepUp(connection, (asked) => {
      const proof = other.get({ ...asked, origin: ORIGIN });
      return { ...proof, answer: { ...proof.answer, id: key.id.toString('base64url') } };
    });
    expect(forged).toBe('proof-invalid');
    const begun = await gateway.request(connection, 'factor.list', {});
    expect(begun).toMatchObject({ factors: [{ kind: 'WebAuthn' }] });
  });

  it('T30: whose counter falls back is a clone: refused, counted and recorded', async () => {
    const key = new Authenticator();
    const connection = await enrolledAccount(alice, key);
    expect(await stepUp(connection, withKey(key, { counter: 7 }))).toBe(gateway.clock.ms + 300_000);
    for (const counter of [7, 6, 0])
      expect(await stepUp(connection, withKey(key, { counter }))).toBe('proof-invalid');
    expect(
      await gateway.metric(
        'sallyport_auth_attempts_total{outcome="failure",method="web-authn",reason="cloned-key"}',
      ),
    ).toBe(3);
    const clones = gateway.events.filter(({ action }) => action === 'factor.detect-clone');
    expect(clones).toHaveLength(3);
    expect(await stepUp(connection, withKey(key, { counter: 8 }))).toBe(gateway.clock.ms + 300_000);
  });

  it('T30: that never counts says 0 every time and is believed', async () => {
    const key = new Authenticator({ counts: false });
    const connection = await enrolledAccount(alice, key);
    for (let use = 0; use < 3; use++)
      expect(await stepUp(connection, withKey(key))).toBe(gateway.clock.ms + 300_000);
  });
});

describe('the enrolment of a security key', () => {
  it.each([
    ['with another algorithm than Ed25519 and ES256 (RS1)', { algorithm: -65_535 }],
    ['with RS256', { algorithm: -257 }],
    [
      'with a statement of its maker that does not verify',
      { format: 'packed', spoofedAttestation: true },
    ],
    ['with a statement of a kind that is not accepted', { format: 'android-safetynet' }],
    ['for another relying party', { rpId: 'evil.example.org' }],
    ['without anybody present', { userPresent: false, userVerified: false }],
    ['as the answer of another ceremony', { type: 'webauthn.get' }],
  ] satisfies [string, Behaviour][])('T30: is refused %s', async (_, behaviour) => {
    const connection = await gateway.enter(alice);
    expect(await enrol(connection, new Authenticator(), behaviour)).toBe('proof-invalid');
    expect(await gateway.store.factors(fingerprint(alice))).toEqual([]);
  });

  it('takes a statement that the key makes about itself', async () => {
    await enrolledAccount(alice, new Authenticator(), { format: 'packed' });
  });

  it('T30: is refused with garbage, cut short, or deeply nested', async () => {
    const connection = await gateway.enter(alice);
    const key = new Authenticator();
    const hostile = [
      Buffer.alloc(4_000, 0x81),
      Buffer.from([0xbf, 0xff]),
      Buffer.alloc(1),
      Buffer.from([0x9b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
    ];
    for (const attestation of hostile) {
      const begun = await gateway.request(connection, 'factor.web-authn.begin', {});
      if (isRefused(begun)) throw new Error(begun.refused);
      const answer = {
        ...key.create({ ...begun, origin: ORIGIN }),
        attestationObject: attestation.toString('base64url'),
        label: 'key',
      };
      expect(await gateway.request(connection, 'factor.web-authn.confirm', answer)).toEqual({
        refused: 'proof-invalid',
      });
    }
  });

  it('refuses the same key twice', async () => {
    const key = new Authenticator();
    const connection = await enrolledAccount(alice, key);
    expect(await enrol(connection, key)).toBe('already-exists');
  });

  it('T29: of a further one takes a proof of one that is there', async () => {
    await enrolledAccount(alice, new Authenticator());
    const thief = await gateway.enter(anotherDevice(alice, 0x60));
    expect(await enrol(thief, new Authenticator())).toBe('step-up-needed');
    expect(await gateway.request(thief, 'factor.totp.begin', {})).toEqual({
      refused: 'step-up-needed',
    });
    expect(await gateway.request(thief, 'factor.recovery-codes.renew', {})).toEqual({
      refused: 'step-up-needed',
    });
  });
});

describe('a platform authenticator', () => {
  const platform = { transports: ['internal'] } as const;

  it('S89: counts only when it has verified its user, at its enrolment and each time', async () => {
    const key = new Authenticator();
    const connection = await gateway.enter(alice);
    const unverified = { ...platform, userVerified: false };
    expect(await enrol(connection, key, unverified)).toBe('proof-invalid');
    expect(await enrol(connection, key, platform)).toMatch(/^[A-Za-z0-9_-]{22}$/);
    expect(await stepUp(connection, withKey(key, { userVerified: false }))).toBe('proof-invalid');
    expect(await stepUp(connection, withKey(key))).toBe(gateway.clock.ms + 300_000);
  });

  it('T30: does not count where a role asks for a roaming key', async () => {
    const connection = await gateway.enter(alice);
    const [internal, roaming] = [new Authenticator(), new Authenticator()];
    expect(await enrol(connection, internal, platform)).toMatch(/^[A-Za-z0-9_-]{22}$/);
    policy = { required: true, roamingKey: true };
    expect(await enrol(connection, new Authenticator(), platform)).toBe('forbidden');
    expect(await stepUp(connection, withKey(internal))).toBe('second-factor-needed');
    expect(await enrol(connection, roaming)).toMatch(/^[A-Za-z0-9_-]{22}$/);
    expect(await stepUp(connection, withKey(internal))).toBe('proof-invalid');
    expect(await stepUp(connection, withKey(roaming))).toBe(gateway.clock.ms + 300_000);
  });

  it('T30: that can be copied to other machines is no roaming key, whatever its transports are', async () => {
    policy = { required: true, roamingKey: true };
    const connection = await gateway.enter(alice);
    const key = new Authenticator();
    expect(await enrol(connection, key, { backupEligible: true })).toBe('forbidden');
  });
});

describe('a role that asks for user verification', () => {
  it('T30: refuses a key that only felt a touch', async () => {
    const key = new Authenticator();
    const connection = await enrolledAccount(alice, key, { userVerified: false });
    expect(await stepUp(connection, withKey(key, { userVerified: false }))).toBe(
      gateway.clock.ms + 300_000,
    );
    policy = { required: true, userVerification: true };
    expect(await stepUp(connection, withKey(key, { userVerified: false }))).toBe('proof-invalid');
    expect(await stepUp(connection, withKey(key))).toBe(gateway.clock.ms + 300_000);
  });
});

describe('an account under a role that asks for a roaming key', () => {
  it('S90: that has codes only shows one, may enrol a key, and nothing else', async () => {
    const before = await gateway.enter(alice);
    const app = await enrolTotp(gateway, before);
    policy = { required: true, roamingKey: true };
    gateway.clock.advance(30_000);
    const { step, conversation } = await gateway.login(alice);
    expect(step.send).toMatchObject({ type: 'second-factor', kinds: ['TOTP'] });
    const proof = { kind: 'TOTP', code: app.code() } as const;
    const inside = gateway.connect(await conversation.receive({ type: 'second-factor', proof }));
    expect(inside.caller.mustEnrol).toBe(true);
    const stored = await gateway.store.sessions(fingerprint(alice));
    expect(stored.map(({ secondFactorAt }) => secondFactorAt)).toEqual([undefined]);
    expect(await enrol(inside, new Authenticator())).toMatch(/^[A-Za-z0-9_-]{22}$/);
    expect(inside.caller).toMatchObject({ mustEnrol: false, secondFactorAt: gateway.clock.ms });
  });

  it('S90: asks at login for the key only, when there is one', async () => {
    const connection = await enrolledAccount(alice, new Authenticator());
    await enrolTotp(gateway, connection);
    policy = { required: true, roamingKey: true };
    const { step, conversation } = await gateway.login(alice);
    expect(step.send).toMatchObject({ type: 'second-factor', kinds: ['WebAuthn'] });
    const proof = { kind: 'TOTP', code: '000000' } as const;
    const wrong = await conversation.receive({ type: 'second-factor', proof });
    expect(wrong.send).toMatchObject({ type: 'second-factor', attemptsLeft: 4 });
  });
});
