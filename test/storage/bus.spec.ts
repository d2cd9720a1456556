import { chmod, readFile, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { BusMessage } from '../../src/gateway/bus.js';
import { aBus, joined, until, type TestBus } from './bus-replicas.js';
import { startNats, type NatsServer } from './nats.js';

const TOKEN = 'AAAAAAAAAAAAAAAAAAAAAA';
const ASK: BusMessage = { type: 'deliver', token: TOKEN, envelope: 'A'.repeat(683) };
const TELL: BusMessage = { type: 'account-changed', account: `sp1${'a'.repeat(32)}` };

let nats: NatsServer;
let open: TestBus[] = [];

const replicas = async (count: number): Promise<TestBus[]> => {
  open = Array.from({ length: count }, () => aBus(nats));
  await joined(open);
  return open;
};

beforeAll(async () => {
  nats = await startNats({ secured: true });
});
afterEach(async () => {
  await Promise.all(open.map(({ bus }) => bus.close()));
  open = [];
});
afterAll(() => nats.stop());

describe('three replicas on one NATS server with TLS and credentials', () => {
  it('hear what one of them tells, and the teller does not hear itself', async () => {
    const [a, b, c] = await replicas(3);
    const heard: string[] = [];
    for (const [name, { bus }] of Object.entries({ a: a!, b: b!, c: c! }))
      bus.onMessage((message, from) => {
        heard.push(`${name} ${message.type} ${String(from === a!.bus.replica)}`);
        return undefined;
      });
    a!.bus.tell(TELL);
    await until('both have heard it', () => heard.length === 2);
    expect(heard.sort()).toEqual(['b account-changed true', 'c account-changed true']);
  });

  it('give the answer of the one that has something to say, while the others have nothing', async () => {
    const [a, b, c] = await replicas(3);
    b!.bus.onMessage(() => undefined);
    c!.bus.onMessage(() => Promise.resolve({ delivered: true }));
    expect(await a!.bus.ask(ASK, 5_000)).toEqual({ delivered: true });
  });

  it('give no answer, long before the time is over, when none has anything to say', async () => {
    const [a] = await replicas(3);
    const began = Date.now();
    expect(await a!.bus.ask(ASK, 20_000)).toBeUndefined();
    expect(Date.now() - began).toBeLessThan(10_000);
  });

  it('give all answers to who wants all', async () => {
    const [a, b, c] = await replicas(3);
    b!.bus.onMessage(() => ({ taken: [TOKEN] }));
    c!.bus.onMessage(() => ({ taken: ['AAAAAAAAAAAAAAAAAAAAAQ'] }));
    const answers = await a!.bus.askAll({ type: 'tokens', tokens: [TOKEN] }, 5_000);
    expect(answers.flatMap((answer) => answer['taken']).sort()).toEqual([
      TOKEN,
      'AAAAAAAAAAAAAAAAAAAAAQ',
    ]);
  });

  it('do not wait for one that has said that it stops', async () => {
    const [a, b, c] = await replicas(3);
    b!.bus.onMessage(() => new Promise(() => undefined));
    const asked = a!.bus.ask(ASK, 20_000);
    await b!.bus.close();
    open = [a!, c!];
    const began = Date.now();
    expect(await asked).toBeUndefined();
    expect(Date.now() - began).toBeLessThan(10_000);
  });

  it('end a question after its time when one says nothing, as a replica that was killed does', async () => {
    const [a, b] = await replicas(2);
    b!.bus.onMessage(() => new Promise(() => undefined));
    expect(await a!.bus.ask(ASK, 300)).toBeUndefined();
  });

  it('go on when a room of one throws: that one has nothing to say, and counts it', async () => {
    const [a, b] = await replicas(2);
    b!.bus.onMessage(() => {
      throw new Error('a room failed');
    });
    expect(await a!.bus.ask(ASK, 5_000)).toBeUndefined();
    expect(await b!.count('sallyport_bus_received_total{outcome="handler-failed"}')).toBe(1);
  });

  it('hear lists that are longer than a message may be in several messages', async () => {
    const [a, b] = await replicas(2);
    const sessions = Array.from({ length: 2_500 }, () => TOKEN);
    const heard: number[] = [];
    b!.bus.onMessage((message) => {
      if (message.type === 'sessions-ended') heard.push(message.sessions.length);
      return undefined;
    });
    a!.bus.tell({ type: 'sessions-ended', sessions });
    await until('all are heard', () => heard.length === 3);
    expect(heard).toEqual([1_024, 1_024, 452]);
  });

  it('do not hear replicas of another gateway', async () => {
    const [a] = await replicas(1);
    const other = aBus(nats, 'another-gateway');
    open.push(other);
    await until('the other one is connected', () => other.bus.connected);
    let heard = 0;
    a!.bus.onMessage(() => {
      heard += 1;
      return undefined;
    });
    other.bus.tell(TELL);
    await sleep(300);
    expect(heard).toBe(0);
    expect(await a!.count('sallyport_bus_replicas')).toBe(1);
  });
});

describe('a bus without a usable NATS', () => {
  it('is not connected and answers at once while the server wants other credentials, and connects when the file is right', async () => {
    const credentialsFile = `${nats.credentialsFile!}.other`;
    await writeFile(credentialsFile, 'no credentials', { mode: 0o600 });
    const one = aBus({ ...nats, credentialsFile });
    open = [one];
    await sleep(700);
    expect(one.bus.connected).toBe(false);
    expect(await one.bus.ask(ASK, 20_000)).toBeUndefined();
    await writeFile(credentialsFile, await readFile(nats.credentialsFile!));
    await until('it is connected', () => one.bus.connected);
  });

  it('S176: is not even made when others may read the credentials, and is not connected when they may later', async () => {
    const credentialsFile = `${nats.credentialsFile!}.open`;
    await writeFile(credentialsFile, await readFile(nats.credentialsFile!));
    await chmod(credentialsFile, 0o644);
    expect(() => aBus({ ...nats, credentialsFile })).toThrow('may be read by others');
    await chmod(credentialsFile, 0o440);
    const one = aBus({ ...nats, credentialsFile });
    open = [one];
    await until('it is connected', () => one.bus.connected);
    await chmod(credentialsFile, 0o444);
    await nats.restart();
    await until('it has lost the server', () => !one.bus.connected);
    await sleep(1_000);
    expect(one.bus.connected).toBe(false);
  });

  it('never takes a server whose certificate another authority has signed', async () => {
    const { caFile: _caFile, ...stranger } = nats;
    open = [aBus(stranger)];
    await sleep(1_500);
    expect(open[0]!.bus.connected).toBe(false);
  });

  it('never takes a server without TLS', async () => {
    const plain = await startNats();
    open = [aBus({ ...nats, port: plain.port, url: `tls://localhost:${plain.port}` })];
    await sleep(1_500);
    expect(open[0]!.bus.connected).toBe(false);
    await plain.stop();
  });
});
