import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import { SimulatedPath } from '../../../test/faults/simulated-path.js';
import { Channels, type ChannelEvents } from './channels.js';
import { moveRing } from './ring.js';
import { SegmentReceiver } from './segment-receiver.js';

const SILENT: ChannelEvents = { message: () => {}, acknowledged: () => {}, writable: () => {} };

describe('a ring that grows', () => {
  it('has every number in its new slot, wherever it began, and beyond 2^32', () => {
    for (const from of [0, 3, 6, 2 ** 32 - 2, 2 ** 40 + 5]) {
      const ring = new Float64Array(8);
      for (let n = from; n < from + 4; n++) ring.set([n, -n], (n & 3) * 2);
      const larger = moveRing(ring, new Float64Array(16), { from, to: from + 4 }, 2);
      for (let n = from; n < from + 4; n++)
        expect([...larger.subarray((n & 7) * 2, (n & 7) * 2 + 2)]).toEqual([n, -n]);
    }
  });
});

describe('a receiver whose whole window comes in reverse order', () => {
  it('gives out every message in turn, and refuses what is beyond the window', () => {
    const got: number[] = [];
    const receiver = new SegmentReceiver(4_096, ([low = 0, high = 0]) =>
      got.push(high * 256 + low),
    );
    const segment = (sequence: number) => ({
      ...{ sequence, index: 0, total: 1 },
      data: Uint8Array.of(sequence, sequence >> 8),
    });
    expect(receiver.accept(segment(4_096))).toBe('beyond-window');
    for (let sequence = 4_095; sequence >= 0; sequence--)
      expect(receiver.accept(segment(sequence))).toBeUndefined();
    expect(got).toEqual(Array.from({ length: 4_096 }, (_, i) => i));
  });
});

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void; // What the flag above makes.

/** Bytes that are in use; buffers are freed by a thread beside the collector, so they are waited for. */
async function heldBytes(): Promise<number> {
  let least = Infinity;
  for (let i = 0; i < 5; i++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 20));
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    least = Math.min(least, heapUsed + arrayBuffers);
  }
  return least;
}

const FILE_BYTES = 20_000_000;

/** A file over a path that holds more than a window: 400 Mbit/s and 200 ms there and back are 10 MB. */
function moveFile(): SimulatedPath {
  const link = { mbitPerSecond: 400, queueBytes: 8_000_000, delayMs: 100, jitterMs: 0, loss: 0 };
  let sent = 0;
  const refill = () => {
    for (; sent < FILE_BYTES && path.ends[0].isWritable('file'); sent += 100_000)
      path.ends[0].send('file', new Uint8Array(100_000));
  };
  const path = new SimulatedPath(
    [
      { ...link, seed: 1 },
      { ...link, seed: 2 },
    ],
    [{ ...SILENT, writable: refill }, SILENT],
  );
  refill();
  path.pump(0);
  path.run(60_000, () => sent >= FILE_BYTES && path.ends[0].bufferedBytes('file') === 0);
  return path;
}

describe('the channels of a session', () => {
  it('hold less than 32 kB before anything went', async () => {
    const sessions = 500;
    const before = await heldBytes();
    const all = Array.from(
      { length: sessions },
      () => new Channels(SILENT, { callMode: 'wideband' }),
    );
    expect((await heldBytes()) - before).toBeLessThan(32_768 * sessions);
    expect(all).toHaveLength(sessions);
  });

  it('hold less than 0.5 MB each after a file filled the window, which grew for it and was emptied', async () => {
    moveFile(); // So that what the code itself takes is there before.
    const before = await heldBytes();
    const path = moveFile();
    const bytes = (await heldBytes()) - before;
    expect(path.ends[0].bufferedBytes('file')).toBe(0);
    expect(bytes).toBeGreaterThan(150_000);
    expect(bytes).toBeLessThan(2 * 500_000);
  });
});
