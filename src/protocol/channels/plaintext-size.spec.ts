import { describe, expect, it } from '@jest/globals';
import { CALL_SIZES, isCallSize, isPlaintextSize, padme, paddedSize } from './plaintext-size.js';

describe('the length of a plaintext', () => {
  it.each([
    [0, 256],
    [256, 256],
    [257, 512],
    [512, 512],
    [513, 1180],
    [1180, 1180],
  ])('for %i bytes is %i', (bytes, size) => {
    expect(paddedSize(bytes)).toBe(size);
  });

  it('is never more than 1,180', () => {
    expect(() => paddedSize(1181)).toThrow(RangeError);
  });

  it('is one of three for all but calls', () => {
    const allowed = Array.from({ length: 1300 }, (_, bytes) => bytes).filter(isPlaintextSize);
    expect(allowed).toEqual([256, 512, 1180]);
  });

  it('is one of three in each codec mode', () => {
    for (const sizes of Object.values(CALL_SIZES)) {
      expect(sizes.length).toBe(3);
      expect(sizes.every(isCallSize)).toBe(true);
    }
    expect(isCallSize(256)).toBe(false);
  });
});

describe('a file filled up by Padme', () => {
  it.each([
    [0, 0],
    [1, 1],
    [2, 2],
    [9, 10],
    [129, 144],
    [1000, 1024],
    [100_000_000, 100_663_296],
    [2 ** 40 + 1, 2 ** 40 + 2 ** 34],
  ])('of %i bytes has %i', (bytes, padded) => {
    expect(padme(bytes)).toBe(padded);
  });

  it('S65: grows by at most 12 %, and never shrinks', () => {
    let worst = 0;
    let least = 0;
    for (let bytes = 1; bytes < 3_000_000; bytes += bytes < 100_000 ? 1 : 997) {
      least = Math.min(least, padme(bytes) - bytes);
      worst = Math.max(worst, padme(bytes) / bytes);
    }
    expect(least).toBe(0);
    expect(worst).toBeLessThanOrEqual(1.12);
  });

  it('S65: has one of few lengths: fewer than 1,250 for all files to 2^40 bytes', () => {
    const lengths = new Set<number>();
    for (let length = 1; length <= 2 ** 40; length = padme(length + 1)) lengths.add(length);
    expect(lengths.size).toBeLessThan(1_250);
  });

  it.each([-1, 0.5, NaN, 2 ** 53])('%d is no length', (bytes) => {
    expect(() => padme(bytes)).toThrow(RangeError);
  });
});
