import { createHmac } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { asHex, hex } from '../../test/vectors/every-backend.js';
import { nobleBackend } from '../crypto/noble.backend.js';
import { ascii, concat } from './bytes.js';
import { hkdf } from './hkdf.js';
import { KeyStore } from './key-store.js';

describe('HKDF', () => {
  const keys = new KeyStore();
  const derive = (salt: string, info: string, length: number) => {
    const out = new Uint8Array(length);
    const ikm = new Uint8Array(22).fill(0x0b);
    hkdf(
      { backend: nobleBackend, keys },
      { hash: 'SHA256', salt: hex(salt), ikm, info: hex(info) },
      out,
    );
    return asHex(out);
  };

  it('gives the keying material of RFC 5869, A.1', () => {
    expect(derive('000102030405060708090a0b0c', 'f0f1f2f3f4f5f6f7f8f9', 42)).toBe(
      '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865',
    );
  });

  it('gives that of A.3, with neither salt nor info', () => {
    expect(derive('', '', 42)).toBe(
      '8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8',
    );
  });

  it('gives a shorter output as the beginning of a longer one, up to 255 hashes', () => {
    const longest = derive('', '', 255 * 32);
    expect(longest).toContain(derive('', '', 33));
    expect(longest.startsWith(derive('', '', 32))).toBe(true);
    expect(() => derive('', '', 255 * 32 + 1)).toThrow(RangeError);
  });

  it('T46: takes HMAC-BLAKE2s from no back end, whose memory nobody can erase', () => {
    const backend = {
      ...nobleBackend,
      hmac: () => {
        throw new Error('asked');
      },
    };
    const [salt, ikm, info] = [ascii('salt'), ascii('secret'), ascii('info')];
    const out = new Uint8Array(40);
    hkdf({ backend, keys }, { hash: 'BLAKE2s', salt, ikm, info }, out);
    const hmac = (key: Uint8Array, ...parts: readonly Uint8Array[]) =>
      createHmac('blake2s256', key).update(concat(parts)).digest();
    const first = hmac(hmac(salt, ikm), info, Uint8Array.of(1));
    const second = hmac(hmac(salt, ikm), first, info, Uint8Array.of(2));
    expect(asHex(out)).toBe(asHex(concat([first, second.subarray(0, 8)])));
  });

  it('leaves nothing of what lay between in the key store', () => {
    const probe = keys.take(1);
    derive('', '', 100);
    expect(keys.liveSlices).toBe(1);
    expect(new Uint8Array(probe.buffer).every((byte) => byte === 0)).toBe(true);
    keys.erase(probe);
  });
});
