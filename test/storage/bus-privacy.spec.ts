import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { connect, credsAuthenticator, type NatsConnection } from '@nats-io/transport-node';
import { anAccount, type Account } from '../identities.js';
import {
  aReplica,
  aToken,
  anEnvelope,
  anIntroduction,
  base64url,
  nameOf,
  prekeyText,
} from '../signaling-bed.js';
import { aBus, joined, until, type TestBus } from './bus-replicas.js';
import { startNats, type NatsServer } from './nats.js';

const alice = anAccount(10);
const bob = anAccount(20);
/** As `anAccount` makes them, 42 characters of a key do not depend on what stands behind it. */
const textsOf = (account: Account): readonly string[] => [
  nameOf(account),
  base64url(account.identity).slice(0, 42),
  base64url(account.deviceId),
];

let nats: NatsServer;
let spy: NatsConnection;
let replicas: readonly TestBus[] = [];
/** Everything that any subject carried, in its order. */
const carried: string[] = [];

/** Hears every subject of the server, with the gateway's own credentials. */
async function listenTo(heard: string[]): Promise<NatsConnection> {
  const credentials = await readFile(nats.credentialsFile!);
  const connection = await connect({
    servers: [nats.url],
    tls: { caFile: nats.caFile! },
    authenticator: credsAuthenticator(credentials),
  });
  connection.subscribe('>', {
    callback: (_, { data }) => {
      heard.push(Buffer.from(data).toString());
    },
  });
  await connection.flush();
  return connection;
}

beforeAll(async () => {
  nats = await startNats({ secured: true });
  replicas = [aBus(nats), aBus(nats)];
  await joined(replicas);
  spy = await listenTo(carried);
  const [one, two] = replicas.map(({ bus }) => aReplica({ bus }));
  const [a, b] = [one!.connect(alice), two!.connect(bob)];
  await two!.ask(b, 'prekey.publish', { prekey: prekeyText(bob) });
  await two!.ask(b, 'rendezvous.listen', { tokens: [aToken(1)] });
  const [account, device] = [nameOf(bob), base64url(bob.deviceId)];
  await one!.ask(a, 'contact.find', { account });
  await one!.ask(a, 'contact.introduce', { account, device, envelope: anIntroduction(alice) });
  await one!.ask(a, 'rendezvous.prekey', { token: aToken(1) });
  await one!.ask(a, 'envelope.send', { token: aToken(1), envelope: anEnvelope() });
  expect(b.notices.map(({ name }) => name)).toEqual(['contact.introduced', 'envelope.arrived']);
  await until('the envelope was seen', () => carried.some((text) => text.includes('"deliver"')));
});
afterAll(async () => {
  await spy.close();
  await Promise.all(replicas.map(({ bus }) => bus.close()));
  await nats.stop();
});

const names = (text: string, account: Account): boolean =>
  textsOf(account).some((name) => text.includes(name));

describe('a NATS server between two replicas, after Alice at one has written to Bob at the other', () => {
  it('S46, S53: has carried one message that names both, the first contact, and no other that names Alice', () => {
    const ofAlice = carried.filter((text) => names(text, alice));
    expect(ofAlice).toHaveLength(1);
    expect(ofAlice[0]).toContain('"type":"introduce"');
    expect(names(ofAlice[0]!, bob)).toBe(true);
  });

  it('S46: has carried the envelope with its token, and nobody’s name', () => {
    const delivered = carried.filter((text) => text.includes('"type":"deliver"'));
    const ofToken = delivered.filter((text) => text.includes(aToken(1)));
    expect(ofToken).toHaveLength(1);
    expect([names(ofToken[0]!, alice), names(ofToken[0]!, bob)]).toEqual([false, false]);
  });

  it('S45, S52: keeps none of it for who listens later, and has nowhere to keep it', async () => {
    const later: string[] = [];
    const late = await listenTo(later);
    await until('replicas say that they are here', () => later.length >= 4);
    await sleep(100);
    expect(later.filter((text) => names(text, alice) || names(text, bob))).toEqual([]);
    expect(later.filter((text) => text.includes(aToken(1)))).toEqual([]);
    expect(late.info?.jetstream ?? false).toBe(false);
    await late.close();
  });
});
