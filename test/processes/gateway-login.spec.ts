import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { anAccount } from '../identities.js';
import {
  ADDRESS,
  EXPORTER,
  fingerprint,
  loginMessage,
  reasonOf,
  startLogin,
  type LoginBed,
} from './gateway-login-bed.js';

const alice = anAccount(0x10);
const mallory = anAccount(0x40);
const behindProxy = { address: ADDRESS, viaTrustedProxy: true };
let gateway: LoginBed;

describe('a gateway that lets everybody register', () => {
  beforeEach(async () => {
    gateway = await startLogin({ hosts: ['gw.example.org', 'Second.example.org'] });
  });
  afterEach(async () => {
    await gateway.stop();
  });

  it('S8: lets a device in that signs the challenge: no name, no password', async () => {
    const { step } = await gateway.login(alice);
    expect(step.send).toMatchObject({
      type: 'welcome',
      gateway: 'demo/edge',
      account: fingerprint(alice),
      session: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/),
      endsAt: gateway.clock.ms + 3_600_000,
      idleSeconds: 900,
      administrator: false,
      enrolSecondFactor: false,
    });
  });

  it('S85: refuses a login that was captured, on another connection', async () => {
    const first = gateway.room.begin(gateway.facts());
    const captured = loginMessage(alice, first.first);
    expect(reasonOf(await first.receive(captured))).toBe('welcome');
    const again = gateway.room.begin(gateway.facts());
    expect(reasonOf(await again.receive(captured))).toBe('login-failed');
  });

  it('S85: takes a challenge once', async () => {
    const conversation = gateway.room.begin(gateway.facts());
    const message = loginMessage(alice, conversation.first);
    const [one, two] = await Promise.all([
      conversation.receive(message),
      conversation.receive(message),
    ]);
    expect([reasonOf(one), reasonOf(two)]).toEqual(['welcome', 'login-failed']);
    expect(reasonOf(await conversation.receive(message))).toBe('login-failed');
  });

  it('S85: refuses a challenge that is a minute old', async () => {
    const conversation = gateway.room.begin(gateway.facts());
    gateway.clock.advance(60_000);
    const step = await conversation.receive(loginMessage(alice, conversation.first));
    expect(reasonOf(step)).toBe('login-failed');
  });

  it('S85: refuses what was signed for another server', async () => {
    const other = { host: 'evil.example.org' };
    expect(reasonOf((await gateway.login(alice, other)).step)).toBe('login-failed');
    const relayed = { host: 'gw.example.org', signedHost: 'evil.example.org' };
    expect(reasonOf((await gateway.login(alice, relayed)).step)).toBe('login-failed');
    const second = { host: 'second.example.org' };
    expect(reasonOf((await gateway.login(alice, second)).step)).toBe('welcome');
  });

  it('S85: refuses what was signed for another TLS channel', async () => {
    const { step } = await gateway.login(alice, { exporter: EXPORTER.map((byte) => byte ^ 1) });
    expect(reasonOf(step)).toBe('login-failed');
  });

  it('S85: refuses a login without channel binding, except behind a trusted proxy, where it takes no other', async () => {
    const none = { exporter: 'none' } as const;
    const how = [
      none,
      { ...none, binding: 1 as const },
      { binding: 0 as const },
      { facts: behindProxy },
      { ...none, facts: behindProxy },
    ];
    const reasons = [];
    for (const change of how) reasons.push(reasonOf((await gateway.login(alice, change)).step));
    expect(reasons).toEqual([
      'login-failed',
      'login-failed',
      'login-failed',
      'login-failed',
      'welcome',
    ]);
  });

  it("refuses somebody else's binding with one's own signature, and every broken binding", async () => {
    const bindings = [
      alice.binding.subarray(1),
      alice.binding.map((byte, at) => (at === 0 ? 2 : byte)),
      alice.binding.map((byte, at) => (at === 200 ? byte ^ 1 : byte)),
      new Uint8Array(201),
      anAccount(0x10, { notAfterMs: gateway.clock.ms }).binding,
      anAccount(0x10, { notBeforeMs: gateway.clock.ms + 30_001 }).binding,
    ];
    for (const device of bindings)
      expect(reasonOf((await gateway.login(alice, { device })).step)).toBe('login-failed');
    const stolen = { deviceSeed: mallory.deviceSeed };
    expect(reasonOf((await gateway.login(alice, stolen)).step)).toBe('login-failed');
    expect(await gateway.store.account(fingerprint(alice))).toBeUndefined();
  });

  it('ends a login that begins with another message', async () => {
    const conversation = gateway.room.begin(gateway.facts());
    const proof = { kind: 'TOTP', code: '123456' } as const;
    expect(reasonOf(await conversation.receive({ type: 'second-factor', proof }))).toBe(
      'login-failed',
    );
    expect(reasonOf(await conversation.receive(loginMessage(alice, conversation.first)))).toBe(
      'login-failed',
    );
  });

  it('counts and records each outcome, and every series begins at 0', async () => {
    const attempts = (outcome: string, reason: string) =>
      gateway.metric(
        `sallyport_auth_attempts_total{outcome="${outcome}",method="device-key",reason="${reason}"}`,
      );
    expect(await attempts('success', 'none')).toBe(0);
    expect(await attempts('failure', 'invalid-signature')).toBe(0);
    expect(await gateway.metric('sallyport_auth_lockouts_total')).toBe(0);
    await gateway.login(alice);
    await gateway.login(alice, { deviceSeed: mallory.deviceSeed });
    expect(await attempts('success', 'none')).toBe(1);
    expect(await attempts('failure', 'invalid-signature')).toBe(1);
    expect(gateway.events.map(({ action, reason = '' }) => `${action} ${reason}`.trim())).toEqual([
      'account.register',
      'device.enrol',
      'login.accept',
      'session.begin',
      'login.refuse InvalidSignature',
    ]);
    expect(gateway.events.at(-1)?.actor).toEqual({ kind: 'anonymous' });
  });
});

