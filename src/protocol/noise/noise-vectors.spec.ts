import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { asHex, EVERY_BACKEND, hex } from '../../../test/vectors/every-backend.js';
import type { CryptoBackend } from '../crypto-backend.js';
import { KeyStore } from '../key-store.js';
import type { CipherState } from './cipher-state.js';
import { HandshakeState } from './handshake-state.js';
import { PATTERNS, type PatternName } from './patterns.js';
import type { SuiteName } from './suites.js';

interface NoiseVector {
  readonly protocol_name: string;
  readonly init_prologue: string;
  readonly init_static: string;
  readonly init_ephemeral: string;
  readonly init_remote_static?: string;
  readonly resp_prologue: string;
  readonly resp_static: string;
  readonly resp_ephemeral?: string;
  readonly handshake_hash: string;
  readonly messages: readonly { readonly payload: string; readonly ciphertext: string }[];
}

const VECTORS = (
  JSON.parse(readFileSync('test/vectors/noise-25519-cacophony.json', 'utf8')) as {
    vectors: NoiseVector[];
  }
).vectors;

function keyPair(backend: CryptoBackend, text: string) {
  const privateKey = hex(text);
  const publicKey = new Uint8Array(32);
  backend.x25519PublicKey(privateKey, publicKey);
  return { privateKey, publicKey };
}

/** Both sides of `vector`, the initiator first, each with a key store of its own. */
function sidesOf(vector: NoiseVector, backend: CryptoBackend): [HandshakeState, HandshakeState] {
  const [, pattern, , ...suite] = vector.protocol_name.split('_');
  const named = { pattern: pattern as PatternName, suite: suite.join('_') as SuiteName, backend };
  const fill = (ephemeral: string) => (out: Uint8Array) => {
    out.set(hex(ephemeral));
  };
  return [
    new HandshakeState({
      ...named,
      initiator: true,
      keys: new KeyStore(),
      prologue: hex(vector.init_prologue),
      s: keyPair(backend, vector.init_static),
      ...(vector.init_remote_static && { rs: hex(vector.init_remote_static) }),
      random: fill(vector.init_ephemeral),
    }),
    new HandshakeState({
      ...named,
      initiator: false,
      keys: new KeyStore(),
      prologue: hex(vector.resp_prologue),
      s: keyPair(backend, vector.resp_static),
      random: fill(vector.resp_ephemeral ?? ''),
    }),
  ];
}

type Write = (payload: Uint8Array, out: Uint8Array) => unknown;
type Read = (message: Uint8Array, out: Uint8Array) => unknown;

/** One published message: `write` gives its bytes, `read` of the published bytes gives the payload. */
function carry(message: NoiseVector['messages'][number], write: Write, read: Read) {
  const published = hex(message.ciphertext);
  const out = new Uint8Array(published.length);
  expect(write(hex(message.payload), out)).toBe(published.length);
  expect(asHex(out)).toBe(message.ciphertext);
  const payload = new Uint8Array(message.payload.length / 2);
  expect(read(published, payload)).toBe(payload.length);
  expect(asHex(payload)).toBe(message.payload);
}

const writing =
  (cipher: CipherState): Write =>
  (payload, out) =>
    cipher.encryptWithAd(new Uint8Array(0), payload, out);
const reading =
  (cipher: CipherState): Read =>
  (message, out) =>
    cipher.decryptWithAd(new Uint8Array(0), message, out);

describe.each(EVERY_BACKEND)('Noise with the %s back end', (_name, backend) => {
  it.each(VECTORS.map((vector) => [vector.protocol_name, vector] as const))(
    'S6, S7: writes and reads every published message of %s, in the handshake and after, on both sides',
    (protocol, vector) => {
      const [initiator, responder] = sidesOf(vector, backend);
      const { messages, oneWay } = PATTERNS[protocol.split('_')[1] as PatternName];
      vector.messages.slice(0, messages.length).forEach((message, i) => {
        const [from, to] = i % 2 === 0 ? [initiator, responder] : [responder, initiator];
        carry(message, from.writeMessage.bind(from), to.readMessage.bind(to));
      });
      for (const side of [initiator, responder])
        expect(asHex(side.handshakeHash)).toBe(vector.handshake_hash);
      expect(asHex(responder.remoteStatic!)).toBe(
        asHex(keyPair(backend, vector.init_static).publicKey),
      );
      expect(asHex(initiator.remoteStatic!)).toBe(
        asHex(keyPair(backend, vector.resp_static).publicKey),
      );

      const [ours, theirs] = [initiator.split(), responder.split()];
      vector.messages.slice(messages.length).forEach((message, i) => {
        const forth = oneWay || (messages.length + i) % 2 === 0;
        const [from, to] = forth ? [ours, theirs] : [theirs, ours];
        carry(message, writing(from.send), reading(to.receive));
      });
    },
  );

  it('has a vector for XX with every suite, and for X with the product’s', () => {
    expect(VECTORS).toHaveLength(9);
    expect(VECTORS.every((vector) => vector.messages.length === 6)).toBe(true);
    expect(new Set(VECTORS.map((vector) => vector.protocol_name)).size).toBe(9);
  });
});
