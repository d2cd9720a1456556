import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { generateSync } from 'otplib';
import type { ToEndpoint } from '../../src/messages/signaling.js';
import { anAccount, type Account } from '../identities.js';
import { TestEndpoint } from '../processes/gateway-endpoint.js';
import { anotherDevice } from '../processes/gateway-login-bed.js';
import { aToken, anEnvelope, nameOf } from '../signaling-bed.js';
import { until } from './bus-replicas.js';
import { bodyOf, GatewayBed } from './gateway-bed.js';
import { atOnce } from './store-bed.js';

const alice = anAccount(0x10);
const bob = anAccount(0x20);
const carol = anAccount(0x30);
const grace = anAccount(0xb0);
const dave = anAccount(0x40);
const erin = anAccount(0x50);
const MAX_ATTEMPTS = 5;
const INVALID =
  'sallyport_auth_attempts_total{outcome="failure",method="totp",reason="invalid-proof"}';

let bed: GatewayBed;
/** Alice, Bob and Erin administer: of them a second factor is asked. */
beforeAll(async () => {
  bed = await GatewayBed.start((settings) => ({
    ...settings,
    authentication: {
      ...settings.authentication,
      administrators: [alice, bob, erin].map(nameOf),
      secondFactors: { allowed: ['Totp'], requiredFor: 'Administrators' },
      lockout: { maxAttempts: MAX_ATTEMPTS, windowSeconds: 900, durationSeconds: 1_800 },
    },
  }));
});
afterAll(async () => {
  await (bed as GatewayBed | undefined)?.stop(); // Undefined when it never started.
});

/** An app that shows codes; the first was used at its enrolment. */
interface App {
  right(): string;
  wrong(): string;
}

/** Enrols an app for the account at one replica. */
async function enrol(account: Account, at: number): Promise<App> {
  const endpoint = await bed.login(account, at);
  const { secret: text } = bodyOf(await endpoint.request('factor.totp.begin'));
  const secret = Buffer.from(String(text), 'base64url');
  const codeIn = (seconds: number) =>
    generateSync({ secret, epoch: Math.floor(Date.now() / 1_000) + seconds });
  const code = codeIn(0);
  bodyOf(await endpoint.request('factor.totp.confirm', { code, label: 'phone' }));
  endpoint.cut();
  return {
    right: () => codeIn(30),
    wrong: () => {
      const near = [-60, -30, 0, 30, 60].map(codeIn);
      return ['111111', '222222', '333333', '444444', '555555', '666666'].find(
        (each) => !near.includes(each),
      )!;
    },
  };
}

/** Logs in up to the question for a second factor. */
async function asked(account: Account, at: number): Promise<TestEndpoint> {
  const endpoint = await TestEndpoint.open(bed.place(at));
  expect(await endpoint.login(account)).toMatchObject({ type: 'second-factor' });
  return endpoint;
}

/** Shows a code; gives what is said to it. */
async function show(endpoint: TestEndpoint, code: string): Promise<ToEndpoint> {
  endpoint.send({ type: 'second-factor', proof: { kind: 'TOTP', code } });
  return endpoint.next();
}

describe('an account whose second factor is guessed at three replicas', () => {
  it('S155: is locked at the fifth failure, wherever the others were, and at all of them', async () => {
    const app = await enrol(alice, 0);
    const patient = await asked(alice, 1);
    for (let failure = 1; failure < MAX_ATTEMPTS; failure++) {
      const answer = await show(await asked(alice, failure % 3), app.wrong());
      expect(answer).toMatchObject({ type: 'second-factor', attemptsLeft: MAX_ATTEMPTS - failure });
    }
    const locked = { type: 'refused', reason: 'account-locked', retryAfterSeconds: 1_800 };
    expect(await show(await asked(alice, MAX_ATTEMPTS % 3), app.wrong())).toEqual(locked);
    expect(await show(patient, app.right())).toMatchObject({ reason: 'account-locked' });
    for (const at of [0, 1, 2]) {
      const endpoint = await TestEndpoint.open(bed.place(at));
      expect(await endpoint.login(alice)).toMatchObject({ reason: 'account-locked' });
    }
  });

  it('S155: has five proofs of twelve looked at that come to all of them at the same time', async () => {
    const app = await enrol(bob, 1);
    const before = await bed.sum(INVALID);
    const lockouts = await bed.sum('sallyport_auth_lockouts_total');
    const endpoints: TestEndpoint[] = [];
    for (let i = 0; i < 12; i++) endpoints.push(await asked(bob, i % 3));
    const answers = await Promise.all(endpoints.map((endpoint) => show(endpoint, app.wrong())));
    expect(answers.filter(({ type }) => type === 'second-factor')).toHaveLength(MAX_ATTEMPTS - 1);
    expect((await bed.sum(INVALID)) - before).toBe(MAX_ATTEMPTS);
    expect((await bed.sum('sallyport_auth_lockouts_total')) - lockouts).toBe(1);
  });
});

