import { describe, expect, it } from '@jest/globals';
import {
  aHandshake,
  aKeyPair,
  handshakeOptions,
  nextMessage,
} from '../../../test/vectors/a-handshake.js';
import { asHex } from '../../../test/vectors/every-backend.js';
import { ascii } from '../bytes.js';
import { KeyStore } from '../key-store.js';
import type { HandshakeState } from './handshake-state.js';

const misuse = (code: string) => expect.objectContaining({ name: 'NoiseMisuse', code });
const PAYLOAD = ascii('payload');

function read(side: HandshakeState, message: Uint8Array): string {
  const out = new Uint8Array(PAYLOAD.length);
  const length = side.readMessage(message, out);
  return typeof length === 'string' ? length : asHex(out.subarray(0, length));
}

/** Exchanges the first `count` messages of XX. */
function exchange(initiator: HandshakeState, responder: HandshakeState, count: number): void {
  for (let i = 0; i < count; i++) {
    const [from, to] = i % 2 === 0 ? [initiator, responder] : [responder, initiator];
    expect(read(to, nextMessage(from))).toBe(asHex(PAYLOAD));
  }
}

describe('an XX handshake', () => {
  it('goes to and fro three times and gives both the same keys, hash and names of each other', () => {
    const [initiator, responder] = [aHandshake(true), aHandshake(false)];
    expect([initiator.turn, responder.turn]).toEqual(['write', 'read']);
    exchange(initiator, responder, 3);
    expect([initiator.turn, responder.turn]).toEqual(['done', 'done']);
    expect(initiator.handshakeHash).toEqual(responder.handshakeHash);
    expect(initiator.remoteStatic).toEqual(aKeyPair('responder').publicKey);
    expect(responder.remoteStatic).toEqual(aKeyPair('initiator').publicKey);

    const [ours, theirs] = [initiator.split(), responder.split()];
    for (const [from, to] of [
      [ours.send, theirs.receive],
      [theirs.send, ours.receive],
    ] as const) {
      const packet = new Uint8Array(PAYLOAD.length + 16);
      from.encryptWithAd(ascii('a'), PAYLOAD, packet);
      expect(to.decryptWithAd(ascii('a'), packet, packet)).toBe(PAYLOAD.length);
    }
  });

  it('knows the peer as soon as its message came: the initiator after the second, the responder after the third', () => {
    const [initiator, responder] = [aHandshake(true), aHandshake(false)];
    exchange(initiator, responder, 1);
    expect([initiator.remoteStatic, responder.remoteStatic]).toEqual([undefined, undefined]);
    expect(read(initiator, nextMessage(responder))).toBe(asHex(PAYLOAD));
    expect(initiator.remoteStatic).toEqual(aKeyPair('responder').publicKey);
    expect(responder.remoteStatic).toBeUndefined();
  });

  it('fails at the first sealed message when the prologues differ', () => {
    const initiator = aHandshake(true);
    const responder = aHandshake(false, { prologue: ascii('another profile') });
    exchange(initiator, responder, 1);
    expect(read(initiator, nextMessage(responder))).toBe('wrong-tag');
  });

  it('says before each message what it needs beside the payload', () => {
    const [initiator, responder] = [aHandshake(true), aHandshake(false)];
    let [from, to] = [initiator, responder];
    const needs = [0, 1, 2].map(() => {
      const bytes = from.overheadBytes;
      expect(to.overheadBytes).toBe(bytes);
      expect(read(to, nextMessage(from))).toBe(asHex(PAYLOAD));
      [from, to] = [to, from];
      return bytes;
    });
    expect(needs).toEqual([32, 32 + 48 + 16, 48 + 16]);
    expect(initiator.overheadBytes).toBe(0);
  });
});

