import { describe, expect, it } from '@jest/globals';
import {
  chunkLayout,
  chunkLength,
  contentLength,
  isFileSize,
  MAX_FILE_BYTES,
} from './chunk-layout.js';

const KIB = 1_024;

describe('the layout of a file', () => {
  it.each([
    ['nothing', 0, { paddedSize: 1_120, chunkBytes: 128 * KIB, total: 1 }],
    ['one byte', 1, { paddedSize: 1_120, chunkBytes: 128 * KIB, total: 1 }],
    ['a chunk less one byte', 131_071, { paddedSize: 131_072, chunkBytes: 128 * KIB, total: 1 }],
    ['a chunk', 131_072, { paddedSize: 131_072, chunkBytes: 128 * KIB, total: 1 }],
    ['one byte more', 131_073, { paddedSize: 135_168, chunkBytes: 128 * KIB, total: 2 }],
    ['20 MB', 20_000_000, { paddedSize: 20_447_232, chunkBytes: 128 * KIB, total: 156 }],
    ['1 GiB', 2 ** 30, { paddedSize: 2 ** 30, chunkBytes: 128 * KIB, total: 8_192 }],
    [
      '1 GiB and a byte',
      2 ** 30 + 1,
      { paddedSize: 1_107_296_256, chunkBytes: 256 * KIB, total: 4_224 },
    ],
    ['the largest', 2 ** 35, { paddedSize: 2 ** 35, chunkBytes: 1_024 * KIB, total: 32_768 }],
  ])('of %s follows from its size', (_, size, layout) => {
    expect(chunkLayout(size)).toEqual({ size, ...layout });
  });

  it('T43: shows few sizes: all up to 1,088 bytes are one, and 4,000 sizes around 1 MB are few', () => {
    const padded = (size: number) => chunkLayout(size).paddedSize;
    const small = new Set(Array.from({ length: 1_089 }, (_, size) => padded(size)));
    expect(small).toEqual(new Set([1_120]));
    const large = new Set(Array.from({ length: 4_000 }, (_, step) => padded(1_000_000 + step)));
    expect([...large]).toEqual([1_015_808]);
  });

  it('T43: adds at most 12 % to what is longer than a datagram', () => {
    for (let size = 1_120; size < 2 ** 34; size = Math.ceil(size * 1.013))
      expect(chunkLayout(size).paddedSize / size).toBeLessThanOrEqual(1.12);
  });

  it('covers every byte once', () => {
    for (const size of [0, 1, 1_120, 131_071, 131_072, 131_073, 20_000_000, 2 ** 30 + 1]) {
      const layout = chunkLayout(size);
      const chunks = Array.from({ length: layout.total }, (_, index) => index);
      const sum = (of: (index: number) => number) =>
        chunks.reduce((all, index) => all + of(index), 0);
      expect(sum((index) => contentLength(layout, index))).toBe(size);
      expect(sum((index) => chunkLength(layout, index))).toBe(layout.paddedSize);
    }
  });

  it.each([-1, 0.5, MAX_FILE_BYTES + 1, NaN, Infinity])('is none for %p bytes', (size) => {
    expect(isFileSize(size)).toBe(false);
    expect(() => chunkLayout(size)).toThrow(RangeError);
  });
});
