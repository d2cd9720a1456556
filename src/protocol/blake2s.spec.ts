import { createHash, createHmac } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { asHex, EVERY_BACKEND, hex } from '../../test/vectors/every-backend.js';
import { blake2s, hmacBlake2s } from './blake2s.js';
import { ascii } from './bytes.js';

function hashed(...parts: readonly Uint8Array[]): string {
  const out = new Uint8Array(32);
  blake2s(parts, out);
  return asHex(out);
}

function authenticated(key: Uint8Array, ...parts: readonly Uint8Array[]): string {
  const out = new Uint8Array(32);
  hmacBlake2s(key, parts, out);
  return asHex(out);
}

/** The selftest_seq of RFC 7693, appendix E. */
function sequence(length: number, seed: number): Uint8Array {
  let [a, b] = [Math.imul(0xdead4bad, seed), 1];
  return Uint8Array.from({ length }, () => {
    const next = (a + b) | 0;
    [a, b] = [b, next];
    return next >>> 24;
  });
}

const anyBytes = fc.uint8Array({ maxLength: 300 });

describe('BLAKE2s', () => {
  it('gives the digest of RFC 7693, appendix B', () => {
    expect(hashed(ascii('abc'))).toBe(
      '508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982',
    );
  });

  it('gives the digest of nothing', () => {
    const empty = '69217a3079908094e11121d042354a7c1f55b6482ca1a51e1b250dfd1ed0eef9';
    expect([hashed(), hashed(new Uint8Array(0)), hashed(new Uint8Array(0), ascii(''))]).toEqual([
      empty,
      empty,
      empty,
    ]);
  });

  it('gives what OpenSSL gives for every length over three blocks', () => {
    for (let length = 0; length <= 193; length++) {
      const bytes = sequence(length, length);
      expect(hashed(bytes)).toBe(createHash('blake2s256').update(bytes).digest('hex'));
    }
  });

  it('gives what every back end gives, however the input is cut into parts', () => {
    fc.assert(
      fc.property(fc.array(anyBytes, { maxLength: 4 }), (parts) => {
        const out = new Uint8Array(32);
        for (const [, backend] of EVERY_BACKEND) {
          backend.hash('BLAKE2s', parts, out);
          expect(hashed(...parts)).toBe(asHex(out));
        }
      }),
    );
  });

  it('refuses an output of another length and an input that it cannot count', () => {
    const out = new Uint8Array(32);
    for (const length of [0, 31, 33])
      expect(() => {
        blake2s([], new Uint8Array(length));
      }).toThrow(RangeError);
    const large = new Uint8Array(2 ** 26);
    for (const call of [
      () => {
        blake2s(new Array<Uint8Array>(64).fill(large), out);
      },
      () => {
        hmacBlake2s(out, new Array<Uint8Array>(64).fill(large), out);
      },
      () => {
        hmacBlake2s(out, [], new Uint8Array(33));
      },
    ])
      expect(call).toThrow(RangeError);
  });
});

describe('HMAC-BLAKE2s', () => {
  it('gives what OpenSSL gives for keys shorter and longer than a block', () => {
    for (let length = 0; length <= 130; length++) {
      const [key, bytes] = [sequence(length, 1), sequence(2 * length, 2)];
      const expected = createHmac('blake2s256', key).update(bytes).digest('hex');
      expect(authenticated(key, bytes)).toBe(expected);
    }
  });

  it('gives what every back end gives, however the input is cut into parts', () => {
    fc.assert(
      fc.property(anyBytes, fc.array(anyBytes, { maxLength: 4 }), (key, parts) => {
        const out = new Uint8Array(32);
        for (const [, backend] of EVERY_BACKEND) {
          backend.hmac('BLAKE2s', key, parts, out);
          expect(authenticated(key, ...parts)).toBe(asHex(out));
        }
      }),
    );
  });

  it('may write to its own key or to a part of its input', () => {
    const [key, input] = [sequence(32, 3), sequence(32, 4)];
    const expected = authenticated(key, input);
    for (const out of [key.slice(), input.slice()]) {
      const isKey = asHex(out) === asHex(key);
      hmacBlake2s(isKey ? out : key, [isKey ? input : out], out);
      expect(asHex(out)).toBe(expected);
    }
    const own = input.slice();
    blake2s([own], own);
    expect(asHex(own)).toBe(hashed(input));
  });

  it('gives the same again after a call that threw', () => {
    const key = hex('00'.repeat(32));
    const before = authenticated(key, key);
    expect(() => {
      hmacBlake2s(key, [key], Object.freeze({ length: 32 }) as Uint8Array); // Like an array, and none.
    }).toThrow(TypeError);
    expect(authenticated(key, key)).toBe(before);
  });
});
