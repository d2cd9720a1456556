import { describe, expect, it } from '@jest/globals';
import { TokenBucket, exponentialMs, jitteredMs } from './backoff.js';

describe('an exponential delay', () => {
  it('doubles from the first to the longest, and does not overflow', () => {
    const bounds = { firstMs: 5, maxMs: 100 };
    expect([0, 1, 2, 3, 5, 6, 5_000].map((failures) => exponentialMs(failures, bounds))).toEqual([
      5, 5, 10, 20, 80, 100, 100,
    ]);
  });
});

describe('jitter', () => {
  it('takes away up to half, never adds', () => {
    expect([0, 0.5, 1].map((random) => jitteredMs(100, random))).toEqual([50, 75, 100]);
  });
});

describe('a token bucket', () => {
  it('lets a burst pass, then the rate, and fills up again', () => {
    const bucket = new TokenBucket({ perSecond: 10, burst: 2 });
    expect([0, 0, 0, 0].map((atMs) => bucket.reserve(atMs))).toEqual([0, 0, 100, 200]);
    expect(bucket.reserve(200)).toBeCloseTo(100);
    expect([10_000, 10_000, 10_000].map((atMs) => bucket.reserve(atMs))).toEqual([0, 0, 100]);
  });
});
