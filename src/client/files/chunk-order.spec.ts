import { describe, expect, it } from '@jest/globals';
import { EVERY_BACKEND } from '../../../test/vectors/every-backend.js';
import { KeyStore } from '../../protocol/key-store.js';
import { ChunkCipher } from './chunk-cipher.js';
import { chunkLayout, chunkLength, contentLength } from './chunk-layout.js';
import { ChunkSet } from './chunk-set.js';
import { IncomingFile } from './incoming-file.js';
import { chunkHash, decodeManifest, encodeManifest } from './manifest.js';

const TAG_BYTES = 16;
const SIZE = 600_000;
const layout = chunkLayout(SIZE);
const fileKey = new Uint8Array(32).fill(7);
const id = new Uint8Array(16).fill(9);
const everyIndex = Array.from({ length: layout.total }, (_, index) => index);
/** What stands in chunk `index`, with its padding: none is like another. */
const plaintextOf = (index: number): Buffer => {
  const content = contentLength(layout, index);
  return Buffer.from(
    new Uint8Array(chunkLength(layout, index)).map((_, at) =>
      at < content ? (at + 31 * index) % 251 : 0,
    ),
  );
};

/** The numbers of all chunks in an order that is the same in each run: by turns of a multiplier without a common divisor. */
const orders = [2, 3, 4].map((step) => everyIndex.map((at) => (at * step + 1) % layout.total));

describe.each(EVERY_BACKEND)(
  'the chunks of a file, sealed by the %s back end',
  (_name, backend) => {
    const context = { backend, keys: new KeyStore(1 << 14) };
    const offer = { fileKey, id, total: layout.total };
    const sealer = new ChunkCipher(context, offer);
    const sealed = everyIndex.map((index) => {
      const bytes = Uint8Array.from([...plaintextOf(index), ...new Uint8Array(TAG_BYTES)]);
      sealer.seal(index, bytes);
      return bytes;
    });

    it.each(orders)('S62: open in any order: %i, %i, %i, %i, %i', (...order) => {
      expect([...order].sort()).toEqual(everyIndex);
      const opener = new ChunkCipher(context, offer);
      for (const index of order) {
        const out = new Uint8Array(chunkLength(layout, index));
        expect(opener.open(index, sealed[index]!, out)).toBe(true);
        expect(plaintextOf(index).equals(out)).toBe(true);
      }
      opener.close();
    });

    it('S62: open beside each other, each by itself, whatever became of the others', () => {
      const openers = everyIndex.map(() => new ChunkCipher(context, offer));
      const outs = everyIndex.map((index) => new Uint8Array(chunkLength(layout, index)));
      const broken = sealed[1]!.with(0, sealed[1]![0]! ^ 1);
      const opened = everyIndex.map((index) =>
        openers[index]!.open(index, index === 1 ? broken : sealed[index]!, outs[index]!),
      );
      expect(opened).toEqual(everyIndex.map((index) => index !== 1));
      for (const index of everyIndex.filter((at) => at !== 1))
        expect(plaintextOf(index).equals(outs[index]!)).toBe(true);
      for (const opener of openers) opener.close();
    });

    it('S63: are refused one by one when a bit is flipped, before a byte is handed out, and the others are kept', () => {
      const hashes = new Uint8Array(32 * layout.total);
      for (const index of everyIndex)
        backend.hash('SHA256', [plaintextOf(index)], chunkHash(hashes, index));
      const manifest = decodeManifest(encodeManifest({ fileKey, name: 'a.bin', layout, hashes }));
      if (typeof manifest === 'string') throw new Error(manifest);
      const receiver = new IncomingFile(context, id, manifest);
      receiver.accept(new ChunkSet(layout.total));
      for (const index of everyIndex) {
        const bytesBefore = receiver.bytes;
        const whole = sealed[index]!;
        for (const at of [0, whole.length - TAG_BYTES - 1, whole.length - 1]) {
          const flipped = whole.with(at, whole[at]! ^ 0x80);
          expect(receiver.take(index, flipped)).toBe('chunk-tag');
        }
        expect(receiver.bytes).toBe(bytesBefore);
        expect(receiver.take(index, whole.slice())).toBeInstanceOf(Uint8Array);
      }
      expect([receiver.isComplete, receiver.bytes]).toEqual([true, SIZE]);
      receiver.close();
    });
  },
);
