import { describe, expect, it } from '@jest/globals';
import { hex } from '../../test/vectors/every-backend.js';
import { isAcceptablePublicKey, isCanonicalSignature } from './ed25519-points.js';

/** p - 1 with its last byte changed, little-endian: 2^255 - 19 is ed ff .. ff 7f. */
const nearP = (first: string, last = '7f') => hex(`${first}${'ff'.repeat(30)}${last}`);

/** RFC 8032, section 7.1, test 1. */
const KEY = hex('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a');
const R = 'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155';
const S = '5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b';
const L = 'edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010';

/** The eight points of order 1, 2, 4 and 8, as their y and sign. */
const SMALL_ORDER = [
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0000000000000000000000000000000000000000000000000000000000000080',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
];

describe('an Ed25519 public key', () => {
  it('S54: is acceptable as RFC 8032 prints it, with either sign', () => {
    expect(isAcceptablePublicKey(KEY)).toBe(true);
    expect(isAcceptablePublicKey(KEY.with(31, KEY[31]! ^ 0x80))).toBe(true);
  });

  it.each(SMALL_ORDER)('S54, T45: is refused as %s, a point of small order', (point) => {
    expect(isAcceptablePublicKey(hex(point))).toBe(false);
  });

  it('S54, T45: is refused as the identity or the point of order 2 with the sign of an x that is zero', () => {
    expect(isAcceptablePublicKey(hex(SMALL_ORDER[0]!).with(31, 0x80))).toBe(false);
    expect(isAcceptablePublicKey(nearP('ec', 'ff'))).toBe(false);
  });

  it('S54, T45: is refused with a y of p or more, with either sign, and taken with p - 2', () => {
    for (const first of ['ed', 'ee', 'ef', 'f0', 'ff'])
      for (const last of ['7f', 'ff'])
        expect(isAcceptablePublicKey(nearP(first, last))).toBe(false);
    expect(isAcceptablePublicKey(nearP('eb'))).toBe(true);
  });

  it('S54: is refused in every other length', () => {
    for (const length of [0, 31, 33, 64])
      expect(isAcceptablePublicKey(new Uint8Array(length).fill(2))).toBe(false);
  });
});

describe('an Ed25519 signature', () => {
  it('is canonical as RFC 8032 prints it', () => {
    expect(isCanonicalSignature(hex(R + S))).toBe(true);
  });

  it('T45: is refused with an S of L or more, and taken with L - 1', () => {
    expect(isCanonicalSignature(hex(R + L))).toBe(false);
    expect(isCanonicalSignature(hex(R + L.replace('ed', 'ee')))).toBe(false);
    expect(isCanonicalSignature(hex(R + 'ff'.repeat(32)))).toBe(false);
    expect(isCanonicalSignature(hex(R + L.replace('ed', 'ec')))).toBe(true);
  });

  it('T45: is refused with an R whose y is p or more', () => {
    expect(isCanonicalSignature(Uint8Array.of(...nearP('ed'), ...hex(S)))).toBe(false);
    expect(isCanonicalSignature(Uint8Array.of(...nearP('eb'), ...hex(S)))).toBe(true);
  });

  it('is refused in every other length', () => {
    for (const length of [0, 63, 65])
      expect(isCanonicalSignature(new Uint8Array(length))).toBe(false);
  });
});
