import { describe, expect, it } from '@jest/globals';
import { SimulatedPath } from '../../../test/faults/simulated-path.js';
import type { ChannelEvents } from './channels.js';

const SILENT: ChannelEvents = { message: () => {}, acknowledged: () => {}, writable: () => {} };
const FILE_BYTES = 100_000_000;
const MESSAGE_BYTES = 100_000;

describe('a file on a path of 400 Mbit/s and 200 ms there and back', () => {
  it('goes at more than 17 MB/s with its beginning, and keeps at most 24 MiB in memory for it', () => {
    const link = { mbitPerSecond: 400, queueBytes: 8_000_000, delayMs: 100, jitterMs: 0, loss: 0 };
    let sent = 0;
    let most = 0;
    const refill = () => {
      const [end] = path.ends;
      for (; sent < FILE_BYTES && end.isWritable('file'); sent += MESSAGE_BYTES)
        end.send('file', new Uint8Array(MESSAGE_BYTES));
      most = Math.max(most, end.bufferedBytes('file'));
    };
    const path = new SimulatedPath(
      [
        { ...link, seed: 1 },
        { ...link, seed: 2 },
      ],
      [{ ...SILENT, writable: refill }, SILENT],
    );
    refill();
    // On a path that is not known yet it is a third of that.
    expect(most).toBeLessThan((1 << 23) + MESSAGE_BYTES);
    path.pump(0);
    path.run(60_000, () => sent >= FILE_BYTES && path.ends[0].bufferedBytes('file') === 0);
    expect(FILE_BYTES / 1_000 / path.nowMs).toBeGreaterThan(17);
    expect(most).toBeLessThan((3 << 23) + MESSAGE_BYTES);
    expect(path.refusals).toEqual([]);
  });
});
