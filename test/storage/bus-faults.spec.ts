import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { connect, credsAuthenticator, type NatsConnection } from '@nats-io/transport-node';
import type { BusMessage } from '../../src/gateway/bus.js';
import { aBus, GATEWAY_UID, joined, taggedForAll, until, type TestBus } from './bus-replicas.js';
import { startNats, type NatsServer } from './nats.js';

const TOKEN = 'AAAAAAAAAAAAAAAAAAAAAA';
const ASK: BusMessage = { type: 'deliver', token: TOKEN, envelope: 'A'.repeat(683) };
const tell = (n: number): BusMessage => ({ type: 'account-changed', account: account(n) });
const account = (n: number) => `sp1${'a'.repeat(31)}${String(n + 2)}`;
const refused = (reason: string) => `sallyport_bus_received_total{outcome="${reason}"}`;

let nats: NatsServer;
let open: TestBus[] = [];

/** Two joined replicas and what the second one hears. */
async function aPair() {
  const pair = [aBus(nats), aBus(nats)] as const;
  open = [...pair];
  await joined(open);
  const heard: string[] = [];
  pair[1].bus.onMessage((message) => {
    if (message.type === 'account-changed') heard.push(message.account);
    return message.type === 'deliver' ? { delivered: true } : undefined;
  });
  return { a: pair[0], b: pair[1], heard };
}

beforeAll(async () => {
  nats = await startNats({ secured: true });
});
afterEach(async () => {
  await Promise.all(open.map(({ bus }) => bus.close()));
  open = [];
});
afterAll(() => nats.stop());

describe('a bus whose NATS server is killed and comes back', () => {
  it('is not connected, asks nobody and counts what it cannot send; then goes on, and sends nothing of before', async () => {
    const { a, b, heard } = await aPair();
    await nats.kill();
    await until('both know it', () => !a.bus.connected && !b.bus.connected);
    for (let n = 0; n < 3; n++) a.bus.tell(tell(n));
    const began = Date.now();
    expect(await a.bus.ask(ASK, 20_000)).toBeUndefined();
    expect(Date.now() - began).toBeLessThan(5_000);
    expect(await a.count('sallyport_bus_sent_total{outcome="disconnected"}')).toBe(3);
    expect(await a.count('sallyport_bus_replicas')).toBe(1);
    await nats.restart();
    await joined([a, b]);
    a.bus.tell(tell(4));
    await until('what is told afterwards is heard', () => heard.length > 0);
    expect(heard).toEqual([account(4)]);
    expect(await a.bus.ask(ASK, 5_000)).toEqual({ delivered: true });
  });

  it('ends a question that was under way', async () => {
    const { a, b } = await aPair();
    b.bus.onMessage(() => new Promise(() => undefined));
    const asked = a.bus.ask(ASK, 60_000);
    await nats.kill();
    expect(await asked).toBeUndefined();
    await nats.restart();
  });

  it('comes back ten times', async () => {
    const { a, b } = await aPair();
    for (let times = 0; times < 10; times++) {
      await nats.kill();
      await nats.restart();
      await until('it was away', async () => (await a.bus.ask(ASK, 1_000)) !== undefined);
    }
    await joined([a, b]);
  });
});

describe('a bus whose NATS server stands still', () => {
  it('is left within seconds with memory bounded meanwhile, and is back when the server is', async () => {
    const { a, b } = await aPair();
    nats.pause();
    const megabyte: BusMessage = { ...ASK, envelope: 'A'.repeat(10_923) };
    for (let n = 0; n < 2_000; n++) a.bus.tell(megabyte);
    expect(await a.count('sallyport_bus_sent_total{outcome="full"}')).toBeGreaterThan(1_000);
    await until('both have left it', () => !a.bus.connected && !b.bus.connected);
    nats.resume();
    await joined([a, b]);
    expect(await a.bus.ask(ASK, 5_000)).toEqual({ delivered: true });
  });
});

