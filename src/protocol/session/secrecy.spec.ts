import { createHash, createHmac } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import {
  ALICE,
  BACKENDS,
  BOB,
  PARTIES,
  RELAY_PATH,
  open,
  randomOf,
  seal,
  sent,
  twoHandshakes,
  twoSessions,
} from '../../../test/session/two-sessions.js';
import {
  dh,
  hkdf2,
  openDatagram,
  readTranscript,
  rekeyed,
  sealWith,
  type SharedSecrets,
} from '../../../test/session/xx-by-hand.js';
import { bytesOf, hex, keyPairOf } from '../../../test/identities.js';
import { nodeBackend } from '../../crypto/node.backend.js';
import type { CryptoBackend } from '../crypto-backend.js';
import { KeyStore } from '../key-store.js';
import { HandshakeState } from '../noise/handshake-state.js';
import { SUITES, type SuiteName } from '../noise/suites.js';
import { encodeHandshakeDatagram } from './handshake-datagram.js';
import { sessionPrologue } from './offer.js';

const CANARY = Buffer.from('canary: nobody between us reads this');
const PROLOGUE = sessionPrologue(PARTIES);

/** What a relay records of a session: all of it is public. */
function recordedSession(backend: CryptoBackend = nodeBackend) {
  const { alice, bob, transcript } = twoSessions({ backend });
  const packets = [0, 1, 2].flatMap(() => [seal(alice, CANARY), seal(bob, CANARY)]);
  alice.close();
  bob.close();
  return { transcript, packets, messages: transcript.map(noiseMessage) };
}

function noiseMessage(datagram: Uint8Array): Uint8Array {
  const length = Buffer.from(datagram).readUInt16BE(36);
  return datagram.subarray(38, 38 + length);
}

/** The ephemeral key that a side made from its random bytes. */
function ephemeralOf(side: 'initiator' | 'responder') {
  const privateKey = new Uint8Array(32);
  randomOf(side === 'initiator' ? 1 : 2)(privateKey);
  return keyPairOf(privateKey);
}

const anyOpens = (keys: readonly Uint8Array[], packets: readonly Uint8Array[]): boolean =>
  keys.some((key) => packets.some((packet) => openDatagram(key, packet) !== undefined));

const xor = (bytes: Uint8Array, mask: (i: number) => number): Uint8Array =>
  Uint8Array.from(bytes, (byte, i) => byte ^ mask(i));

const LABELS = ['', 'client', 'server', 'initiator', 'responder', 'key', 'traffic', 'c2s', 's2c'];

/** The derivations that an observer tries on one public value of 32 bytes. */
function derivedFrom(value: Uint8Array): Uint8Array[] {
  const labelled = LABELS.flatMap((label) => {
    const ascii = Buffer.from(label);
    return [
      createHash('sha256').update(value).update(ascii).digest(),
      createHash('blake2s256').update(value).update(ascii).digest(),
      createHmac('sha256', value).update(ascii).digest(),
      createHmac('blake2s256', value).update(ascii).digest(),
      xor(value, (i) => ascii[i % Math.max(1, ascii.length)] ?? 0),
      ...hkdf2(value, ascii),
    ];
  });
  // The handshake hash XOR constants, as a system before this one made its traffic keys.
  const masked = Array.from({ length: 256 }, (_, mask) => xor(value, () => mask));
  return [...labelled, ...masked];
}

/** Every key that somebody makes of what he saw: transcript, its hashes, ids, token, public keys. */
function publicKeys(messages: readonly Uint8Array[]): Uint8Array[] {
  const guess = readTranscript(PROLOGUE, messages, {
    ee: bytesOf(0),
    es: bytesOf(0),
    se: bytesOf(0),
  });
  const values = [
    guess.handshakeHash,
    ...guess.keys,
    createHash('sha256').update(Buffer.concat(messages)).digest(),
    Buffer.concat([PARTIES.sessionId, PARTIES.token]),
    Buffer.concat([PARTIES.token, PARTIES.sessionId]),
    ...[ALICE, BOB].flatMap(({ identity, s }) => [identity, s.publicKey]),
    ephemeralOf('initiator').publicKey,
    ephemeralOf('responder').publicKey,
    bytesOf(0),
  ];
  return values.flatMap(derivedFrom);
}

/** The three shared secrets for who knows these private keys. */
const secretsFrom = (own: {
  readonly ephemeralOfInitiator: Uint8Array;
  readonly staticOfInitiator: Uint8Array;
  readonly staticOfResponder: Uint8Array;
}): SharedSecrets => ({
  ee: dh(own.ephemeralOfInitiator, ephemeralOf('responder').publicKey),
  es: dh(own.staticOfResponder, ephemeralOf('initiator').publicKey),
  se: dh(own.staticOfInitiator, ephemeralOf('responder').publicKey),
});

const WITH_EPHEMERAL = secretsFrom({
  ephemeralOfInitiator: ephemeralOf('initiator').privateKey,
  staticOfInitiator: ALICE.s.privateKey,
  staticOfResponder: BOB.s.privateKey,
});