describe('an account that uses three replicas at the same time', () => {
  it('gets in once with one code of its app', async () => {
    const app = await enrol(erin, 0);
    const endpoints = await atOnce(3, (at) => asked(erin, at));
    const code = app.right();
    const answers = await Promise.all(endpoints.map((endpoint) => show(endpoint, code)));
    expect(answers.map(({ type }) => type).sort()).toEqual([
      'second-factor',
      'second-factor',
      'welcome',
    ]);
  });

  it.each([0x60, 0x70, 0x80, 0x90])(
    'is registered once, with all of its devices (%i)',
    async (seed) => {
      const frank = anAccount(seed);
      const devices = [frank, anotherDevice(frank, seed + 4), anotherDevice(frank, seed + 8)];
      const registered = () =>
        [0, 1, 2].flatMap(
          (at) => bed.replica(at).stdout.match(/"action":"account.register"/g) ?? [],
        );
      const before = registered().length;
      const endpoints = await atOnce(3, (at) => TestEndpoint.open(bed.place(at)));
      const answers = await atOnce(3, (at) => endpoints[at]!.login(devices[at]!));
      expect(answers.map(({ type }) => type)).toEqual(['welcome', 'welcome', 'welcome']);
      const { devices: known } = bodyOf(await endpoints[0]!.request('device.list'));
      expect(known).toHaveLength(3);
      await until('it is recorded', () => registered().length > before);
      expect(registered()).toHaveLength(before + 1);
    },
  );
});

describe('a device that connects to several replicas', () => {
  it('T26: goes on with its session at another, and is reached there, also after the older connection has ended', async () => {
    const older = await TestEndpoint.open(bed.place(0));
    const welcome = await older.login(carol);
    if (welcome.type !== 'welcome') throw new Error(JSON.stringify(welcome));
    const tokens = [aToken(1)];
    bodyOf(await older.request('rendezvous.listen', { tokens }));
    const newer = await TestEndpoint.open(bed.place(1));
    const resumed = await newer.login(carol, { session: welcome.session! });
    expect(resumed).toMatchObject({ type: 'welcome' });
    expect(resumed).not.toHaveProperty('session');
    bodyOf(await newer.request('rendezvous.listen', { tokens }));
    expect(await older.closed).toEqual({ code: 4409, reason: 'superseded' });
    const sender = await bed.login(dave, 2);
    const sent = { token: aToken(1), envelope: anEnvelope() };
    bodyOf(await sender.request('envelope.send', sent));
    expect(await newer.until(({ type }) => type === 'notice')).toMatchObject({ body: sent });
  });

  it('T26: keeps the latest connection, however fast it goes from one replica to the next', async () => {
    const first = await TestEndpoint.open(bed.place(0));
    const welcome = await first.login(grace);
    if (welcome.type !== 'welcome') throw new Error(JSON.stringify(welcome));
    let latest = first;
    for (let round = 1; round <= 12; round++) {
      const before = latest;
      latest = await TestEndpoint.open(bed.place(round % 3));
      const resumed = await latest.login(grace, { session: welcome.session! });
      expect(resumed).toMatchObject({ type: 'welcome' });
      expect(await before.closed).toEqual({ code: 4409, reason: 'superseded' });
      expect(latest.isClosed).toBe(false);
    }
    bodyOf(await latest.request('device.list'));
  });

  it('T26: keeps exactly one connection, and is reached at it, when it opens three at the same time', async () => {
    const first = await TestEndpoint.open(bed.place(0));
    const welcome = await first.login(dave);
    if (welcome.type !== 'welcome') throw new Error(JSON.stringify(welcome));
    const sender = await bed.login(carol, 1);
    for (let round = 0; round < 5; round++) {
      const three = await atOnce(3, (at) => TestEndpoint.open(bed.place(at)));
      await Promise.all(three.map((each) => each.login(dave, { session: welcome.session! })));
      const open = () => three.filter(({ isClosed }) => !isClosed);
      await until('one is left', () => open().length === 1);
      const [left] = open();
      const sent = { token: aToken(10 + round), envelope: anEnvelope() };
      bodyOf(await left!.request('rendezvous.listen', { tokens: [sent.token] }));
      bodyOf(await sender.request('envelope.send', sent));
      expect(await left!.until(({ type }) => type === 'notice')).toMatchObject({ body: sent });
      left!.cut();
    }
  });
});
