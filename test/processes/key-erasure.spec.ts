import { fork, type ChildProcess } from 'node:child_process';
import { createHash, randomFillSync } from 'node:crypto';
import { on } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { nodeBackend } from '../../src/crypto/node.backend.js';
import { KeyStore } from '../../src/protocol/key-store.js';
import { HandshakeState, type KeyPair } from '../../src/protocol/noise/handshake-state.js';
import { SUITE } from '../../src/protocol/noise/suites.js';
import { dh, hkdf2 } from '../session/xx-by-hand.js';
import { MASK, PROLOGUE, type FromEndpoint, type ToEndpoint } from './noise-endpoint-channel.js';
import { copiesIn } from './process-memory.js';

/*
 * An endpoint in a process of its own makes a handshake with this one, which so knows every key and looks for all of
 * them in the endpoint's memory: while the session is open, and a second after it was closed.
 */
const AFTER_CLOSE_MS = 1_000;

type Role = 'initiator' | 'responder';

interface Session {
  readonly role: Role;
  /** How many packets are sealed and opened: none, so that what the handshake left is still there; or so many that V8 compiles. */
  readonly packets: number;
}

const SESSIONS: readonly Session[] = [0, 1, 2_000].flatMap((packets) => [
  { role: 'initiator', packets },
  { role: 'responder', packets },
]);

type Secrets = ReadonlyMap<string, Uint8Array>;

/** The endpoint, whose messages are read in the order in which they come. */
class Endpoint {
  readonly process: ChildProcess;
  readonly #messages: AsyncIterator<unknown>;

  constructor(backend: string, role: Role, packets: number) {
    this.process = fork('test/processes/noise-endpoint.ts', [backend, role, String(packets)], {
      execArgv: ['--import', 'tsx'],
    });
    this.#messages = on(this.process, 'message', { close: ['exit'] })[Symbol.asyncIterator]();
  }

  tell(order: ToEndpoint): void {
    this.process.send(order);
  }

  async next(): Promise<FromEndpoint> {
    const { value, done } = await this.#messages.next();
    if (done) throw new Error('the endpoint has ended');
    return (value as [FromEndpoint])[0]; // What a child sends has no type of its own.
  }

  copiesOf(secrets: Secrets): string[] {
    return copiesIn(this.process.pid!, secrets);
  }
}

interface Side {
  readonly s: Uint8Array;
  readonly e: Uint8Array;
}

const unmasked = (key: string): Uint8Array =>
  Uint8Array.from(Buffer.from(key, 'hex'), (byte) => byte ^ MASK);

function pairOf(privateKey: Uint8Array): KeyPair {
  const publicKey = new Uint8Array(32);
  nodeBackend.x25519PublicKey(privateKey, publicKey);
  return { privateKey, publicKey };
}

/** Everything that must go when a session ends, from the private keys of the endpoint and the other side. */
function secretsOf(endpoint: Side, other: Side, role: Role): Secrets {
  const [initiator, responder] = role === 'initiator' ? [endpoint, other] : [other, endpoint];
  const found = new Map<string, Uint8Array>([
    ['static', endpoint.s],
    ['ephemeral', endpoint.e],
  ]);
  let chainingKey: Uint8Array = createHash('blake2s256')
    .update('Noise_XX_25519_ChaChaPoly_BLAKE2s')
    .digest();
  for (const [name, ours, theirs] of [
    ['ee', initiator.e, responder.e],
    ['es', initiator.e, responder.s],
    ['se', initiator.s, responder.e],
  ] as const) {
    const shared = dh(ours, pairOf(theirs).publicKey);
    const [next, key] = hkdf2(chainingKey, shared);
    found.set(name, shared).set(`chaining key of ${name}`, next).set(`key of ${name}`, key);
    chainingKey = next;
  }
  const [fromInitiator, fromResponder] = hkdf2(chainingKey, Buffer.alloc(0));
  const sends = role === 'initiator' ? fromInitiator : fromResponder;
  const receives = role === 'initiator' ? fromResponder : fromInitiator;
  return found.set('send key', sends).set('receive key', receives);
}