describe.each(BACKENDS)('a recorded session of the %s back end', (_, backend) => {
  const { messages, packets, transcript } = recordedSession(backend);

  it('T1, S2: is not decrypted by anything derived from what is public', () => {
    for (const bytes of [...transcript, ...packets])
      expect(Buffer.from(bytes).includes(CANARY)).toBe(false);
    const keys = publicKeys(messages);
    expect(keys.length).toBeGreaterThan(3_000);
    expect(anyOpens(keys, [packets[0]!, packets[1]!])).toBe(false);
  });

  it('S6, S7: opens under the keys that another implementation of Noise derives from the private keys', () => {
    const read = readTranscript(PROLOGUE, messages, WITH_EPHEMERAL);
    expect(read.responderStatic).toEqual(Buffer.from(BOB.s.publicKey));
    expect(read.responderBinding).toEqual(Buffer.from(BOB.binding));
    expect(read.initiatorStatic).toEqual(Buffer.from(ALICE.s.publicKey));
    expect(read.initiatorBinding).toEqual(Buffer.from(ALICE.binding));
    for (const [i, packet] of packets.entries())
      expect(openDatagram(read.keys[i % 2]!, packet)).toEqual(CANARY);
  });

  it('S60, T46: is not decrypted by the static keys of both sides, found afterwards', () => {
    const { es, se } = WITH_EPHEMERAL;
    const ss = dh(ALICE.s.privateKey, BOB.s.publicKey);
    const guesses = [es, se, ss, bytesOf(0), ...hkdf2(es, se), ...hkdf2(ss, new Uint8Array(0))];
    for (const ee of guesses) {
      const read = readTranscript(PROLOGUE, messages, { ee, es, se });
      expect(read.responderStatic).toBeUndefined();
      expect(anyOpens(read.keys, packets)).toBe(false);
    }
    const direct = [es, se, ss, ALICE.s.privateKey, BOB.s.privateKey].flatMap(derivedFrom);
    expect(anyOpens(direct, packets.slice(0, 2))).toBe(false);
  });
});

describe('the attack of T1 itself', () => {
  it('T1: decrypts what is sealed with the handshake hash XOR a constant, so it would have found such keys', () => {
    const { messages } = recordedSession();
    const { handshakeHash } = readTranscript(PROLOGUE, messages, WITH_EPHEMERAL);
    const header = hex('0000000000000000 0b0b0b0b 04 00 0000');
    for (const mask of [0x00, 0x36, 0x5c, 0xff]) {
      const key = xor(handshakeHash, () => mask);
      const packet = Buffer.concat([header, sealWith(key, 0n, header, CANARY)]);
      expect(anyOpens(publicKeys(messages), [packet])).toBe(true);
    }
  });
});

describe('the keys after a rekey', () => {
  it('S7: are REKEY of the ones before, as another implementation makes them', () => {
    const { alice, transcript } = twoSessions();
    alice.onControl(hex('02 00000000'), RELAY_PATH);
    seal(alice, CANARY, 0);
    const packet = seal(alice, CANARY, 120_000);
    const { keys } = readTranscript(PROLOGUE, transcript.map(noiseMessage), WITH_EPHEMERAL);
    expect(openDatagram(keys[0], packet)).toBeUndefined();
    expect(openDatagram(rekeyed(keys[0]), packet)).toEqual(CANARY);
  });
});

describe('a session without encryption', () => {
  it('S210: is not made by a plaintext frame: no kind, no tag, no payload in message 1', () => {
    const { alice, bob } = twoSessions();
    const frame = Buffer.concat([seal(alice, CANARY).subarray(0, 16), CANARY, Buffer.alloc(16)]);
    expect(open(bob, frame)).toBe('wrong-tag');
    for (const kind of [0, 5, 0x10, 0xff]) {
      frame[12] = kind;
      expect(open(bob, frame)).toBe('unknown-kind');
    }
    const waiting = twoHandshakes().bob;
    const message = Buffer.concat([ephemeralOf('initiator').publicKey, CANARY]);
    const { token } = PARTIES;
    const greedy = encodeHandshakeDatagram({
      kind: 1,
      receiverIndex: 0,
      token,
      senderIndex: 7,
      message,
    });
    expect(waiting.receive(greedy, RELAY_PATH, 0)).toBe('too-long');
  });

  it.each((Object.keys(SUITES) as SuiteName[]).filter((name) => name !== 'ChaChaPoly_BLAKE2s'))(
    'S210: is not made by a peer of the suite %s',
    (suite) => {
      const { alice } = twoHandshakes();
      const stranger = new HandshakeState({
        backend: nodeBackend,
        keys: new KeyStore(8_192),
        pattern: 'XX',
        suite,
        initiator: false,
        prologue: PROLOGUE,
        s: BOB.s,
        random: randomOf(2),
      });
      expect(stranger.readMessage(noiseMessage(sent(alice)[0]!), new Uint8Array(0))).toBe(0);
      const message = new Uint8Array(297);
      expect(stranger.writeMessage(BOB.binding, message)).toBe(297);
      const answer = encodeHandshakeDatagram({
        kind: 2,
        receiverIndex: 0x0a0a0a0a,
        token: PARTIES.token,
        senderIndex: 7,
        message,
      });
      expect(alice.receive(answer, RELAY_PATH, 0)).toBe('wrong-tag');
    },
  );

  it('S210: is not made by an option: one that asks for no cipher changes nothing', () => {
    const asked: object = {
      suite: 'none',
      cipher: 'none',
      encryption: false,
      plaintext: true,
      key: bytesOf(0),
    };
    const { alice, transcript } = twoSessions(asked);
    const plain = twoSessions();
    expect(transcript).toEqual(plain.transcript);
    expect(seal(alice, CANARY)).toEqual(seal(plain.alice, CANARY));
  });

  it('S210: is named by no setting of any program', () => {
    const src = new URL('../../', import.meta.url);
    const settings = readdirSync(src)
      .map((folder) => new URL(`${folder}/settings.ts`, src))
      .flatMap((file) => textOf(file));
    expect(settings.length).toBeGreaterThanOrEqual(2);
    for (const text of settings)
      expect(text).not.toMatch(/\b\w*(plaintext|encrypt|cipher|insecure|suite)\w*'?\??:/i);
  });
});

function textOf(file: URL): string[] {
  try {
    return [readFileSync(file, 'utf8')];
  } catch {
    return []; // A folder of pure code has no settings.
  }
}
