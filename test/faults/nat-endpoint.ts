/*
 * An endpoint on a machine behind a router: a client of the library that does what its parent asks (nat-messages.ts).
 * It ends when the parent goes.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { nodeBackend } from '../../src/crypto/node.backend.js';
import { Client, IdentityFile, type ContactSession } from '../../src/client/endpoint.library.js';
import { CallError } from '../../src/client/calls/call-error.js';
import { Calls } from '../../src/client/calls/calls.runner.js';
import { candidateName } from '../../src/client/contacts/local.addresses.js';
import { pause, until } from '../processes/relay-udp-endpoint.js';
import { systemClock } from '../../src/runtime/system.clock.js';
import type { Answer, EndpointQuestions, PathTaken, Question } from './nat-messages.js';

const passphrase = Buffer.from('vivid otter quarrels gently 88');
const FRAME_EVERY_MS = 20;
const met = new Set<string>();
const sessions = new Map<string, ContactSession>();
const ends: string[] = [];
let paths: PathTaken[] = [];
let client: Client;
let calls: Calls;
let numbers: number[] = [];
let firstAtMs: number | undefined;
let refused: string[] = [];

/** A frame of 20 ms as Opus makes them at a variable rate: 60 to 160 bytes that look like chance, behind its number. */
function speech(number: number): Uint8Array {
  const frame = randomBytes(60 + ((number * 37) % 101));
  frame.writeUInt32BE(number);
  return frame;
}

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
    calls = new Calls(client, nodeBackend, systemClock);
    calls.on('frame', (_peer, bytes) => {
      firstAtMs ??= Date.now();
      numbers.push(Buffer.from(bytes).readUInt32BE());
    });
    calls.on('refused', (_peer, reason) => refused.push(reason));
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
  call: async (peer, frames) => {
    const beganAtMs = Date.now();
    let sent = 0;
    try {
      const call = await calls.start(peer);
      for (; sent < Number(frames); sent++) {
        call.send(speech(sent));
        await pause(FRAME_EVERY_MS);
      }
      return { beganAtMs, sent, refused: undefined };
    } catch (error) {
      if (error instanceof CallError) return { beganAtMs, sent, refused: error.reason };
      throw error;
    }
  },
  heard: () => {
    const answer = { numbers, firstAtMs, refused };
    [numbers, firstAtMs, refused] = [[], undefined, []];
    return Promise.resolve(answer);
  },
};

type Ask = (...args: readonly string[]) => Promise<unknown>;

process.on('message', ({ id, name, args }: Question) => {
  const answer = (more: Omit<Answer, 'id'>) => process.send?.({ id, ...more });
  // The names and arguments are those of the interface: the parent's compiler has looked.
  const all = questions as unknown as Readonly<Record<string, Ask>>;
  const asked = all[name]?.(...args) ?? Promise.reject(new Error(`no question ${name}`));
  asked.then(
    (result) => answer({ result }),
    (error: unknown) => answer({ error: String(error) }),
  );
});
process.on('disconnect', () => process.exit(0));
