import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import { SimulatedPath } from '../../../test/faults/simulated-path.js';
import { Channels, type ChannelEvents } from './channels.js';
import { moveRing } from './ring.js';
import { SEGMENT_DATA_BYTES } from './frame.js';
import { SegmentReceiver } from './segment-receiver.js';
import { SegmentSender } from './segment-sender.js';

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

describe('a ring that shrinks', () => {
  it('has every number that is in use in its new slot', () => {
    for (const from of [0, 3, 14, 2 ** 32 - 2, 2 ** 40 + 5]) {
      const ring = new Float64Array(32);
      for (let n = from; n < from + 3; n++) ring.set([n, -n], (n & 15) * 2);
      const smaller = moveRing(ring, new Float64Array(8), { from, to: from + 3 }, 2);
      for (let n = from; n < from + 3; n++)
        expect([...smaller.subarray((n & 3) * 2, (n & 3) * 2 + 2)]).toEqual([n, -n]);
    }
  });
});

describe('a sender whose list of losses was halved', () => {
  it('repeats what is left of it in turn', () => {
    const sender = new SegmentSender(2, 1_024);
    sender.enqueue(new Uint8Array(300 * SEGMENT_DATA_BYTES));
    const out = new Uint8Array(1_180);
    const write = (count: number) => Array.from({ length: count }, () => sender.write(out, 0));
    const all = write(300);
    for (const sequence of all.slice(0, 200)) sender.lost(sequence);
    expect(write(150)).toEqual(all.slice(0, 150));
    sender.shrink();
    expect(write(50)).toEqual(all.slice(150, 200));
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
async function heldBytes(of: 'all' | 'buffers' = 'all'): Promise<number> {
  let least = Infinity;
  for (let i = 0; i < 5; i++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 20));
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    least = Math.min(least, arrayBuffers + (of === 'all' ? heapUsed : 0));
  }
  return least;
}

const FILE_BYTES = 20_000_000;

interface Moved {
  readonly ends: Channels[];
  readonly nowMs: number;
}

/** A file over a path that holds more than a window: 400 Mbit/s and 200 ms there and back are 10 MB. */
function moveFile(): Moved {
  const link = { mbitPerSecond: 400, queueBytes: 8_000_000, delayMs: 100, jitterMs: 0, loss: 0 };
  let sent = 0;
  let path: SimulatedPath | undefined;
  const refill = () => {
    for (; sent < FILE_BYTES && path?.ends[0].isWritable('file') === true; sent += 100_000)
      path.ends[0].send('file', new Uint8Array(100_000));
  };
  path = new SimulatedPath(
    [
      { ...link, seed: 1 },
      { ...link, seed: 2 },
    ],
    [{ ...SILENT, writable: refill }, SILENT],
  );
  refill();
  path.pump(0);
  const { ends } = path;
  path.run(60_000, () => sent >= FILE_BYTES && ends[0].bufferedBytes('file') === 0);
  const { nowMs } = path;
  // The simulation goes, and what it holds: the channels are what is weighed.
  path = undefined;
  return { ends: [ends[0], ends[1]], nowMs };
}

/** A keep-alive finds that rings are large; then each end asks to be called until they are not. */
function rest(moved: Moved): Moved {
  const out = new Uint8Array(1180);
  for (const end of moved.ends) {
    let lookMs = moved.nowMs + 20_000;
    for (let looks = 0; looks < 20 && Number.isFinite(lookMs); looks++) {
      end.nextPlaintext(lookMs, out);
      lookMs = end.nextDeadlineMs(lookMs);
    }
    expect(lookMs).toBe(Infinity);
  }
  return { ...moved, nowMs: moved.nowMs + 60_000 };
}

/** What goes with the channels when nobody has them any more: of buffers, since the heap goes up and down by itself. */
async function weighed({ ends }: Moved): Promise<number> {
  const all = await heldBytes('buffers');
  ends.length = 0;
  return all - (await heldBytes('buffers'));
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

  it('hold less than 32 kB of buffers each once more, some seconds after a file for which their rings grew', async () => {
    moveFile(); // So that what the code itself takes is there before.
    const grown = await weighed(moveFile());
    expect(grown).toBeGreaterThan(150_000);
    expect(grown).toBeLessThan(2 * 1_500_000);
    const rested = moveFile();
    rest(rested);
    expect(await weighed(rested)).toBeLessThan(2 * 32_768);
  });

  it('carry on as before with rings that were halved', () => {
    const { ends, nowMs } = rest(moveFile());
    const [from, to] = [ends[0]!, ends[1]!];
    const out = new Uint8Array(1180);
    from.send('file', new Uint8Array(3_000).fill(7));
    const refusals: unknown[] = [];
    for (let ms = nowMs; ms < nowMs + 1_000; ms += 10)
      for (const [one, other] of [
        [from, to],
        [to, from],
      ] as const)
        for (let length; (length = one.nextPlaintext(ms, out)) > 0;)
          refusals.push(other.onPlaintext(out.slice(0, length), ms));
    expect(from.bufferedBytes('file')).toBe(0);
    expect(new Set(refusals)).toEqual(new Set([undefined]));
  });
});
