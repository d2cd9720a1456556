import { describe, expect, it } from '@jest/globals';
import { nodeBackend } from '../../crypto/node.backend.js';
import { nobleBackend } from '../../crypto/noble.backend.js';
import { bytesOf, hex, withBitTurned } from '../../../test/identities.js';
import { accountDigest, fingerprintOf, formatFingerprint, parseFingerprint } from './account.js';
import { fromBase32, toBase32 } from './base32.js';
import { safetyNumber } from './safety-number.js';

/** Public key of RFC 8032, section 7.1, test 1. */
const KEY = hex('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a');
/** Public key of RFC 8032, section 7.1, test 2. */
const OTHER_KEY = hex('3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c');

describe('base32', () => {
  it('is that of RFC 4648, section 10, in lower case', () => {
    expect(toBase32(Buffer.from('fooba'))).toBe('mzxw6ytb');
    expect(fromBase32('mzxw6ytb')).toEqual(new Uint8Array(Buffer.from('fooba')));
  });

  it('gives back what it was given', () => {
    for (let seed = 0; seed < 256; seed++) {
      const bytes = bytesOf(seed, 20).map((byte, i) => (byte * 31 + i * seed) & 0xff);
      expect(fromBase32(toBase32(bytes))).toEqual(bytes);
    }
  });

  it('refuses what is not in its alphabet', () => {
    for (const text of ['mzxw6yt', 'MZXW6YTB', 'mzxw6yt1', 'mzxw6yt=', 'mzxw6yt ', 'mzxw6yté'])
      expect(fromBase32(text)).toBeUndefined();
    expect(() => toBase32(bytesOf(1, 4))).toThrow(RangeError);
  });
});

describe('a fingerprint', () => {
  it('is sp1 and base32 of the first 20 bytes of the labelled hash', () => {
    expect(fingerprintOf(nodeBackend, KEY)).toBe('sp1d6lcb2vsad5d43u4shguvemxx36xsgyk');
    expect(fingerprintOf(nobleBackend, KEY)).toBe('sp1d6lcb2vsad5d43u4shguvemxx36xsgyk');
  });

  it('is read back as the bytes that stand for the key', () => {
    const text = fingerprintOf(nodeBackend, KEY);
    expect(parseFingerprint(text)).toEqual(accountDigest(nodeBackend, KEY));
    expect(formatFingerprint(accountDigest(nodeBackend, KEY))).toBe(text);
  });

  it('changes with every bit of the key', () => {
    const texts = new Set(
      Array.from({ length: 32 }, (_, i) => fingerprintOf(nodeBackend, withBitTurned(KEY, i))),
    );
    expect(texts.add(fingerprintOf(nodeBackend, KEY)).size).toBe(33);
  });

  it('has one text: every other form is refused with its reason', () => {
    const text = fingerprintOf(nodeBackend, KEY);
    expect(parseFingerprint(text.slice(1))).toBe('fingerprint-length');
    expect(parseFingerprint(`${text}=`)).toBe('fingerprint-length');
    expect(parseFingerprint(` ${text}`)).toBe('fingerprint-length');
    expect(parseFingerprint('')).toBe('fingerprint-length');
    expect(parseFingerprint(`sp2${text.slice(3)}`)).toBe('fingerprint-prefix');
    expect(parseFingerprint(`SP1${text.slice(3)}`)).toBe('fingerprint-prefix');
    expect(parseFingerprint(`sp1${text.slice(3).toUpperCase()}`)).toBe('fingerprint-alphabet');
    for (const character of ['0', '1', '8', '9', '=', ' ', '\u0000', 'ſ', 'a\u0301'.slice(1)])
      expect(parseFingerprint(text.slice(0, -1) + character)).toBe('fingerprint-alphabet');
    expect(parseFingerprint(`${text.slice(0, -2)}😀`)).toBe('fingerprint-alphabet');
  });

  it('is not made of keys or digests of another length', () => {
    expect(() => fingerprintOf(nodeBackend, bytesOf(1, 31))).toThrow(RangeError);
    expect(() => formatFingerprint(bytesOf(1, 21))).toThrow(RangeError);
  });
});

describe('the safety number of two accounts', () => {
  const number = safetyNumber(nodeBackend, KEY, OTHER_KEY);

  it('is twelve groups of five digits, which are 199 bits', () => {
    expect(number).toBe('36688 99157 83381 96439 77829 58316 25048 92896 47531 05827 05283 99939');
    expect(number).toMatch(/^\d{5}( \d{5}){11}$/);
    expect(Math.log2(10) * number.replaceAll(' ', '').length).toBeGreaterThan(112);
  });

  it('is the same for both of them, with every back end', () => {
    expect(safetyNumber(nodeBackend, OTHER_KEY, KEY)).toBe(number);
    expect(safetyNumber(nobleBackend, OTHER_KEY, KEY)).toBe(number);
  });

  it('T2: is another one on each side when somebody in the middle shows his own key to both', () => {
    const middle = nodeBackend.ed25519PublicKey(bytesOf(9));
    const oneSide = safetyNumber(nodeBackend, KEY, middle);
    const otherSide = safetyNumber(nodeBackend, middle, OTHER_KEY);
    expect(new Set([number, oneSide, otherSide]).size).toBe(3);
  });

  it('changes when either key changes in one bit, at its beginning or its end', () => {
    const numbers = [0, 31].flatMap((offset) => [
      safetyNumber(nodeBackend, withBitTurned(KEY, offset), OTHER_KEY),
      safetyNumber(nodeBackend, KEY, withBitTurned(OTHER_KEY, offset)),
    ]);
    expect(new Set([number, ...numbers]).size).toBe(5);
  });

  it('does not exist for one account alone or for keys of another length', () => {
    expect(() => safetyNumber(nodeBackend, KEY, KEY)).toThrow(RangeError);
    expect(() => safetyNumber(nodeBackend, KEY, bytesOf(1, 31))).toThrow(RangeError);
  });
});
