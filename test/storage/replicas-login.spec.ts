import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { generateSync } from 'otplib';
import type { ToEndpoint } from '../../src/messages/signaling.js';
import { anAccount, type Account } from '../identities.js';
import { TestEndpoint } from '../processes/gateway-endpoint.js';
import { base64url, nameOf } from '../signaling-bed.js';
import { GatewayBed } from './gateway-bed.js';
import { until } from './bus-replicas.js';
import { atOnce } from './store-bed.js';

const alice = anAccount(0x10);
const bob = anAccount(0x20);
const carol = anAccount(0x30);
const dave = anAccount(0x40);
const MAX_ATTEMPTS = 5;
const WRONG = { type: 'second-factor', proof: { kind: 'TOTP', code: '000000' } };

let bed: GatewayBed;
/** Alice and Bob administer: of them a second factor is asked. */
beforeAll(async () => {
  bed = await GatewayBed.start((settings) => ({
    ...settings,
    authentication: {
      ...settings.authentication,
      administrators: [nameOf(alice), nameOf(bob)],
      secondFactors: { allowed: ['Totp'], requiredFor: 'Administrators' },
      lockout: { maxAttempts: MAX_ATTEMPTS, windowSeconds: 900, durationSeconds: 1_800 },
    },
  }));
});
afterAll(async () => {
  await (bed as GatewayBed | undefined)?.stop(); // Undefined when it never started.
});

/** What a request was answered with. */
function bodyOf(answer: ToEndpoint): Record<string, unknown> {
  if (answer.type !== 'answer' || !('body' in answer)) throw new Error(JSON.stringify(answer));
  return answer.body;
}

/** Enrols codes for the account at one replica; gives the secret. */
async function enrol(account: Account, at: number): Promise<Uint8Array> {
  const endpoint = await bed.login(account, at);
  const { secret } = bodyOf(await endpoint.request('factor.totp.begin'));
  const bytes = Buffer.from(String(secret), 'base64url');
  const code = generateSync({ secret: bytes });
  bodyOf(await endpoint.request('factor.totp.confirm', { code, label: 'phone' }));
  endpoint.cut();
  return bytes;
}

/** Logs in up to the question for a second factor. */
async function asked(account: Account, at: number): Promise<TestEndpoint> {
  const endpoint = await TestEndpoint.open(bed.place(at));
  expect(await endpoint.login(account)).toMatchObject({ type: 'second-factor' });
  return endpoint;
}

/** Shows a wrong code; gives what is said to it. */
async function guess(endpoint: TestEndpoint): Promise<ToEndpoint> {
  endpoint.send(WRONG);
  return endpoint.next();
}

describe('three replicas that have one account', () => {
  it('S155: lock it at the fifth failure, wherever the others were', async () => {
    const secret = await enrol(alice, 0);
    const said: string[] = [];
    for (let failure = 0; failure < MAX_ATTEMPTS; failure++) {
      const endpoint = await asked(alice, failure % 3);
      const answer = await guess(endpoint);
      said.push(answer.type === 'refused' ? answer.reason : answer.type);
      endpoint.cut();
    }
    expect(said.slice(0, 4)).toEqual(Array(4).fill('second-factor'));
    expect(said[4]).not.toBe('second-factor');
    for (const at of [0, 1, 2]) {
      const endpoint = await TestEndpoint.open(bed.place(at));
      expect(await endpoint.login(alice)).toMatchObject({ reason: 'account-locked' });
    }
    expect(secret).toHaveLength(20);
  });

  it('S155: look at five proofs of twelve that come to all of them at the same time', async () => {
    await enrol(bob, 1);
    const before = await bed.sum(INVALID);
    const lockouts = await bed.sum('sallyport_auth_lockouts_total');
    const endpoints: TestEndpoint[] = [];
    for (let i = 0; i < 12; i++) endpoints.push(await asked(bob, i % 3));
    await atOnce(12, (i) => guess(endpoints[i]!));
    expect((await bed.sum(INVALID)) - before).toBe(MAX_ATTEMPTS);
    expect((await bed.sum('sallyport_auth_lockouts_total')) - lockouts).toBe(1);
  });

  it('know the session that began at another', async () => {
    const endpoint = await TestEndpoint.open(bed.place(0));
    const welcome = await endpoint.login(carol);
    if (welcome.type !== 'welcome') throw new Error(JSON.stringify(welcome));
    const { session = '' } = welcome;
    const again = await TestEndpoint.open(bed.place(1));
    const resumed = await again.login(carol, { session });
    expect(resumed).toMatchObject({ type: 'welcome' });
    expect(resumed).not.toHaveProperty('session');
    expect(await endpoint.closed).toMatchObject({ reason: 'superseded' });
    again.cut();
  });
});
const INVALID =
  'sallyport_auth_attempts_total{outcome="failure",method="totp",reason="invalid-proof"}';

describe('a device that connects to several replicas', () => {
  it('T26: is reached at its latest connection, also after the older one has ended', async () => {
    const older = await bed.login(carol, 0);
    const newer = await bed.login(carol, 1);
    expect(await older.closed).toMatchObject({ reason: 'superseded' });
    const token = base64url(new Uint8Array(16).fill(1));
    bodyOf(await newer.request('rendezvous.listen', { tokens: [token] }));
    const sender = await bed.login(dave, 2);
    const envelope = base64url(new Uint8Array(512));
    bodyOf(await sender.request('envelope.send', { token, envelope }));
    await newer.until((message) => message.type === 'notice');
  });

  it('T26: keeps exactly one connection when it opens three at the same time', async () => {
    for (let round = 0; round < 5; round++) {
      const three = await atOnce(3, (at) => bed.login(dave, at));
      await until('one is left', () => three.filter(({ isClosed }) => !isClosed).length === 1);
      const [left] = three.filter(({ isClosed }) => !isClosed);
      bodyOf(await left!.request('device.list'));
      left?.cut();
    }
  });
});