/** Makes the handshake with `endpoint`, and gives every secret of its session. */
async function open(endpoint: Endpoint, role: Role): Promise<Secrets> {
  const ours = { s: randomFillSync(new Uint8Array(32)), e: randomFillSync(new Uint8Array(32)) };
  const handshake = new HandshakeState({
    backend: nodeBackend,
    keys: new KeyStore(),
    pattern: 'XX',
    suite: SUITE,
    initiator: role === 'responder',
    prologue: PROLOGUE,
    s: pairOf(ours.s),
    random: (out) => {
      out.set(ours.e);
    },
  });
  const buffer = new Uint8Array(1_024);
  for (;;) {
    if (handshake.turn === 'write') {
      const length = handshake.writeMessage(new Uint8Array(0), buffer) as number;
      endpoint.tell({ message: Buffer.from(buffer.subarray(0, length)).toString('hex') });
    }
    const told = await endpoint.next();
    if ('open' in told) {
      const { maskedStatic, maskedEphemeral } = told.open;
      const theirs = { s: unmasked(maskedStatic), e: unmasked(maskedEphemeral) };
      return secretsOf(theirs, ours, role);
    }
    if ('message' in told)
      expect(handshake.readMessage(Buffer.from(told.message, 'hex'), buffer)).toBe(0);
  }
}

interface Copies {
  readonly whileOpen: string[];
  /** A second after the session was closed. */
  readonly afterClose: string[];
}

/** Where secrets stand in the memory of an endpoint of `backend`, each place once: `static in [heap]`. */
async function copiesOfASession(backend: string, { role, packets }: Session): Promise<Copies> {
  const endpoint = new Endpoint(backend, role, packets);
  try {
    const secrets = await open(endpoint, role);
    const whileOpen = endpoint.copiesOf(secrets);
    endpoint.tell({ close: true });
    expect(await endpoint.next()).toEqual({ closed: true });
    await delay(AFTER_CLOSE_MS);
    return { whileOpen, afterClose: endpoint.copiesOf(secrets) };
  } finally {
    endpoint.process.kill();
  }
}

const namesOf = (copies: readonly string[]): string[] => [
  ...new Set(copies.map((copy) => copy.replace(/ in .*/, ''))),
];

const IN_USE = ['receive key', 'send key', 'static'];

describe('the memory of an endpoint with the sodium back end', () => {
  it.each(SESSIONS)(
    'T46: has its keys while the session is open, and no secret of it a second after ($role, $packets packets)',
    async (session) => {
      const { whileOpen, afterClose } = await copiesOfASession('sodium', session);
      expect(namesOf(whileOpen)).toEqual(IN_USE);
      expect(afterClose).toEqual([]);
    },
  );
});

describe('the memory of an endpoint with the node back end', () => {
  // OpenSSL frees what it parsed of a private key without overwriting it, and frees a key object when V8 collects it.
  it.each(SESSIONS)(
    'T46: has no session key, chaining key or shared secret a second after the session ($role, $packets packets)',
    async (session) => {
      const { whileOpen, afterClose } = await copiesOfASession('node', session);
      const isPrivateKey = (name: string) => name === 'static' || name === 'ephemeral';
      expect(namesOf(whileOpen)).toEqual(expect.arrayContaining(IN_USE));
      expect(namesOf(afterClose).filter((name) => !isPrivateKey(name))).toEqual([]);
    },
  );
});

describe('the memory of an endpoint with the noble back end, which promises nothing', () => {
  it('keeps copies in V8’s heap, so that the look is seen to reach there', async () => {
    const { afterClose } = await copiesOfASession('noble', { role: 'initiator', packets: 0 });
    expect(afterClose).toContain('key of ee in anonymous');
  });
});
