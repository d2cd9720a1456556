import fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import { concat, fromHex, u16 } from '../bytes.js';
import { encodeStreamFrame, FrameSplitter } from './stream.js';

const frame = (length: number, byte: number) => new Uint8Array(length).fill(byte);
const FRAMES = [frame(20, 1), frame(1500, 2), frame(87, 3), frame(21, 4)];
const STREAM = concat(FRAMES.map(encodeStreamFrame));

/** All frames of a stream that comes in chunks of these sizes, again and again. */
function readInChunks(stream: Uint8Array, sizes: readonly number[]) {
  const splitter = new FrameSplitter();
  const frames: Uint8Array[] = [];
  for (let at = 0, i = 0; at < stream.length; i++) {
    const end = at + sizes[i % sizes.length]!;
    const got = splitter.push(stream.slice(at, end));
    if (got.refusal !== undefined) return got.refusal;
    frames.push(...got.frames);
    at = end;
  }
  return frames;
}

describe('relay frames on a stream', () => {
  it('go after their length', () => {
    expect(encodeStreamFrame(frame(20, 0xab))).toEqual(fromHex(`0014${'ab'.repeat(20)}`));
    expect(() => encodeStreamFrame(frame(19, 0))).toThrow(RangeError);
    expect(() => encodeStreamFrame(frame(1501, 0))).toThrow(RangeError);
  });

  it.each([[[1]], [[2]], [[21, 1]], [[22]], [[1502]], [[STREAM.length]]])(
    'are the same in chunks of %j bytes',
    (sizes) => {
      expect(readInChunks(STREAM, sizes)).toEqual(FRAMES);
    },
  );

  it('are the same however the stream is cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 20, max: 1500 }), { minLength: 1, maxLength: 6 }),
        fc.array(fc.integer({ min: 1, max: 2000 }), { minLength: 1, maxLength: 6 }),
        (lengths, sizes) => {
          const frames = lengths.map((length, i) => frame(length, i + 1));
          expect(readInChunks(concat(frames.map(encodeStreamFrame)), sizes)).toEqual(frames);
        },
      ),
      { seed: 11, numRuns: 60 },
    );
  });

  it.each([
    [0, 'frame-too-short'],
    [19, 'frame-too-short'],
    [1501, 'frame-too-long'],
    [0xffff, 'frame-too-long'],
  ])('T10: with a length of %i end the stream: %s', (length, refusal) => {
    const stream = concat([encodeStreamFrame(FRAMES[0]!), u16(length), frame(70_000, 9)]);
    for (const sizes of [[1], [23], [24], [1000], [stream.length]])
      expect(readInChunks(stream, sizes)).toBe(refusal);
    const splitter = new FrameSplitter();
    expect(splitter.push(stream).frames).toEqual([FRAMES[0]]);
    expect(splitter.push(encodeStreamFrame(FRAMES[0]!))).toEqual({ frames: [], refusal });
  });
});
