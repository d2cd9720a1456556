import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { anAccount } from '../identities.js';
import { aReplica, aToken, anEnvelope, refusalOf } from '../signaling-bed.js';
import { aBus, joined, until, type TestBus } from './bus-replicas.js';
import { startNats, type NatsServer } from './nats.js';

const TOKEN = aToken(1);
let nats: NatsServer;
let here: TestBus;
let other: ChildProcess | undefined;

async function startOther(): Promise<ChildProcess> {
  const child = fork('test/storage/bus-replica-process.ts', { execArgv: ['--import', 'tsx'] });
  const { caFile, credentialsFile, url } = nats;
  child.send({ caFile, credentialsFile, url });
  await once(child, 'message');
  return child;
}

beforeAll(async () => {
  nats = await startNats({ secured: true });
  here = aBus(nats);
});
afterAll(async () => {
  other?.kill('SIGKILL');
  await here.bus.close();
  await nats.stop();
});

describe('a replica in another process that is killed', () => {
  it('has got envelopes before; then its clients are absent at once, and free to come back to another replica', async () => {
    other = await startOther();
    const replica = aReplica({ bus: here.bus });
    const a = replica.connect(anAccount(10));
    const send = () => replica.ask(a, 'envelope.send', { token: TOKEN, envelope: anEnvelope() });
    await until(
      'the other replica is heard',
      async () => (await here.count('sallyport_bus_replicas')) === 2,
    );
    expect(await send()).toEqual({});

    other.kill('SIGKILL');
    await once(other, 'exit');
    const began = Date.now();
    expect(refusalOf(await send())).toBe('peer-absent');
    expect(Date.now() - began).toBeLessThan(5_000);

    const back = replica.connect(anAccount(20));
    expect(await replica.ask(back, 'rendezvous.listen', { tokens: [TOKEN] })).toEqual({});
    expect(await send()).toEqual({});
    expect(back.notices).toHaveLength(1);
    await joined([here]);
  });
});
