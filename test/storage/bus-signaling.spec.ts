import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Bus } from '../../src/gateway/bus.js';
import { anAccount, bytesOf, NOON_MS } from '../identities.js';
import {
  aReplica,
  aToken,
  anEnvelope,
  anIntroduction,
  base64url,
  nameOf,
  prekeyText,
  refusalOf,
  type TestConnection,
  type TestReplica,
} from '../signaling-bed.js';
import { aBus, joined, until, type TestBus } from './bus-replicas.js';
import { startNats, type NatsServer } from './nats.js';

const alice = anAccount(10);
const bob = anAccount(20);
const TOKEN = aToken(1);
const SEND = { token: TOKEN, envelope: anEnvelope() };

let nats: NatsServer;
let open: TestBus[] = [];

/** Three replicas: buses and rooms. */
async function threeReplicas() {
  open = [aBus(nats), aBus(nats), aBus(nats)];
  await joined(open);
  const [one, two, three] = open.map(({ bus }) => ({ ...aReplica({ bus }), bus }));
  return { one: one!, two: two!, three: three! };
}
const listen = (at: TestReplica, connection: TestConnection, tokens = [TOKEN]) =>
  at.ask(connection, 'rendezvous.listen', { tokens });

/** What the server does when a device has logged in: older connections of it, at any replica, are to end. */
function announced(bus: Bus, connection: TestConnection): TestConnection {
  const { account, device } = connection.caller;
  bus.tell({ type: 'connected', account, device, connection: connection.id });
  return connection;
}

beforeAll(async () => {
  nats = await startNats({ secured: true });
});
afterEach(async () => {
  await Promise.all(open.map(({ bus }) => bus.close()));
  open = [];
});
afterAll(() => nats.stop());

describe('three replicas of a gateway', () => {
  it('deliver an envelope to whichever of them has the recipient, and to that one only', async () => {
    const { one, two, three } = await threeReplicas();
    const a = one.connect(alice);
    for (const [n, replica] of [one, two, three].entries()) {
      const b = replica.connect(bob);
      const token = aToken(10 + n);
      expect(await listen(replica, b, [token])).toEqual({});
      expect(await one.ask(a, 'envelope.send', { ...SEND, token })).toEqual({});
      expect(b.notices).toEqual([{ name: 'envelope.arrived', body: { ...SEND, token } }]);
    }
    expect(a.notices).toEqual([]);
  });

  it('say that a peer is absent who listens at none of them, long before the deadline', async () => {
    const { one } = await threeReplicas();
    const a = one.connect(alice);
    expect(refusalOf(await one.ask(a, 'envelope.send', SEND))).toBe('peer-absent');
    expect(refusalOf(await one.ask(a, 'rendezvous.prekey', { token: TOKEN }))).toBe('peer-absent');
  });

  it('say that a peer is absent whose connection elsewhere takes no more', async () => {
    const { one, two } = await threeReplicas();
    const b = two.connect(bob);
    await listen(two, b);
    b.full = true;
    expect(refusalOf(await one.ask(one.connect(alice), 'envelope.send', SEND))).toBe('peer-absent');
  });

  it('give the prekey of who listens at another one', async () => {
    const { one, three } = await threeReplicas();
    const b = three.connect(bob);
    await three.ask(b, 'prekey.publish', { prekey: prekeyText(bob) });
    await listen(three, b);
    expect(await one.ask(one.connect(alice), 'rendezvous.prekey', { token: TOKEN })).toEqual({
      device: base64url(bob.binding),
      prekey: prekeyText(bob),
      revocations: [],
    });
  });

  it('find devices of an account at all of them, and introduce to each', async () => {
    const { one, two, three } = await threeReplicas();
    const laptop = { ...anAccount(20, { deviceId: bytesOf(40, 16) }), deviceId: bytesOf(40, 16) };
    const at2 = two.connect(bob);
    const at3 = three.connect(laptop);
    await two.ask(at2, 'prekey.publish', { prekey: prekeyText(bob) });
    await three.ask(at3, 'prekey.publish', { prekey: prekeyText(laptop) });
    const a = one.connect(alice);
    const found = await one.ask(a, 'contact.find', { account: nameOf(bob) });
    expect(
      (found as { devices: { device: string }[] }).devices.map(({ device }) => device).sort(),
    ).toEqual([base64url(bob.binding), base64url(laptop.binding)].sort());
    for (const account of [bob, laptop]) {
      const device = base64url(account.deviceId);
      const envelope = anIntroduction(alice);
      expect(
        await one.ask(a, 'contact.introduce', { account: nameOf(bob), device, envelope }),
      ).toEqual({});
    }
    expect([at2.notices.length, at3.notices.length]).toEqual([1, 1]);
  });

  it('let one connection hold a token: at another replica it is taken, and so is the whole message', async () => {
    const { one, two, three } = await threeReplicas();
    const b = one.connect(bob);
    await listen(one, b);
    const other = two.connect(alice);
    expect(refusalOf(await listen(two, other, [aToken(2), TOKEN]))).toBe('token-taken');
    expect(two.state.table.size).toBe(0);
    await one.ask(b, 'rendezvous.forget', { tokens: [TOKEN] });
    expect(await listen(two, other)).toEqual({});
    expect(await three.ask(three.connect(anAccount(60)), 'envelope.send', SEND)).toEqual({});
    expect([b.notices.length, other.notices.length]).toEqual([0, 1]);
  });

  it('never let two connections hold a token, however many ask at the same time', async () => {
    const { one, two, three } = await threeReplicas();
    const replicas = [one, two, three].map((replica, n) => ({
      replica,
      connection: replica.connect(anAccount(10 + 20 * n)),
    }));
    for (let n = 0; n < 50; n++) {
      const tokens = [aToken(1_000 + n)];
      await Promise.all(
        replicas.map(({ replica, connection }) => listen(replica, connection, tokens)),
      );
      const holders = replicas.filter(({ replica }) => replica.state.table.find(tokens[0]!));
      expect(holders.length).toBeLessThanOrEqual(1);
    }
  });

  it('T26: give the tokens of a device to its newer connection at another replica, and closing the older one takes nothing from it', async () => {
    const { one, two, three } = await threeReplicas();
    const older = one.connect(bob);
    await listen(one, older);
    one.time.nowMs += 6_000;
    const newer = announced(two.bus, two.connect(bob));
    expect(await listen(two, newer)).toEqual({});
    one.disconnect(older);
    expect(await three.ask(three.connect(alice), 'envelope.send', SEND)).toEqual({});
    expect([older.notices.length, newer.notices.length]).toEqual([0, 1]);
  });
});

