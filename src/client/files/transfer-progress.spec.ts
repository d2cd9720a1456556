import { describe, expect, it } from '@jest/globals';
import { ProgressMeter } from './transfer-progress.js';

describe('the progress of 10,000 bytes', () => {
  it('has no rate at first, then that of the last seconds, and the time that is left at it', () => {
    const meter = new ProgressMeter(10_000);
    expect(meter.at(1_000, 0)).toEqual({
      bytes: 1_000,
      totalBytes: 10_000,
      bytesPerSecond: 0,
      secondsLeft: undefined,
    });
    expect(meter.at(2_000, 1_000)).toMatchObject({ bytesPerSecond: 1_000, secondsLeft: 8 });
    expect(meter.at(6_000, 3_000)).toMatchObject({
      bytes: 6_000,
      secondsLeft: 4_000 / (5_000 / 3),
    });
  });

  it('does not count what was there before', () => {
    const meter = new ProgressMeter(10_000);
    meter.at(9_000, 0);
    expect(meter.at(9_500, 1_000)).toMatchObject({ bytesPerSecond: 500, secondsLeft: 1 });
  });

  it('forgets a rate that is older than five seconds', () => {
    const meter = new ProgressMeter(10_000);
    meter.at(0, 0);
    meter.at(5_000, 1_000);
    meter.at(5_000, 6_500);
    expect(meter.at(5_000, 11_600)).toMatchObject({ bytesPerSecond: 0, secondsLeft: undefined });
  });

  it('is told ten times a second at most, and at the end always', () => {
    const meter = new ProgressMeter(10_000);
    expect(meter.at(1, 0)).toBeDefined();
    expect(meter.at(2, 99)).toBeUndefined();
    expect(meter.at(3, 100)).toBeDefined();
    expect(meter.at(10_000, 101)).toMatchObject({ bytes: 10_000 });
  });
});