describe('a bus on which somebody sends who has the keys of its replicas', () => {
  let stranger: NatsConnection;
  const everybody = `sallyport.${GATEWAY_UID}.all`;
  const say = (text: string) => {
    stranger.publish(everybody, taggedForAll(text));
  };
  let sent = 0;
  const frame = (changes: object) =>
    JSON.stringify({ v: 1, from: 'x', n: ++sent, at: Date.now(), kind: 'tell', ...changes });

  beforeAll(async () => {
    stranger = await connect({
      servers: nats.url,
      tls: { caFile: nats.caFile! },
      authenticator: credsAuthenticator(readFileSync(nats.credentialsFile!)),
    });
  });
  afterAll(() => stranger.close());

  it('refuses garbage by its reason and hears none of it', async () => {
    const { a, b, heard } = await aPair();
    const garbage: Readonly<Record<string, readonly string[]>> = {
      'not-json': ['', '{', 'null garbage', '\u0000', '['.repeat(60_000)],
      'too-long': ['x'.repeat(65_537)],
      'bad-frame': [
        'null',
        '[]',
        '7',
        frame({ v: 2 }),
        frame({ from: '../../etc' }),
        frame({ from: 'x'.repeat(65) }),
        frame({ kind: 'shutdown' }),
        frame({ kind: 'tell' }),
        frame({ message: tell(0), extra: 1 }),
        `{"v":1,"from":"x","n":1,"at":1,"kind":"here","__proto__":{"admin":true}}`,
        frame({ kind: 'ask', id: 0, message: ASK }),
        frame({ kind: 'ask', id: 1e999, message: ASK }),
      ],
      'bad-message': [
        frame({ message: {} }),
        frame({ message: { type: 'toString' } }),
        frame({ message: { type: '__proto__' } }),
        frame({ message: { type: 'account-changed', account: 'everybody' } }),
        frame({ message: { type: 'account-changed', account: [account(1)] } }),
        frame({ message: { ...tell(1), and: 'more' } }),
        frame({ kind: 'ask', id: 1, message: tell(1) }),
        frame({ message: { type: 'tokens', tokens: new Array<string>(257).fill(TOKEN) } }),
      ],
      late: [frame({ kind: 'answer', id: 1, message: undefined, body: { delivered: true } })],
    };
    for (const texts of Object.values(garbage)) texts.forEach(say);
    await stranger.flush();
    a.bus.tell(tell(5));
    await until('what a replica tells is heard', () => heard.includes(account(5)));
    expect(heard).toEqual([account(5)]);
    for (const [reason, texts] of Object.entries(garbage))
      expect([reason, await b.count(refused(reason))]).toEqual([reason, texts.length]);
  });

  it('takes no answer that does not fit its question', async () => {
    const { a, b } = await aPair();
    b.bus.onMessage(() => ({ delivered: 'yes', or: 'no' }));
    expect(await a.bus.ask(ASK, 5_000)).toBeUndefined();
    expect(await a.count(refused('bad-answer'))).toBe(1);
  });

  it('remembers no more than 64 invented replicas, and forgets them when they are silent', async () => {
    const { a, b } = await aPair();
    for (let n = 0; n < 5_000; n++) say(frame({ from: `invented-${n}`, kind: 'here' }));
    await until('they are refused', async () => (await a.count(refused('too-many-replicas'))) > 0);
    expect(await a.count('sallyport_bus_replicas')).toBe(65);
    await joined([a, b]);
    expect(await a.bus.ask(ASK, 5_000)).toEqual({ delivered: true });
  });

  it('keeps its counts of labels: nothing that is sent becomes one', async () => {
    const { a } = await aPair();
    say(frame({ kind: 'x'.repeat(1_000) }));
    await sleep(200);
    const series = (await a.registry.text()).match(/sallyport_bus_received_total\{/g);
    expect(series).toHaveLength(12);
  });
});