describe('a handshake whose caller is wrong', () => {
  it('throws on the wrong turn, before the end and after it, and nothing has changed', () => {
    const [initiator, responder] = [aHandshake(true), aHandshake(false)];
    const out = new Uint8Array(200);
    const wrongTurns = (turn: HandshakeState, other: HandshakeState) => {
      expect(() => turn.readMessage(out, out)).toThrow(misuse('ERR_NOISE_WRONG_TURN'));
      expect(() => other.writeMessage(PAYLOAD, out)).toThrow(misuse('ERR_NOISE_WRONG_TURN'));
      expect(() => turn.split()).toThrow(misuse('ERR_NOISE_NOT_FINISHED'));
      expect(() => turn.handshakeHash).toThrow(misuse('ERR_NOISE_NOT_FINISHED'));
    };
    wrongTurns(initiator, responder);
    expect(read(responder, nextMessage(initiator))).toBe(asHex(PAYLOAD));
    wrongTurns(responder, initiator);
    expect(read(initiator, nextMessage(responder))).toBe(asHex(PAYLOAD));
    wrongTurns(initiator, responder);
    expect(read(responder, nextMessage(initiator))).toBe(asHex(PAYLOAD));
    expect(() => initiator.writeMessage(PAYLOAD, out)).toThrow(misuse('ERR_NOISE_WRONG_TURN'));
    expect(() => responder.readMessage(out, out)).toThrow(misuse('ERR_NOISE_WRONG_TURN'));
  });

  it('throws when it is used after split or destroy', () => {
    const [initiator, responder] = [aHandshake(true), aHandshake(false)];
    exchange(initiator, responder, 3);
    initiator.split();
    expect(() => initiator.split()).toThrow(misuse('ERR_NOISE_SPENT'));
    expect(() => initiator.writeMessage(PAYLOAD, new Uint8Array(99))).toThrow(
      misuse('ERR_NOISE_SPENT'),
    );
    responder.destroy();
    responder.destroy();
    expect(() => responder.split()).toThrow(misuse('ERR_NOISE_SPENT'));
  });

  it('throws when its key store was erased beneath it', () => {
    const keys = new KeyStore();
    const initiator = aHandshake(true, { keys });
    keys.eraseAll();
    expect(() => nextMessage(initiator)).toThrow(misuse('ERR_NOISE_SPENT'));
    initiator.destroy();
  });

  it('throws when the message does not fit, and writes it when it does', () => {
    const initiator = aHandshake(true);
    expect(() => initiator.writeMessage(PAYLOAD, new Uint8Array(38))).toThrow(
      misuse('ERR_NOISE_BUFFER'),
    );
    expect(() => initiator.writeMessage(new Uint8Array(65_504), new Uint8Array(70_000))).toThrow(
      misuse('ERR_NOISE_BUFFER'),
    );
    expect(initiator.writeMessage(new Uint8Array(65_503), new Uint8Array(70_000))).toBe(65_535);
  });

  it('throws on keys of wrong lengths or of zeros, and on an rs that nobody asked for', () => {
    const s = aKeyPair('initiator');
    const short = new Uint8Array(31);
    for (const [changes, code] of [
      [{ s: { ...s, privateKey: short } }, 'ERR_NOISE_KEY'],
      [{ s: { ...s, publicKey: short } }, 'ERR_NOISE_KEY'],
      [{ s: { ...s, privateKey: new Uint8Array(32) } }, 'ERR_NOISE_NULL_KEY'],
      [{ rs: s.publicKey }, 'ERR_NOISE_KEY'],
      [{ pattern: 'X' }, 'ERR_NOISE_KEY'],
      [{ pattern: 'X', rs: short }, 'ERR_NOISE_KEY'],
    ] as const)
      expect(() => aHandshake(true, changes)).toThrow(misuse(code));
    expect(() => aHandshake(false, { pattern: 'X', rs: s.publicKey })).toThrow(
      misuse('ERR_NOISE_KEY'),
    );
  });

  it('throws when its source of chance gives zeros, and makes no message', () => {
    const initiator = aHandshake(true, { random: (out) => out.fill(0) });
    expect(() => nextMessage(initiator)).toThrow(misuse('ERR_NOISE_NULL_KEY'));
    expect(initiator.turn).toBe('write');
  });
});

describe('the secrets of a handshake', () => {
  it('live in the key store and are all erased by split but the keys that it gives', () => {
    const [ours, theirs] = [new KeyStore(1_024), new KeyStore(1_024)];
    const initiator = aHandshake(true, { keys: ours });
    const responder = aHandshake(false, { keys: theirs });
    exchange(initiator, responder, 3);
    const { send, receive } = initiator.split();
    responder.split();
    expect([ours.liveSlices, theirs.liveSlices]).toEqual([2, 2]);
    const probe = ours.take(1);
    expect(new Uint8Array(probe.buffer).every((byte) => byte === 0)).toBe(false);
    send.destroy();
    receive.destroy();
    expect(new Uint8Array(probe.buffer).every((byte) => byte === 0)).toBe(true);
  });

  it('are erased by destroy at every step, also after a refusal', () => {
    for (const steps of [0, 1, 2, 3]) {
      const keys = new KeyStore(1_024);
      const probe = keys.take(1);
      const [initiator, responder] = [aHandshake(true, { keys }), aHandshake(false, { keys })];
      exchange(initiator, responder, steps);
      const reader = [initiator, responder].find((side) => side.turn === 'read');
      if (reader) expect(read(reader, new Uint8Array(4))).toBe('too-short');
      initiator.destroy();
      responder.destroy();
      expect(keys.liveSlices).toBe(1);
      expect(new Uint8Array(probe.buffer).every((byte) => byte === 0)).toBe(true);
    }
  });

  it('do not include the static key, which stays its owner’s', () => {
    const options = handshakeOptions(true);
    aHandshake(true, options).destroy();
    expect(options.s).toEqual(aKeyPair('initiator'));
  });
});

describe('an X handshake', () => {
  it('is one message to a known key; its responder can never send, nor its initiator receive', () => {
    const initiator = aHandshake(true, { pattern: 'X', rs: aKeyPair('responder').publicKey });
    const responder = aHandshake(false, { pattern: 'X' });
    expect(read(responder, nextMessage(initiator))).toBe(asHex(PAYLOAD));
    expect(responder.remoteStatic).toEqual(aKeyPair('initiator').publicKey);
    const [ours, theirs] = [initiator.split(), responder.split()];
    expect([ours.send.isLive, theirs.receive.isLive]).toEqual([true, true]);
    expect([ours.receive.isLive, theirs.send.isLive]).toEqual([false, false]);
    expect(() => theirs.send.encryptWithAd(PAYLOAD, PAYLOAD, new Uint8Array(99))).toThrow(
      misuse('ERR_NOISE_SPENT'),
    );
  });

  it('is not readable by another key', () => {
    const initiator = aHandshake(true, { pattern: 'X', rs: aKeyPair('responder').publicKey });
    const stranger = aHandshake(false, { pattern: 'X', s: aKeyPair('stranger') });
    expect(read(stranger, nextMessage(initiator))).toBe('wrong-tag');
    expect(stranger.turn).toBe('read');
  });
});
