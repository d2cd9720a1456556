/*
 * Two people who trust no server talk: two identities, safety numbers, a line each way, a file through the relay, one
 * attack that fails, and what the gateway kept of it all.
 */
import { randomBytes } from 'node:crypto';
import { Client } from '../client/contacts/client.runner.js';
import { SessionLeases } from '../client/contacts/session-leases.js';
import type { IdentityFile } from '../client/identity/identity.file.js';
import { chooseBackend } from '../crypto/backend.chooser.js';
import type { CryptoBackend } from '../protocol/crypto-backend.js';
import { KeyStore } from '../protocol/key-store.js';
import { systemClock } from '../runtime/system.clock.js';
import { DEMO_FILE_BYTES, sendDemoFile, type SentDemoFile } from './demo.file.js';
import { demoIdentity } from './demo.identities.js';
import { presentLease } from './stranger.socket.js';
import { searchFor } from './demo.witness.js';
import { awaitsApproval } from './endpoint/endpoint.session.js';
import type { LocalGateway } from './local-gateways.js';

/** Where the demonstration finds its gateway. */
export type DemoGateway = Pick<LocalGateway, 'host' | 'port' | 'pins'> & {
  readonly address?: string | undefined;
};

/** What the demonstration runs against. */
export interface DemoOptions {
  readonly gateway: DemoGateway;
  /** The state folder of `up`. */
  readonly state: string;
  /** Takes finished lines. */
  readonly say: (line: string) => void;
}

const WITHIN_MS = 20_000;
const KEY_STORE_BYTES = 1_024;

interface Person {
  readonly name: string;
  readonly identity: IdentityFile;
  readonly client: Client;
}

/** Runs it; false when something was not as promised, which it says. */
export async function runDemo(options: DemoOptions): Promise<boolean> {
  const { backend } = chooseBackend();
  const people: Person[] = [];
  try {
    for (const name of ['alice', 'bob']) people.push(await person(name, options, backend));
    const [alice, bob] = people;
    if (alice === undefined || bob === undefined) throw new Error('two people are needed');
    return await story(alice, bob, options);
  } finally {
    for (const { client, identity } of people) {
      await client.close();
      identity.close();
    }
  }
}

async function person(
  name: string,
  { gateway, state, say }: DemoOptions,
  backend: CryptoBackend,
): Promise<Person> {
  const nowMs = systemClock.now().getTime();
  const identity = await demoIdentity(`${state}/demo`, name, { backend, nowMs });
  const { host, port, pins, address } = gateway;
  const entry = { url: `wss://${host}:${port}`, pins, ...(address !== undefined && { address }) };
  // Contacts see no address of each other: what is shown goes through the relay.
  const client = await Client.open({ identity, gateways: [entry] });
  try {
    await Promise.race([client.connect(WITHIN_MS), awaitsApproval(client, 1)]);
  } catch (error) {
    await client.close();
    identity.close();
    throw error;
  }
  say(`${name} logged in with a key that never left this process: ${client.fingerprint}`);
  return { name, identity, client };
}

async function story(alice: Person, bob: Person, options: DemoOptions): Promise<boolean> {
  const { say } = options;
  await acquaint(alice, bob);
  await relayIsThere(alice);
  const number = alice.client.safetyNumber(bob.client.fingerprint);
  const same = number === bob.client.safetyNumber(alice.client.fingerprint);
  say(`both see the safety number ${number}${same ? '' : ': NO, they differ'}`);
  await alice.client.verify(bob.client.fingerprint);
  await bob.client.verify(alice.client.fingerprint);
  const texts = [`Are you there? ${nonce()}`, `I am, and nobody else is. ${nonce()}`] as const;
  await talk(alice, bob, texts[0], say);
  await talk(bob, alice, texts[1], say);
  const session = await alice.client.session(bob.client.fingerprint);
  say(`they talk through the relay ${session.relayId}, which cannot read a word`);
  const file = await sendFile(alice, bob, options);
  const refused = await attack(alice, options);
  const silent = testify(alice.client.welcome?.gateway ?? '', options, [
    ...texts.map(textBytes),
    file.sample,
  ]);
  return same && file.same && refused && silent;
}

/** Relays register within seconds after they are ready. */
async function relayIsThere({ client }: Person): Promise<void> {
  const until = systemClock.monotonicMs() + WITHIN_MS;
  for (;;) {
    try {
      await client.request('relay.choose', { avoid: [] });
      return;
    } catch (error) {
      if (systemClock.monotonicMs() > until) throw error;
      await new Promise((wake) => setTimeout(wake, 200));
    }
  }
}

/** The words are new in every run, so that a search cannot find those of an earlier one. */
const nonce = (): string => randomBytes(6).toString('hex');

