import { describe, expect, it } from '@jest/globals';
import { SimulatedPath } from '../../../test/faults/simulated-path.js';
import type { ChannelEvents } from './channels.js';

const QUIET: ChannelEvents = { message: () => {}, acknowledged: () => {}, writable: () => {} };
const MBIT_PER_SECOND = 25;
const BYTES_PER_SECOND = MBIT_PER_SECOND * 125_000;

/** A file without end at 25 Mbit/s, 30 ms each way, 2 % lost, up to 3 ms of reordering. */
function aFile(seed: number) {
  const link = {
    ...{ mbitPerSecond: MBIT_PER_SECOND, queueBytes: 4_000_000 },
    ...{ delayMs: 30, jitterMs: 3, loss: 0.02 },
  };
  let received = 0;
  const refill = () => {
    while (path.ends[0].isWritable('file')) path.ends[0].send('file', new Uint8Array(10_000));
  };
  const path = new SimulatedPath(
    [
      { ...link, seed },
      { ...link, seed: seed + 1 },
    ],
    [
      { ...QUIET, writable: refill },
      { ...QUIET, message: (_, bytes) => (received += bytes.length) },
    ],
  );
  refill();
  path.pump(0);
  path.run(8_000);
  return { path, received: () => received };
}

/** The share of the path that the file has in the `forMs` from now. */
function shareOf({ path, received }: ReturnType<typeof aFile>, forMs: number): number {
  const before = received();
  path.run(path.nowMs + forMs);
  return (received() - before) / (BYTES_PER_SECOND * (forMs / 1_000));
}

describe('a file on a path that is silent for 4 s and then replaced by another one', () => {
  it.each([1, 5, 9])('has half of the new path from its second second on (seed %i)', (seed) => {
    const file = aFile(seed);
    expect(shareOf(file, 2_000)).toBeGreaterThan(0.5);
    file.path.isDead = true;
    file.path.run(file.path.nowMs + 4_000);
    file.path.isDead = false;
    for (const side of [0, 1] as const) {
      file.path.ends[side].pathChanged('lost');
      file.path.pump(side);
    }
    file.path.run(file.path.nowMs + 1_000);
    expect(shareOf(file, 2_000)).toBeGreaterThan(0.5);
    expect(file.path.refusals).toEqual([]);
  });

  it('begins at once: what was lost is sent again without waiting for a timer', () => {
    const file = aFile(3);
    file.path.isDead = true;
    file.path.run(file.path.nowMs + 4_000);
    file.path.isDead = false;
    const before = file.path.datagrams[0];
    file.path.ends[0].pathChanged('lost');
    file.path.pump(0);
    file.path.run(file.path.nowMs + 50);
    expect(file.path.datagrams[0] - before).toBeGreaterThanOrEqual(10);
  });
});

describe('a file whose path is replaced while what is on its way still arrives', () => {
  it.each([1, 5, 9])('sends little again, and has half of the path after 1 s (seed %i)', (seed) => {
    const file = aFile(seed);
    for (const side of [0, 1] as const) file.path.ends[side].pathChanged('arrives');
    file.path.pump(0);
    const [sent, received] = [file.path.datagrams[0], file.received()];
    file.path.run(file.path.nowMs + 1_000);
    expect(shareOf(file, 2_000)).toBeGreaterThan(0.5);
    const needed = (file.received() - received) / 1_157 / 0.98;
    expect(file.path.datagrams[0] - sent).toBeLessThan(needed * 1.1 + 100);
    expect(file.path.refusals).toEqual([]);
  });
});
