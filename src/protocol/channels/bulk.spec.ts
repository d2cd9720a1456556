import { describe, expect, it } from '@jest/globals';
import type { LinkSettings } from '../../../test/faults/link.js';
import { SimulatedPath } from '../../../test/faults/simulated-path.js';
import type { ChannelEvents } from './channels.js';

/*
 * A path in virtual time: 60 ms in each direction and up to 5 ms more for each packet by itself (so that packets
 * overtake each other by up to 50), 2 % lost in each direction, a bottleneck with 4 MB of queue. Nothing is timed by a
 * clock: the same figures come in every run.
 */
const FILE_BYTES = 100_000_000;
const CHUNK_BYTES = 65_536;
const QUIET: ChannelEvents = { message: () => {}, acknowledged: () => {}, writable: () => {} };

interface Measured {
  readonly path: SimulatedPath;
  readonly tookMs: number;
  readonly callMs: number[];
  readonly inputMs: number[];
  readonly whole: boolean;
}

const aLink = (mbitPerSecond: number, seed: number): LinkSettings => ({
  mbitPerSecond,
  queueBytes: 4_000_000,
  delayMs: 60,
  jitterMs: 5,
  loss: 0.02,
  seed,
});

/** A piece of the file: each 4 bytes are their own place in it, so a wrong byte or order shows. */
function piece(offset: number, length: number): Uint8Array {
  const words = new Uint32Array(Math.ceil(length / 4));
  for (let i = 0; i < words.length; i++) words[i] = Math.imul(offset / 4 + i, 0x9e3779b1);
  return new Uint8Array(words.buffer, 0, length);
}

/**
 * Moves `fileBytes` with an input event every 10 ms and a call frame every 20 ms beside it, for at least `leastMs`.
 * Both carry the time at which they were sent.
 */
function move(mbitPerSecond: number, fileBytes: number, { seed = 1, leastMs = 0 } = {}): Measured {
  let sent = 0;
  let received = 0;
  let tookMs = 0;
  let wrongPieces = 0;
  const callMs: number[] = [];
  const inputMs: number[] = [];
  const since = (bytes: Uint8Array) =>
    path.nowMs - new DataView(bytes.buffer, bytes.byteOffset).getFloat64(0);
  const refill = () => {
    while (sent < fileBytes && path.ends[0].isWritable('file')) {
      const length = Math.min(CHUNK_BYTES, fileBytes - sent);
      path.ends[0].send('file', piece(sent, length));
      sent += length;
    }
  };
  const path = new SimulatedPath(
    [aLink(mbitPerSecond, seed), aLink(mbitPerSecond, seed + 1)],
    [
      { ...QUIET, writable: refill },
      {
        ...QUIET,
        message: (channel, bytes) => {
          if (channel === 'call') callMs.push(since(bytes));
          if (channel === 'input') inputMs.push(since(bytes));
          if (channel !== 'file') return;
          if (Buffer.compare(bytes, piece(received, bytes.length)) !== 0) wrongPieces++;
          received += bytes.length;
          tookMs = path.nowMs;
        },
      },
    ],
  );
  const tick = (channel: 'input' | 'call', everyMs: number) => {
    const stamp = new Uint8Array(8);
    new DataView(stamp.buffer).setFloat64(0, path.nowMs);
    path.ends[0].send(channel, stamp);
    path.pump(0);
    path.at(path.nowMs + everyMs, () => {
      tick(channel, everyMs);
    });
  };
  tick('input', 10);
  tick('call', 20);
  refill();
  path.pump(0);
  path.run(120_000, () => received >= fileBytes && path.nowMs >= leastMs);
  return { path, tookMs, callMs, inputMs, whole: wrongPieces === 0 && received === fileBytes };
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
}

describe('a file of 100 MB over 100 Mbit/s, 60 ms each way, 2 % loss each way and reordering', () => {
  const loaded = move(100, FILE_BYTES);
  const unloaded = move(100, 0, { leastMs: 11_000 });

  it('arrives intact', () => {
    expect(loaded.whole).toBe(true);
    expect(loaded.path.refusals).toEqual([]);
  });

  it('takes at most twice the time that the free path would need', () => {
    // What 500 call frames and 1,000 input events of 80 to 350 bytes take is below 1 % of the path.
    const fullSpeedMs = FILE_BYTES / (100 * 125);
    expect(loaded.tookMs).toBeLessThan(2 * fullSpeedMs);
  });

  it('sends at most 5 % more datagrams than 2 % of loss makes necessary', () => {
    expect(loaded.path.datagrams[0]).toBeLessThan((FILE_BYTES / 1157 / 0.98) * 1.05);
  });

  it('delays call frames by at most 20 ms: the slowest of them, over the slowest of the unloaded path', () => {
    expect(loaded.callMs.length).toBeGreaterThan(450);
    expect(Math.max(...loaded.callMs)).toBeLessThan(Math.max(...unloaded.callMs) + 20);
  });

  it('delays input by at most 20 ms, at the median, at p99 and at p99.9', () => {
    expect(loaded.inputMs.length).toBeGreaterThan(900);
    for (const share of [0.5, 0.99, 0.999])
      expect(quantile(loaded.inputMs, share)).toBeLessThan(quantile(unloaded.inputMs, share) + 20);
  });

  it('never builds a queue of 20 ms in the network, not even while it looks for the rate', () => {
    expect(loaded.path.maxQueuedMs).toBeLessThan(20);
  });
});

describe('30 MB on other paths of that kind', () => {
  it.each([
    [100, 7],
    [50, 2],
    [20, 3],
  ])('at %i Mbit/s use half of it and queue less than 20 ms (seed %i)', (mbitPerSecond, seed) => {
    const bytes = mbitPerSecond * 600_000;
    const { whole, tookMs, path } = move(mbitPerSecond, bytes, { seed });
    expect(whole).toBe(true);
    expect(tookMs).toBeLessThan((2 * bytes) / (mbitPerSecond * 125));
    expect(path.maxQueuedMs).toBeLessThan(20);
  });
});