async function acquaint(alice: Person, bob: Person): Promise<void> {
  const [a, b] = [alice.client.fingerprint, bob.client.fingerprint];
  const isKnown = alice.client.contacts.some(
    ({ fingerprint, state }) => fingerprint === b && state === 'accepted',
  );
  if (!isKnown) {
    const asked = within(
      'the introduction',
      new Promise<void>((resolve) => {
        bob.client.on('contact-asks', (who) => {
          if (who === a) resolve();
        });
      }),
    );
    const accepted = within(
      'the acceptance',
      new Promise<void>((resolve) => {
        alice.client.on('contact-accepted', (who) => {
          if (who === b) resolve();
        });
      }),
    );
    await alice.client.ask(b);
    await asked;
    await bob.client.accept(a);
    await accepted;
  }
  await alice.client.setPathPolicy(b, 'RelayOnly');
  await bob.client.setPathPolicy(a, 'RelayOnly');
}

async function talk(
  from: Person,
  to: Person,
  text: string,
  say: DemoOptions['say'],
): Promise<void> {
  const arrived = within(
    `the text of ${from.name}`,
    new Promise<void>((resolve) => {
      to.client.on('text', (_who, heard) => {
        if (heard === text) resolve();
      });
    }),
  );
  const began = systemClock.monotonicMs();
  from.client.send(to.client.fingerprint, text);
  await arrived;
  const ms = Math.round(systemClock.monotonicMs() - began);
  say(`${from.name} to ${to.name}: "${text}" (sealed end to end, there after ${ms} ms)`);
}

/** Twenty megabytes through the relay, with a line for each fifth of it. */
async function sendFile(
  alice: Person,
  bob: Person,
  { state, say }: DemoOptions,
): Promise<SentDemoFile> {
  let said = 0;
  const file = await sendDemoFile(alice.client, bob.client, `${state}/demo/file`, (progress) => {
    const fifth = Math.floor((5 * progress.bytes) / progress.totalBytes);
    if (fifth <= said) return;
    said = fifth;
    const rate = (progress.bytesPerSecond / 1e6).toFixed(1);
    say(`file: ${Math.round(progress.bytes / 1e6)} of 20 MB, ${rate} MB/s`);
  });
  const rate = (DEMO_FILE_BYTES / 1e6 / file.seconds).toFixed(1);
  const verdict = file.same ? 'the same bytes arrived' : 'OTHER BYTES ARRIVED';
  say(`alice sent bob a file of 20 MB in ${file.seconds.toFixed(1)} s (${rate} MB/s): ${verdict}`);
  return file;
}

const textBytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A lease as a wire-tap between endpoint and relay sees it, shown by a stranger, then by its holder. */
async function attack(alice: Person, { say }: DemoOptions): Promise<boolean> {
  const { client, identity } = alice;
  const context = { backend: identity.context.backend, keys: new KeyStore(KEY_STORE_BYTES) };
  const leases = new SessionLeases({
    context,
    random: (out) => {
      out.set(randomBytes(out.length));
    },
    ask: (name, body) => client.request(name, body),
    gateway: () => client.welcome?.gateway ?? '',
    role: 'client',
    sessionSeed: randomBytes(32),
  });
  try {
    const relay = await client.request('relay.choose', { avoid: [] });
    const bytes = (length: number): Uint8Array => new Uint8Array(randomBytes(length));
    return await leases.take(relay.rid, async ({ fields }) => {
      const stranger = await presentLease(
        context,
        { ...fields, proofKey: bytes(32) },
        relay,
        bytes,
      );
      const holder = await presentLease(context, fields, relay, bytes);
      say(
        `a stranger showed a captured lease to ${relay.rid}: ${stranger}; its holder showed it: ${holder}`,
      );
      return stranger === 'refused' && holder === 'proven';
    });
  } finally {
    leases.close();
    context.keys.eraseAll();
  }
}

/** Searches all that gateway and relays wrote for the words of the two. */
function testify(
  gateway: string,
  { state, say }: DemoOptions,
  spoken: readonly Uint8Array[],
): boolean {
  const [namespace = '', name = ''] = gateway.split('/');
  const claim = `${state}/claims/${namespace}/data-${name}-gateway-0`;
  const secrets = new Map(spoken.map((bytes, index) => [`secret ${index + 1}`, bytes]));
  const { files, bytes, found, rows } = searchFor(
    secrets,
    [claim, `${state}/pods`],
    `${claim}/gateway.sqlite`,
  );
  const kept = [...rows]
    .filter(([, count]) => count > 0)
    .map(([table, count]) => `${table} ${count}`);
  say(`the gateway's database has ${kept.join(', ')}: keys and hashes, no word of theirs`);
  say(
    found.length === 0
      ? `searched for what they said and sent in ${files} files (${Math.round(bytes / 1024)} KiB) of gateway and relays: not found`
      : `FOUND: ${found.join('; ')}`,
  );
  return found.length === 0;
}

/** @throws Error when it takes longer than WITHIN_MS */
async function within<Value>(what: string, promise: Promise<Value>): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`${what} did not come within ${WITHIN_MS / 1_000} s`));
    }, WITHIN_MS);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
