import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { aHandshake, aKeyPair, nextMessage } from '../../../test/vectors/a-handshake.js';
import { EVERY_BACKEND, hex } from '../../../test/vectors/every-backend.js';
import { wycheproof, type WycheproofTest } from '../../../test/vectors/wycheproof.js';
import { KeyStore } from '../key-store.js';
import type { HandshakeState } from './handshake-state.js';

const out = new Uint8Array(100);

/** Both sides and the message that `reader` waits for after `done` messages. */
function waiting(done: 0 | 1 | 2) {
  const [initiator, responder] = [aHandshake(true), aHandshake(false)];
  let [writer, reader] = [initiator, responder];
  for (let i = 0; i < done; i++) {
    expect(reader.readMessage(nextMessage(writer), out)).toBe(7);
    [writer, reader] = [reader, writer];
  }
  return { writer, reader, message: nextMessage(writer) };
}

/** What is left to do after `done` messages and one more: the two sides must still come to the same end. */
function finishes(writer: HandshakeState, reader: HandshakeState): boolean {
  let [from, to] = [reader, writer];
  while (from.turn === 'write') {
    if (to.readMessage(nextMessage(from), out) !== 7) return false;
    [from, to] = [to, from];
  }
  return Buffer.from(from.handshakeHash).equals(to.handshakeHash);
}

/** Public keys of low order, as Wycheproof lists them: each gives an all-zero secret. */
const LOW_ORDER = [
  ...new Set(
    wycheproof<WycheproofTest & { readonly public: string }>('x25519')
      .filter((test) => test.flags.includes('ZeroSharedSecret'))
      .map((test) => test.public),
  ),
];

describe('a handshake that strangers write to', () => {
  it.each([1, 2] as const)(
    'refuses message %i + 1 with any one bit changed, and then takes the right one',
    (done) => {
      const { writer, reader, message } = waiting(done);
      for (let at = 0; at < message.length; at++) {
        const changed = message.with(at, message[at]! ^ (1 << (at & 7)));
        // The highest bit of an X25519 key is masked (RFC 7748, section 5), but hashed all the same.
        expect(reader.readMessage(changed, out)).toBe('wrong-tag');
        expect(reader.turn).toBe('read');
      }
      expect(reader.readMessage(message, out)).toBe(7);
      expect(finishes(writer, reader)).toBe(true);
    },
  );

  it.each([0, 1, 2] as const)(
    'refuses every shorter form of message %i + 1, and then takes the right one',
    (done) => {
      const { writer, reader, message } = waiting(done);
      const overhead = message.length - 7;
      for (let length = 0; length < message.length; length++) {
        // The first message's payload is in the clear: a shorter one is a message, only not this one.
        if (done === 0 && length >= overhead) break;
        const refusal = reader.readMessage(message.subarray(0, length), out);
        expect(refusal).toBe(length < overhead ? 'too-short' : 'wrong-tag');
      }
      expect(reader.readMessage(message, out)).toBe(7);
      expect(finishes(writer, reader)).toBe(true);
    },
  );

  it('refuses a payload that its reader has no room for, and more than Noise allows', () => {
    const { writer, reader, message } = waiting(1);
    expect(reader.readMessage(message, new Uint8Array(6))).toBe('too-long');
    expect(reader.readMessage(new Uint8Array(65_536), new Uint8Array(70_000))).toBe('too-long');
    expect(reader.readMessage(new Uint8Array(65_535).fill(7), new Uint8Array(70_000))).toBe(
      'wrong-tag',
    );
    expect(reader.readMessage(message, out)).toBe(7);
    expect(finishes(writer, reader)).toBe(true);
  });

  it('never throws on random bytes, leaves nothing in the key store, and still takes the right message', () => {
    const { writer, reader, message } = waiting(2);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(['too-short', 'too-long', 'wrong-tag']).toContain(reader.readMessage(bytes, out));
      }),
      { numRuns: 500 },
    );
    expect(reader.readMessage(message, out)).toBe(7);
    expect(finishes(writer, reader)).toBe(true);
  });

  it('keeps the room of its key store over ten thousand refusals', () => {
    const keys = new KeyStore(1_024);
    const responder = aHandshake(false, { keys });
    const initiator = aHandshake(true);
    expect(responder.readMessage(nextMessage(initiator), out)).toBe(7);
    expect(initiator.readMessage(nextMessage(responder), out)).toBe(7);
    const before = keys.liveSlices;
    for (let i = 0; i < 10_000; i++)
      expect(responder.readMessage(new Uint8Array(71), out)).toBe('wrong-tag');
    expect(keys.liveSlices).toBe(before);
  });
});

describe.each(EVERY_BACKEND)('a handshake with the %s back end', (_name, backend) => {
  it('T45: refuses every low-order ephemeral key, when it reads and when it would answer', () => {
    expect(LOW_ORDER.length).toBeGreaterThanOrEqual(7);
    for (const key of LOW_ORDER.map(hex)) {
      const responder = aHandshake(false, { backend });
      expect(responder.readMessage(key, out)).toBe(0);
      const answer = new Uint8Array(responder.overheadBytes);
      expect(responder.writeMessage(new Uint8Array(0), answer)).toBe('zero-shared-secret');
      expect(responder.turn).toBe('write');
      responder.destroy();
    }
    const initiator = aHandshake(true, { backend });
    const responder = aHandshake(false, { backend });
    expect(responder.readMessage(nextMessage(initiator), out)).toBe(7);
    const answer = nextMessage(responder);
    for (const key of LOW_ORDER.map(hex)) {
      const forged = Uint8Array.of(...key, ...answer.subarray(32));
      expect(initiator.readMessage(forged, out)).toBe('zero-shared-secret');
    }
    expect(initiator.readMessage(answer, out)).toBe(7);
  });

  it('T45: refuses a static key of low order that a peer sealed properly', () => {
    const s = { ...aKeyPair('liar'), publicKey: hex(LOW_ORDER[1]!) };
    const initiator = aHandshake(true, { backend, s });
    const responder = aHandshake(false, { backend });
    expect(responder.readMessage(nextMessage(initiator), out)).toBe(7);
    expect(initiator.readMessage(nextMessage(responder), out)).toBe(7);
    expect(responder.readMessage(nextMessage(initiator), out)).toBe('zero-shared-secret');
    expect([responder.turn, responder.remoteStatic]).toEqual(['read', undefined]);
  });

  it('T45: writes no envelope to a prekey of low order', () => {
    for (const rs of LOW_ORDER.map(hex)) {
      const envelope = aHandshake(true, { backend, pattern: 'X', rs });
      const written = new Uint8Array(envelope.overheadBytes);
      expect(envelope.writeMessage(new Uint8Array(0), written)).toBe('zero-shared-secret');
      envelope.destroy();
    }
  });
});
