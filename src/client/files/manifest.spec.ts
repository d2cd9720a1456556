import fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import { nodeBackend } from '../../crypto/node.backend.js';
import { fromHex, toHex } from '../../protocol/bytes.js';
import { chunkLayout } from './chunk-layout.js';
import { contentId, decodeManifest, encodeManifest, type Manifest } from './manifest.js';

const KEY = fromHex('11'.repeat(32));
const HASH = fromHex('22'.repeat(32));
const manifest = (size: number, name = 'a.txt'): Manifest => {
  const layout = chunkLayout(size);
  return { fileKey: KEY, name, layout, hashes: new Uint8Array(32 * layout.total).fill(0x22) };
};
/** The bytes of a manifest with others at `at`. */
const changed = (size: number, at: number, hex: string): Uint8Array => {
  const bytes = encodeManifest(manifest(size));
  bytes.set(fromHex(hex), at);
  return bytes;
};

describe('a manifest', () => {
  it('S63: is written and read byte by byte', () => {
    const wire = fromHex(
      `01 ${'11'.repeat(32)} 0000000000000007 05 612e747874 ${'00'.repeat(250)} ${'22'.repeat(32)}`,
    );
    expect(encodeManifest(manifest(7))).toEqual(wire);
    expect(decodeManifest(wire)).toEqual(manifest(7));
  });

  it('of 1 GiB is 256 KiB of hashes, and of the largest file 1 MiB', () => {
    expect(encodeManifest(manifest(2 ** 30)).length).toBe(297 + 262_144);
    const largest = encodeManifest(manifest(2 ** 35));
    expect(largest.length).toBe(297 + 1_048_576);
    expect(decodeManifest(largest)).toEqual(manifest(2 ** 35));
  });

  it('T42: holds no count: a size that its hashes do not fit is refused before anything is allocated', () => {
    const before = process.memoryUsage().arrayBuffers;
    // 2^32 - 1 chunks of a file, as a size; a size above 2^53; the largest number.
    for (const size of ['0001fffffffe0000', '0020000000000001', 'ffffffffffffffff'])
      expect(decodeManifest(changed(7, 33, size))).toBe('manifest-size');
    for (const size of ['0000000000020001', '0000000040000000', '0000000800000000'])
      expect(decodeManifest(changed(7, 33, size))).toBe('manifest-length');
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1 << 20);
  });

  it.each([
    ['nothing', new Uint8Array(), 'manifest-length'],
    ['a head cut short', new Uint8Array(296).fill(1), 'manifest-length'],
    ['version 2', changed(7, 0, '02'), 'manifest-version'],
    ['a hash too few', encodeManifest(manifest(7)).subarray(0, 297), 'manifest-length'],
    [
      'a hash too many',
      Uint8Array.from([...encodeManifest(manifest(7)), ...HASH]),
      'manifest-length',
    ],
    ['a byte too many', Uint8Array.from([...encodeManifest(manifest(7)), 0]), 'manifest-length'],
    ['no name', changed(7, 41, '00'), 'manifest-name'],
    ['a name that goes on behind its end', changed(7, 60, '61'), 'manifest-name'],
    ['a name that is no UTF-8', changed(7, 42, 'ff'), 'manifest-name'],
  ])('T42: refuses %s', (_, wire, refusal) => {
    expect(decodeManifest(wire)).toBe(refusal);
  });

  it('T42: never throws, whatever the bytes are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 290, maxLength: 400 }), (bytes) => {
        bytes[0] = 1;
        const read = decodeManifest(bytes);
        if (typeof read !== 'string') expect(encodeManifest(read)).toEqual(bytes);
      }),
      { numRuns: 1_000 },
    );
  });

  it('names its content whatever the key and the name are', () => {
    const id = (of: Manifest) => toHex(contentId(nodeBackend, of));
    expect(id({ ...manifest(7, 'b.txt'), fileKey: HASH })).toBe(id(manifest(7)));
    expect(id(manifest(8))).not.toBe(id(manifest(7)));
    expect(id({ ...manifest(7), hashes: KEY })).not.toBe(id(manifest(7)));
  });
});
