import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createSession, Reforms, type Random } from '../seeds/reforms.js';
import type { ServerLogs } from '../seeds/server-logs.js';
import '../seeds/server-logs.js';
import { randomOf } from '../session/two-sessions.js';
import { ClientBed, type Person } from './client-bed.js';

const canary = (): string => `canary${randomBytes(12).toString('hex')}`;
const CONTENT = [canary(), canary()];
const NAME = canary();

let bed: ClientBed;
let people: readonly [Person, Person];
let reforms: Reforms;
beforeAll(async () => {
  reforms = await Reforms.begin();
  bed = await ClientBed.start();
  people = await bed.pair();
  const [alice, bob] = people;
  await alice.client.rename(bob.client.fingerprint, NAME);
  await says(alice, bob, CONTENT[0]!);
  await says(bob, alice, CONTENT[1]!);
});
afterAll(async () => {
  await bed.stop();
});

async function says(from: Person, to: Person, text: string): Promise<void> {
  from.client.send(to.client.fingerprint, text);
  await to.heard.heard('text', (_from, shown) => shown === text);
}

/** What gateway and relay wrote and kept so far of what Alice and Bob said. */
async function getServerLogs(): Promise<ServerLogs> {
  const { gateway, relays, gatewayFolder } = bed;
  const texts = new Map([
    ['audit', gateway.stdout],
    ['log', gateway.stderr],
    ['metrics', (await gateway.page('/metrics')).body],
    ['audit of the relay', relays[0]!.process.stdout],
    ['log of the relay', relays[0]!.process.stderr],
  ]);
  const folder = join(gatewayFolder.path, 'data');
  const files = new Map<string, Buffer>();
  for (const name of await readdir(folder)) files.set(name, await readFile(join(folder, name)));
  const identities = people.map(({ file }) => file.identity);
  const secrets = identities.flatMap((identity) => [
    ...[identity.phrase()!, identity.staticKey.privateKey.slice()],
    identity.encode().slice(1, 33),
  ]);
  const devices = identities.map(({ binding }) =>
    Buffer.from(binding.deviceId).toString('base64url'),
  );
  const pseudonyms = [...people.map(({ client }) => client.fingerprint), ...devices];
  return { texts, files, told: { content: CONTENT, secrets: [NAME, ...secrets], pseudonyms } };
}

/** The promises that the seed's tests show, by their titles. */
const SHOWS: ReadonlyMap<string, string> = new Map([
  ['End-to-end encryption verification', 'S180'],
  ['Zero-knowledge server validation', 'S181'],
  ['Perfect forward secrecy', 'S182'],
]);
const test = (title: string, run: () => Promise<void>): void => {
  it(`${SHOWS.get(title) ?? ''}: ${title}`, run);
};

// Word for word; the indentation that the seed's text lost is restored.
// prettier-ignore
describe('Reforms Security Tests', () => {
  test('End-to-end encryption verification', async () => {
    const message = "Test message";
    const encrypted = await reforms.encrypt(message);
    expect(encrypted).not.toContain(message);
    const decrypted = await reforms.decrypt(encrypted);
    expect(decrypted).toBe(message);
  });
  test('Zero-knowledge server validation', async () => {
    const serverLogs = await getServerLogs();
    expect(serverLogs).not.toContainMessageContent();
    expect(serverLogs).not.toContainUserIdentities();
  });
  test('Perfect forward secrecy', async () => {
    const session1 = await createSession();
    const session2 = await createSession();
    expect(session1.keys).not.toEqual(session2.keys);
  });
});

describe('what the tests of the seed look at', () => {
  it('S180: is a datagram that opens once, and not when a bit of it is turned', async () => {
    const encrypted = await reforms.encrypt('Test message');
    const turned = `${encrypted.slice(0, -1)}${String.fromCharCode(encrypted.charCodeAt(encrypted.length - 1) ^ 1)}`;
    expect(() => reforms.decrypt(turned)).toThrow('wrong-tag');
    expect(await reforms.decrypt(encrypted)).toBe('Test message');
    expect(() => reforms.decrypt(encrypted)).toThrow('replay');
  });

  it.each([
    ['in a log', (logs: ServerLogs, text: string) => withText(logs, text)],
    ['in a file of the database', (logs: ServerLogs, text: string) => withFile(logs, text)],
  ])('S181: would be seen %s', async (_, planted) => {
    const logs = await getServerLogs();
    expect(planted(logs, CONTENT[0]!)).toContainMessageContent();
    expect(planted(logs, NAME)).toContainUserIdentities();
    expect(planted(logs, people[0].file.identity.phrase()!)).toContainUserIdentities();
  });

  it('S181: has accounts in the database by their fingerprints, and would see one in a log', async () => {
    const logs = await getServerLogs();
    const { fingerprint } = people[0].client;
    expect([...logs.files.values()].some((file) => file.includes(fingerprint))).toBe(true);
    expect(withText(logs, fingerprint)).toContainUserIdentities();
  });

  it('S182: are the keys of both directions, which both ends hold, and the next one to receive with', async () => {
    const sessions = [await createSession(), await createSession()];
    for (const { keys, peerKeys } of sessions) {
      expect([keys.length, peerKeys.length]).toEqual([3, 3]);
      expect(keys.filter((key) => peerKeys.includes(key))).toHaveLength(2);
    }
    expect(new Set(sessions.flatMap(({ keys, peerKeys }) => [...keys, ...peerKeys])).size).toBe(8);
  });

  it('S182: would be the same if the same randomness came again', async () => {
    const fixed = (): readonly [Random, Random] => [randomOf(1), randomOf(2)];
    expect((await createSession(fixed())).keys).toEqual((await createSession(fixed())).keys);
  });
});

const withText = (logs: ServerLogs, text: string): ServerLogs => ({
  ...logs,
  texts: new Map([...logs.texts, ['planted', `{"text":"${text}"}`]]),
});
const withFile = (logs: ServerLogs, text: string): ServerLogs => ({
  ...logs,
  files: new Map([...logs.files, ['planted', Buffer.from(`x${text}x`)]]),
});
