import { describe, expect, it } from '@jest/globals';
import { bytesOf } from '../../test/identities.js';
import { MAX_WAITING_BYTES, WaitingBursts, type SegmentOutcome } from './waiting-bursts.js';

function aKernel(outcome: SegmentOutcome) {
  const kernel = { outcome, took: [] as number[] };
  const bursts = new WaitingBursts<string>((bytes, length) => {
    if (kernel.outcome === 'sent') kernel.took.push(bytes[0]! * 10_000 + length);
    return kernel.outcome;
  });
  return { kernel, bursts };
}

const TO = { remote: 'relay', segment: 100 };

describe('bursts for which the kernel has no room', () => {
  it('wait in their order, as copies, and are lost in nothing', () => {
    const { kernel, bursts } = aKernel('full');
    const buffer = bytesOf(1, 800);
    for (const mark of [1, 2, 3]) {
      buffer.fill(mark);
      expect(bursts.send(buffer, 100 * mark, TO)).toBe('taken');
    }
    buffer.fill(9);
    bursts.retry();
    expect(bursts.isWaiting).toBe(true);
    kernel.outcome = 'sent';
    bursts.send(buffer, 400, TO);
    expect(kernel.took).toEqual([]);
    bursts.retry();
    expect(kernel.took).toEqual([10_100, 20_200, 30_300, 90_400]);
    expect([bursts.isWaiting, bursts.dropped]).toEqual([false, 0]);
    bursts.send(buffer, 500, TO);
    expect(kernel.took.at(-1)).toBe(90_500);
  });

  it('are dropped and counted, by datagrams, when too many wait', () => {
    const { kernel, bursts } = aKernel('full');
    const buffer = bytesOf(1, 1_000);
    const fitting = Math.floor(MAX_WAITING_BYTES / 1_000);
    for (let i = 0; i < fitting + 2; i++) bursts.send(buffer, 1_000, TO);
    expect(bursts.dropped).toBe(20);
    kernel.outcome = 'sent';
    bursts.retry();
    expect(kernel.took).toHaveLength(fitting);
  });
});

describe('bursts that the kernel does not cut', () => {
  it('are given back', () => {
    const { bursts } = aKernel('unsupported');
    expect(bursts.send(bytesOf(1), 32, TO)).toBe('unsupported');
    expect([bursts.isWaiting, bursts.dropped]).toEqual([false, 0]);
  });
});
