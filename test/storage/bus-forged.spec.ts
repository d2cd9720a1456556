import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { connect, credsAuthenticator, type NatsConnection } from '@nats-io/transport-node';
import type { BusMessage } from '../../src/gateway/bus.js';
import { anAccount } from '../identities.js';
import { aReplica, aToken, refusalOf } from '../signaling-bed.js';
import { aBus, GATEWAY_UID, joined, until, type TestBus } from './bus-replicas.js';
import { startNats, type NatsServer } from './nats.js';

const ALL = `sallyport.${GATEWAY_UID}.all`;
const SESSION = 'AAAAAAAAAAAAAAAAAAAAAA';
const refused = (reason: string) => `sallyport_bus_received_total{outcome="${reason}"}`;
const account = (n: number) => `sp1${'a'.repeat(31)}${String(n + 2)}`;
const ENDED: BusMessage = { type: 'sessions-ended', sessions: [SESSION] };
const RELAY: BusMessage = {
  type: 'relay',
  relay: {
    ...{ rid: 'relays/edge/0', boot: 'f'.repeat(32), kids: [SESSION], sessions: 0 },
    ...{ draining: false, clockAheadMs: 0, connected: true },
  },
};

let nats: NatsServer;
let stranger: NatsConnection;
let open: TestBus[] = [];
/** What crossed the server, with its subject. */
const recorded: { readonly subject: string; readonly data: Buffer }[] = [];

/** Two joined replicas and what the second one hears. */
async function aPair() {
  const pair = [aBus(nats), aBus(nats)] as const;
  open = [...pair];
  await joined(open);
  const heard: BusMessage[] = [];
  pair[1].bus.onMessage((message) => {
    heard.push(message);
    return undefined;
  });
  return { a: pair[0], b: pair[1], heard };
}

/** What `a` tells is heard; so is all that was sent before. */
async function untilHeard({ a, heard }: Awaited<ReturnType<typeof aPair>>, n: number) {
  a.bus.tell({ type: 'account-changed', account: account(n) });
  await until('what a replica tells is heard', () =>
    heard.some((message) => message.type === 'account-changed' && message.account === account(n)),
  );
}

beforeAll(async () => {
  nats = await startNats({ secured: true });
  stranger = await connect({
    servers: nats.url,
    tls: { caFile: nats.caFile! },
    authenticator: credsAuthenticator(readFileSync(nats.credentialsFile!)),
  });
  stranger.subscribe('sallyport.>', {
    callback: (_, { subject, data }) => {
      recorded.push({ subject, data: Buffer.from(data) });
    },
  });
  await stranger.flush();
});
afterEach(async () => {
  await Promise.all(open.map(({ bus }) => bus.close()));
  open = [];
});
afterAll(async () => {
  await stranger.close();
  await nats.stop();
});

describe('who holds the NATS credentials of a gateway and nothing else', () => {
  it.each([
    ['ends no session', ENDED],
    ['invents no relay', RELAY],
  ])('%s', async (_, message) => {
    const pair = await aPair();
    const { replica } = pair.a.bus;
    const frame = { v: 1, from: replica, n: 1_000_000, at: Date.now(), kind: 'tell', message };
    const text = Buffer.from(JSON.stringify(frame));
    const genuine = recorded.find(({ subject }) => subject === ALL)!.data;
    stranger.publish(ALL, text);
    // The head of a frame that a replica has sent.
    stranger.publish(ALL, Buffer.concat([genuine.subarray(0, 40), text]));
    await stranger.flush();
    await untilHeard(pair, 1);
    expect(pair.heard.map(({ type }) => type)).toEqual(['account-changed']);
    expect(await pair.b.count(refused('unknown-key'))).toBe(1);
    expect(await pair.b.count(refused('bad-tag'))).toBe(1);
    const anomalies = 'sallyport_network_anomalies_total{kind="bus-frame"}';
    expect(await pair.b.count(anomalies)).toBe(2);
  });

  it('says nothing twice by sending again what it has recorded, here or to whom it was not sent', async () => {
    const pair = await aPair();
    recorded.length = 0;
    await untilHeard(pair, 1);
    await until('it is recorded', () => recorded.some(({ data }) => data.includes(account(1))));
    const { data } = recorded.find((one) => one.data.includes(account(1)))!;
    stranger.publish(ALL, data);
    stranger.publish(`sallyport.${GATEWAY_UID}.to.${pair.b.bus.replica}`, data);
    await stranger.flush();
    await untilHeard(pair, 2);
    expect(pair.heard).toHaveLength(2);
    expect(await pair.b.count(refused('replayed'))).toBe(1);
    await until(
      'the other subject is read',
      async () => (await pair.b.count(refused('bad-tag'))) === 1,
    );
  });

  it('makes nobody of a replica that it invents', async () => {
    const { b } = await aPair();
    const frame = { v: 1, from: 'invented', n: 1, at: Date.now(), kind: 'here' };
    for (let n = 0; n < 100; n++) stranger.publish(ALL, JSON.stringify(frame));
    await stranger.flush();
    await until('all are refused', async () => (await b.count(refused('unknown-key'))) === 100);
    expect(await b.count('sallyport_bus_replicas')).toBe(2);
  });
});

describe('a replica without the keys of the others', () => {
  it('is not heard, and says so in its counts', async () => {
    const { b, heard } = await aPair();
    const other = aBus(nats, GATEWAY_UID, () => []);
    open.push(other);
    await until('it is connected', () => other.bus.connected);
    other.bus.tell(ENDED);
    await sleep(300);
    expect(heard).toEqual([]);
    expect(await b.count('sallyport_bus_replicas')).toBe(2);
    expect(await other.count('sallyport_bus_sent_total{outcome="no-key"}')).toBeGreaterThan(0);
  });
});

describe('two replicas that gave one token to two devices while NATS was away', () => {
  it('find it when it is back: one connection keeps the token, the other ends, and its endpoint is refused', async () => {
    open = [aBus(nats), aBus(nats)];
    await joined(open);
    const replicas = open.map(({ bus }) => ({ ...aReplica({ bus }), bus }));
    const [one, two] = [replicas[0]!, replicas[1]!];
    await nats.kill();
    await until('both know it', () => open.every(({ bus }) => !bus.connected));
    const [a, b] = [one.connect(anAccount(10)), two.connect(anAccount(20))];
    const own = { tokens: [aToken(2)] };
    const both = { tokens: [aToken(1)] };
    expect(await one.ask(a, 'rendezvous.listen', own)).toEqual({});
    expect(await one.ask(a, 'rendezvous.listen', both)).toEqual({});
    expect(await two.ask(b, 'rendezvous.listen', both)).toEqual({});
    await nats.restart();
    await joined(open);
    const later = Date.now() + 10_000;
    await until('one of them ends', async () => {
      for (const { room, time } of replicas) {
        time.nowMs = later;
        await room.tick?.(later);
      }
      return a.endedWith.length + b.endedWith.length > 0;
    });
    expect([...a.endedWith, ...b.endedWith]).toEqual(['gateway-ends']);
    const [loser, winner] = a.endedWith.length > 0 ? [one, two] : [two, one];
    expect([loser.state.table.find(aToken(1)), winner.state.table.size > 0]).toEqual([
      undefined,
      true,
    ]);
    const again = loser.connect(anAccount(30));
    expect(refusalOf(await loser.ask(again, 'rendezvous.listen', both))).toBe('token-taken');
  });
});
