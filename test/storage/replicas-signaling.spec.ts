import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { anAccount } from '../identities.js';
import type { TestEndpoint } from '../processes/gateway-endpoint.js';
import { anotherDevice } from '../processes/gateway-login-bed.js';
import {
  anEnvelope,
  anIntroduction,
  aToken,
  base64url,
  nameOf,
  prekeyText,
} from '../signaling-bed.js';
import { until } from './bus-replicas.js';
import { bodyOf, GatewayBed } from './gateway-bed.js';

const alice = anAccount(0x10);
const phone = anotherDevice(alice, 0x40);
const bob = anAccount(0x20);
const carol = anAccount(0x30);
/** Revocation closes sockets within this time (architecture, 5). */
const SOON_MS = 2_000;

let bed: GatewayBed;
/** Carol administers. */
beforeAll(async () => {
  bed = await GatewayBed.start((settings) => ({
    ...settings,
    authentication: { ...settings.authentication, administrators: [nameOf(carol)] },
  }));
});
afterAll(async () => {
  await (bed as GatewayBed | undefined)?.stop(); // Undefined when it never started.
});

const refusedFor = (reason: string) => ({
  refused: expect.objectContaining({ reason }) as unknown,
});

/** Does something, and waits until `endpoint` is closed; gives why, and after how long. */
async function closedBy(endpoint: TestEndpoint, act: () => Promise<unknown>) {
  const began = performance.now();
  await act();
  const { reason } = await endpoint.closed;
  return { reason, ms: performance.now() - began };
}

describe('two endpoints at two replicas', () => {
  it('find each other, and exchange introduction, prekey and envelopes in order', async () => {
    const [a, b] = [await bed.login(alice, 0), await bed.login(bob, 1)];
    const dates = { notBeforeMs: Date.now() - 1_000, notAfterMs: Date.now() + 3_600_000 };
    const prekey = prekeyText(bob, dates);
    bodyOf(await b.request('prekey.publish', { prekey }));
    bodyOf(await b.request('rendezvous.listen', { tokens: [aToken(1)] }));
    const device = { device: base64url(bob.binding), prekey, revocations: [] };
    const found = bodyOf(await a.request('contact.find', { account: nameOf(bob) }));
    expect(found).toEqual({ devices: [device] });
    const to = { account: nameOf(bob), device: base64url(bob.deviceId) };
    bodyOf(await a.request('contact.introduce', { ...to, envelope: anIntroduction(alice) }));
    expect(bodyOf(await a.request('rendezvous.prekey', { token: aToken(1) }))).toEqual(device);
    const envelopes = [512, 2_048, 8_192].map(anEnvelope);
    for (const envelope of envelopes)
      bodyOf(await a.request('envelope.send', { token: aToken(1), envelope }));
    const arrived = () =>
      b.received.flatMap((message) =>
        message.type === 'notice' && message.name === 'envelope.arrived'
          ? [message.body['envelope']]
          : [],
      );
    await until('all have arrived', () => arrived().length === envelopes.length);
    expect(arrived()).toEqual(envelopes);
  });

  it('cannot have one token: whoever is second is refused at every replica', async () => {
    const [a, b] = [await bed.login(alice, 0), await bed.login(bob, 1)];
    bodyOf(await a.request('rendezvous.listen', { tokens: [aToken(2)] }));
    for (const at of [1, 2]) {
      const other = at === 1 ? b : await bed.login(carol, at);
      const answer = await other.request('rendezvous.listen', { tokens: [aToken(2)] });
      expect(answer).toMatchObject(refusedFor('token-taken'));
    }
  });

  it('T26: are absent to each other as soon as one of them is gone', async () => {
    const [a, b] = [await bed.login(alice, 0), await bed.login(bob, 1)];
    bodyOf(await b.request('rendezvous.listen', { tokens: [aToken(3)] }));
    b.cut();
    const sent = { token: aToken(3), envelope: anEnvelope() };
    await until('the peer is absent', async () => {
      const answer = await a.request('envelope.send', sent);
      return answer.type === 'answer' && 'refused' in answer && answer.refused.code === 410;
    });
  });
});

describe('a session that is ended at one replica', () => {
  it('closes its socket at another within 2 s, by its owner', async () => {
    const [here, there] = [await bed.login(alice, 0), await bed.login(phone, 1)];
    const { sessions } = bodyOf(await here.request('session.list'));
    // As messages/own-requests.ts has it.
    const other = (sessions as { session: string; current: boolean }[]).find((s) => !s.current);
    const end = () => here.request('session.end', { session: other?.session });
    const { reason, ms } = await closedBy(there, end);
    expect(reason).toBe('session-ended');
    expect(ms).toBeLessThan(SOON_MS);
  });

  it('closes its socket at another within 2 s, by an administrator', async () => {
    const [carols, there] = [await bed.login(carol, 2), await bed.login(bob, 1)];
    const revoke = () => carols.request('admin.session.revoke', { account: nameOf(bob) });
    const { reason, ms } = await closedBy(there, revoke);
    expect(reason).toBe('session-ended');
    expect(ms).toBeLessThan(SOON_MS);
  });

  it('closes the sockets of an account that is locked, at all replicas', async () => {
    const [carols, one, two] = [
      await bed.login(carol, 2),
      await bed.login(alice, 0),
      await bed.login(phone, 1),
    ];
    const lock = () => carols.request('admin.account.lock', { account: nameOf(alice) });
    expect((await closedBy(one, lock)).reason).toBe('session-ended');
    expect((await two.closed).reason).toBe('session-ended');
    await bed.database.admin("update sallyport.account set state = 'Active'");
  });
});

describe('replicas without NATS', () => {
  it('go on by themselves, say at once that peers elsewhere are absent, and are whole again when it is back', async () => {
    const [a, b] = [await bed.login(alice, 0), await bed.login(bob, 1)];
    const near = await bed.login(phone, 0);
    bodyOf(await near.request('rendezvous.listen', { tokens: [aToken(4)] }));
    bodyOf(await b.request('rendezvous.listen', { tokens: [aToken(5)] }));
    const to = (n: number) => ({ token: aToken(n), envelope: anEnvelope() });
    await bed.nats.kill();
    await until('the bus is away', async () => (await bed.sum('sallyport_gateway_bus_up')) === 0);
    bodyOf(await a.request('envelope.send', to(4)));
    const began = performance.now();
    const absent = await a.request('envelope.send', to(5));
    expect(absent).toMatchObject(refusedFor('peer-absent'));
    expect(performance.now() - began).toBeLessThan(SOON_MS);
    const late = await bed.login(carol, 2);
    await bed.nats.restart();
    await bed.joined();
    bodyOf(await a.request('envelope.send', to(5)));
    bodyOf(await late.request('envelope.send', to(5)));
    for (const each of [a, b, near, late]) expect(each.isClosed).toBe(false);
  });

  it('close sockets of a session that was ended meanwhile, although nobody told them', async () => {
    const [carols, there] = [await bed.login(carol, 2), await bed.login(bob, 1)];
    const stays = await bed.login(alice, 1);
    await bed.nats.kill();
    await until('the bus is away', async () => (await bed.sum('sallyport_gateway_bus_up')) === 0);
    const revoke = () => carols.request('admin.session.revoke', { account: nameOf(bob) });
    const { reason, ms } = await closedBy(there, revoke);
    expect(reason).toBe('session-ended');
    expect(ms).toBeLessThan(15_000);
    expect(stays.isClosed).toBe(false);
    await bed.nats.restart();
    await bed.joined();
  });
});
