/*
 * An endpoint on a machine behind a router: a client of the library that does what its parent asks (nat-messages.ts).
 * It ends when the parent goes.
 */
import { once } from 'node:events';
import { nodeBackend } from '../../src/crypto/node.backend.js';
import { Client, IdentityFile, type ContactSession } from '../../src/client/endpoint.library.js';
import { candidateName } from '../../src/client/contacts/local.addresses.js';
import { until } from '../processes/relay-udp-endpoint.js';
import type { Answer, EndpointQuestions, PathTaken, Question } from './nat-messages.js';

const passphrase = Buffer.from('vivid otter quarrels gently 88');
const met = new Set<string>();
const sessions = new Map<string, ContactSession>();
const ends: string[] = [];
let paths: PathTaken[] = [];
let client: Client;

function listen(): void {
  client.on('contact-asks', (peer) => met.add(peer));
  client.on('contact-accepted', (peer) => met.add(peer));
  client.on('session', (peer, session) => {
    sessions.set(peer, session);
  });
  client.on('session-ended', (peer, end) => {
    if (sessions.get(peer)?.end !== undefined) sessions.delete(peer);
    ends.push(end);
    paths = [];
  });
  client.on('path', (_peer, kind) => {
    paths.push({ kind, atMs: Date.now() });
  });
}

async function delivered(id: string): Promise<void> {
  for (;;) {
    const [{ id: which, state, reason }] = await once(client, 'delivery');
    if (which === id && state === 'failed') throw new Error(`not delivered: ${reason}`);
    if (which === id && state === 'delivered') return;
  }
}

const questions: EndpointQuestions = {
  open: async (url, pin, path) => {
    const place = { path, passphrase, backend: nodeBackend, nowMs: Date.now() };
    const identity = await IdentityFile.create(place, 12);
    client = await Client.open({ identity, gateways: [{ url, pins: [pin] }] });
    listen();
    await client.connect();
    return client.fingerprint;
  },
  ask: async (peer) => {
    await client.ask(peer);
  },
  accept: (peer) => client.accept(peer),
  policy: (peer, policy) => client.setPathPolicy(peer, policy),
  met: (peer) => until(`a word of ${peer}`, () => met.has(peer)),
  session: async (peer) => {
    await client.session(peer);
  },
  hangUp: async (peer) => {
    const [session, before] = [sessions.get(peer), ends.length];
    session?.close();
    if (session !== undefined) await until('the end', () => ends.length > before);
  },
  seen: async (peer) => {
    await until('a session', () => sessions.has(peer));
    const session = sessions.get(peer)!;
    return {
      id: Buffer.from(session.sessionId).toString('hex'),
      relay: session.relayId,
      candidates: session.candidates().map((one) => candidateName(one).replace(' ', ':')),
      paths,
      ends,
    };
  },
  say: async (peer, text) => {
    const began = performance.now();
    await delivered(client.send(peer, text));
    return performance.now() - began;
  },
  rebind: async (peer) => {
    await sessions.get(peer)?.rebind();
  },
};

process.on('message', ({ id, name, args }: Question) => {
  const answer = (more: Omit<Answer, 'id'>) => process.send?.({ id, ...more });
  // The names and arguments are those of the interface: the parent's compiler has looked.
  const question = questions[name] as (...args: readonly string[]) => Promise<unknown>;
  question(...args).then(
    (result) => answer({ result }),
    (error: unknown) => answer({ error: String(error) }),
  );
});
process.on('disconnect', () => process.exit(0));