describe('three replicas of which one stands still as if it had been killed', () => {
  it('say within the deadline that who was connected there is absent, and forget that replica', async () => {
    const { one, two } = await threeReplicas();
    const b = two.connect(bob);
    await listen(two, b);
    two.bus.onMessage(() => new Promise(() => undefined));
    const began = Date.now();
    const a = one.connect(alice);
    expect(refusalOf(await one.ask(a, 'envelope.send', SEND))).toBe('peer-absent');
    expect(Date.now() - began).toBeGreaterThanOrEqual(900);
    await two.bus.close();
    const again = one.connect(bob);
    await until(
      'its tokens are free',
      async () => refusalOf(await listen(one, again)) === undefined,
    );
    expect(await one.ask(a, 'envelope.send', SEND)).toEqual({});
    expect([b.notices.length, again.notices.length]).toEqual([0, 1]);
  });
});

describe('three replicas whose NATS server goes and comes back', () => {
  it('deliver within each replica meanwhile, say of others that they are absent, and go on afterwards', async () => {
    const { one, two } = await threeReplicas();
    const [a, near, far] = [one.connect(alice), one.connect(anAccount(60)), two.connect(bob)];
    await listen(one, near, [aToken(2)]);
    await listen(two, far);
    await nats.kill();
    await until('they know it', () => !one.bus.connected);
    expect(await one.ask(a, 'envelope.send', { ...SEND, token: aToken(2) })).toEqual({});
    expect(refusalOf(await one.ask(a, 'envelope.send', SEND))).toBe('peer-absent');
    expect(await listen(one, near, [aToken(3)])).toEqual({});
    await nats.restart();
    await joined(open);
    expect(await one.ask(a, 'envelope.send', SEND)).toEqual({});
    expect([near.notices.length, far.notices.length]).toEqual([1, 1]);
    expect(one.time.nowMs).toBe(NOON_MS);
  });
});
