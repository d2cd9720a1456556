import { readFileSync } from 'node:fs';
import { connect, credsAuthenticator } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { anAccount, type Account } from '../identities.js';
import { TestEndpoint } from '../processes/gateway-endpoint.js';
import { anotherDevice } from '../processes/gateway-login-bed.js';
import { nameOf } from '../signaling-bed.js';
import { until } from './bus-replicas.js';
import { bodyOf, GatewayBed } from './gateway-bed.js';

const REPLICAS = [0, 1, 2];
const LOGINS = 4;
const SOCKETS = 2;
const FIRST_CONTACTS = 6;

let bed: GatewayBed;
beforeAll(async () => {
  bed = await GatewayBed.start((settings) => ({
    ...settings,
    rateLimits: {
      ...settings.rateLimits,
      loginsPerAccountPerHour: LOGINS,
      socketsPerAccount: SOCKETS,
      firstContactsPerAccountPerHour: FIRST_CONTACTS,
    },
  }));
});
afterAll(async () => {
  await (bed as GatewayBed | undefined)?.stop(); // Undefined when it never started.
});

/** One login; gives what is said to it. */
async function attempt(account: Account, at: number) {
  const endpoint = await TestEndpoint.open(bed.place(at));
  return { endpoint, answer: await endpoint.login(account) };
}

describe('three replicas that share their limits', () => {
  it('let an account log in as often as one of them would, wherever it does so', async () => {
    const alice = anAccount(0x10);
    for (let login = 0; login < LOGINS; login++)
      expect((await attempt(alice, login % 3)).answer.type).toBe('welcome');
    for (const at of REPLICAS)
      expect((await attempt(alice, at)).answer).toMatchObject({ reason: 'too-many-logins' });
    expect((await attempt(anAccount(0x50), 0)).answer.type).toBe('welcome');
  });

  it('count the connections of its devices together, and not the one that gives way', async () => {
    const bob = anAccount(0x20);
    const [phone, tablet] = [anotherDevice(bob, 0x24), anotherDevice(bob, 0x28)];
    const first = await attempt(bob, 0);
    expect((await attempt(phone, 1)).answer.type).toBe('welcome');
    expect((await attempt(tablet, 2)).answer).toMatchObject({ reason: 'too-many-connections' });
    const moved = await attempt(bob, 2);
    expect(moved.answer.type).toBe('welcome');
    await first.endpoint.closed;
    moved.endpoint.cut();
    await until('there is room', async () => {
      const { answer } = await attempt(tablet, 1);
      return (
        answer.type === 'welcome' ||
        (answer as { reason: string }).reason !== 'too-many-connections'
      );
    });
  });

  it('give each its part of the first contacts, and all of them together no more', async () => {
    const carol = anAccount(0x30);
    const find = (endpoint: TestEndpoint) =>
      endpoint.request('contact.find', { account: nameOf(anAccount(0x40)) });
    for (const at of REPLICAS) {
      const { endpoint } = await attempt(carol, at);
      for (let n = 0; n < FIRST_CONTACTS / 3; n++)
        expect(bodyOf(await find(endpoint))).toEqual({ devices: [] });
      expect(await find(endpoint)).toMatchObject({ refused: { reason: 'too-many' } });
    }
  });
});

describe('somebody with the NATS credentials of three replicas and nothing else', () => {
  it('ends no session and invents no replica', async () => {
    const { endpoint, answer } = await attempt(anAccount(0x60), 0);
    if (answer.type !== 'welcome') throw new Error(JSON.stringify(answer));
    const { sessions } = bodyOf(await endpoint.request('session.list')) as {
      sessions: { session: string }[];
    };
    const stranger = await connect({
      servers: bed.nats.url,
      tls: { caFile: bed.nats.caFile! },
      authenticator: credsAuthenticator(readFileSync(bed.nats.credentialsFile!)),
    });
    const refused = 'sallyport_bus_received_total{outcome="unknown-key"}';
    const before = await bed.sum(refused);
    const message = { type: 'sessions-ended', sessions: sessions.map(({ session }) => session) };
    const frame = { v: 1, from: 'stranger', n: 1, at: Date.now(), kind: 'tell', message };
    stranger.publish('sallyport.u-1.all', JSON.stringify(frame));
    await stranger.flush();
    await until('all have refused it', async () => (await bed.sum(refused)) === before + 3);
    bodyOf(await endpoint.request('session.list'));
    expect(endpoint.isClosed).toBe(false);
    expect(await bed.sum('sallyport_bus_replicas')).toBe(9);
    await stranger.close();
  });
});
