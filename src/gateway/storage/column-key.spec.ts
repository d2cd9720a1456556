import { describe, expect, it } from '@jest/globals';
import { type ColumnKey, isSealedWithOldKey, openColumn, sealColumn } from './column-key.js';

const hex = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));
const OLD: ColumnKey = { id: '0011223344556677', key: new Uint8Array(32).fill(1) };
const NEW: ColumnKey = { id: '8899aabbccddeeff', key: new Uint8Array(32).fill(2) };
const OWNER = { account: 'sp1account', factor: 'factor-1' };
const SECRET = hex('cafe babe 00ff');
const NONCE = hex('000102030405060708090a0b');
// AES-256-GCM by Python's cryptography, with the key of 32 bytes 0x01 and the data
// "sallyport column v1" 00 "sp1account" 00 "factor-1".
const SEALED = hex(
  '01 0011223344556677 000102030405060708090a0b 71582f982001 d2ba35619a28bc3f2c8329a23df81fd9',
);

describe('a sealed column', () => {
  it('has the layout that the file shows', () => {
    expect(sealColumn([OLD], OWNER, SECRET, NONCE)).toEqual(SEALED);
  });

  it('opens with any of the keys, and is sealed with the first', () => {
    expect(openColumn([NEW, OLD], OWNER, SEALED)).toEqual(SECRET);
    const fresh = sealColumn([NEW, OLD], OWNER, SECRET, NONCE);
    expect(openColumn([NEW], OWNER, fresh)).toEqual(SECRET);
    expect(isSealedWithOldKey([NEW, OLD], SEALED)).toBe(true);
    expect(isSealedWithOldKey([NEW, OLD], fresh)).toBe(false);
  });

  it.each([
    ['of another account', { ...OWNER, account: 'sp1other' }, SEALED, 'damaged'],
    ['of another factor', { ...OWNER, factor: 'factor-2' }, SEALED, 'damaged'],
    ['of a key that is gone', OWNER, sealColumn([NEW], OWNER, SECRET, NONCE), 'unknown-key'],
    ['of another version', OWNER, Uint8Array.of(2, ...SEALED.subarray(1)), 'unknown-version'],
    ['cut short', OWNER, SEALED.subarray(0, 36), 'too-short'],
    ['cut inside its tag', OWNER, SEALED.subarray(0, -1), 'damaged'],
  ])('does not open when it is %s', (_, owner, sealed, refusal) => {
    expect(openColumn([OLD], owner, sealed)).toBe(refusal);
  });

  it('does not open when any bit behind its key id was changed', () => {
    for (let at = 9; at < SEALED.length; at += 1) {
      const changed = Uint8Array.from(SEALED);
      changed[at]! ^= 1;
      expect(openColumn([OLD], OWNER, changed)).toBe('damaged');
    }
  });

  it('is refused to a caller with a key or nonce of another length', () => {
    const short = { id: OLD.id, key: new Uint8Array(16) };
    expect(() => sealColumn([short], OWNER, SECRET, NONCE)).toThrow(RangeError);
    expect(() => sealColumn([OLD], OWNER, SECRET, NONCE.subarray(1))).toThrow(RangeError);
  });
});