describe('an address from which logins fail', () => {
  beforeEach(async () => {
    gateway = await startLogin({ rateLimits: { failedLoginsPerAddressPerMinute: 3 } });
  });
  afterEach(async () => {
    await gateway.stop();
  });
  const fail = (address: string) =>
    gateway.login(alice, {
      deviceSeed: mallory.deviceSeed,
      facts: gateway.facts({ address }),
    });

  it('waits after the third failure in a minute, its /64 with it, and nobody else', async () => {
    for (let failure = 0; failure < 3; failure++)
      expect(reasonOf((await fail(`2001:db8:0:1::${failure}`)).step)).toBe('login-failed');
    const from = (address: string) => gateway.login(alice, { facts: gateway.facts({ address }) });
    const { step } = await from('2001:db8:0:1:ffff::1');
    expect(step.send).toEqual({
      type: 'refused',
      reason: 'too-many-logins',
      retryAfterSeconds: 20,
    });
    expect(reasonOf((await from('2001:db8:0:2::1')).step)).toBe('welcome');
    gateway.clock.advance(20_000);
    expect(reasonOf((await from('2001:db8:0:1:ffff::1')).step)).toBe('welcome');
  });

  it('never makes logins that succeed wait', async () => {
    for (let login = 0; login < 10; login++)
      expect(reasonOf((await gateway.login(alice)).step)).toBe('welcome');
  });
});

describe('an account that logs in too often', () => {
  it('is told when to come back, while a session that is open may be taken up', async () => {
    gateway = await startLogin({ rateLimits: { loginsPerAccountPerHour: 2 } });
    const { step } = await gateway.login(alice);
    const session = 'session' in step.send ? step.send.session : undefined;
    expect(reasonOf((await gateway.login(alice, { session: session ?? '' })).step)).toBe('welcome');
    const { step: other } = await gateway.login(alice);
    expect(reasonOf(other)).toBe('welcome');
    expect((await gateway.login(alice)).step.send).toEqual({
      type: 'refused',
      reason: 'too-many-logins',
      retryAfterSeconds: 1800,
    });
    expect(reasonOf((await gateway.login(mallory)).step)).toBe('welcome');
    await gateway.stop();
  });
});
