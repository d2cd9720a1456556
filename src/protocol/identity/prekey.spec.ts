import { describe, expect, it } from '@jest/globals';
import { nodeBackend } from '../../crypto/node.backend.js';
import {
  anAccount,
  aPrekey,
  bytesOf,
  NOON_MS,
  patched,
  withBitTurned,
} from '../../../test/identities.js';
import { concat, toHex, u64 } from '../bytes.js';
import { decodePrekey, signPrekey, verifyPrekey } from './prekey.js';

const HOUR_MS = 3_600_000;
const bob = anAccount(0x20);
const mallory = anAccount(0x40);
const { bytes, prekey } = aPrekey(bob);
const verify = (given: Uint8Array, keys: object = {}, nowMs = NOON_MS) =>
  verifyPrekey(nodeBackend, given, { ...bob.keys, ...keys }, nowMs);

describe('a prekey', () => {
  it('is written byte by byte as the table says', () => {
    expect(toHex(bytes.subarray(0, 100))).toBe(
      [
        toHex(bob.identity),
        toHex(bob.deviceId),
        '00000007',
        toHex(prekey.x25519),
        toHex(u64(BigInt(NOON_MS - HOUR_MS))),
        toHex(u64(BigInt(NOON_MS + HOUR_MS))),
      ].join(''),
    );
    expect(bytes).toHaveLength(164);
  });

  it('is signed by the device over its label, a zero byte and its fields', () => {
    const label = Buffer.from('sallyport prekey v1\0', 'latin1');
    const message = concat([label, bytes.subarray(0, 100)]);
    expect(nodeBackend.ed25519Verify(bob.keys.ed25519, message, bytes.subarray(100))).toBe(true);
  });

  it('is accepted from its device in its time, as views of the bytes given', () => {
    expect(verify(bytes)).toMatchObject(prekey);
    expect(decodePrekey(bytes)).toHaveProperty('x25519.buffer', bytes.buffer);
  });

  it('is not written for more than 48 h, nor with an id that is no u32', () => {
    const sign = (changes: object) => () => aPrekey(bob, changes);
    expect(sign({ notAfterMs: prekey.notBeforeMs + 48 * HOUR_MS })).not.toThrow();
    expect(sign({ notAfterMs: prekey.notBeforeMs + 48 * HOUR_MS + 1 })).toThrow(RangeError);
    for (const prekeyId of [-1, 2 ** 32, 0.5]) expect(sign({ prekeyId })).toThrow(RangeError);
    expect(sign({ x25519: bytesOf(1, 31) })).toThrow(RangeError);
    expect(() => signPrekey(nodeBackend, bytesOf(1, 31), prekey)).toThrow(RangeError);
  });
});

describe('a prekey from a stranger', () => {
  it.each([0, 163, 165])('is refused when it has %i bytes', (length) => {
    expect(verify(concat([bytes, bytesOf(0)]).subarray(0, length))).toBe('prekey-length');
  });

  it('is refused when its dates are out of order or out of range', () => {
    expect(verify(patched(bytes, 84, u64(2n ** 53n)))).toBe('prekey-dates');
    expect(verify(patched(bytes, 92, u64(0n)))).toBe('prekey-dates');
  });

  it('is refused when it promises more than 48 h', () => {
    const until = u64(BigInt(prekey.notBeforeMs + 48 * HOUR_MS + 1));
    expect(verify(patched(bytes, 92, until))).toBe('prekey-lifetime');
  });

  it('is refused for another account or another device of the same account', () => {
    expect(verify(bytes, { identity: mallory.identity })).toBe('prekey-other-identity');
    expect(verify(bytes, { deviceId: mallory.deviceId })).toBe('prekey-other-device');
  });

  it('is refused when another key signed it or any field was changed', () => {
    expect(verify(bytes, { ed25519: mallory.keys.ed25519 })).toBe('prekey-signature');
    for (const offset of [48, 52, 83, 91, 99, 100, 163])
      expect(verify(withBitTurned(bytes, offset))).toBe('prekey-signature');
  });

  it('is refused before its time less 30 s of clock skew, and exactly from its end on', () => {
    const { notBeforeMs, notAfterMs } = prekey;
    expect(verify(bytes, {}, notBeforeMs - 30_001)).toBe('prekey-not-yet-valid');
    expect(verify(bytes, {}, notBeforeMs - 30_000)).toMatchObject(prekey);
    expect(verify(bytes, {}, notAfterMs - 1)).toMatchObject(prekey);
    expect(verify(bytes, {}, notAfterMs)).toBe('prekey-expired');
  });
});
