import { describe, expect, it } from '@jest/globals';
import { SourceLimiter, TokenBucket } from './source-limiter.js';

const SEED = new Uint8Array(16).fill(7);
const PER_MINUTE = { count: 3, perMs: 60_000 };

describe('a source', () => {
  it('may take as many as the allowance at once, and then as they come back', () => {
    const limiter = new SourceLimiter(16, SEED);
    const take = (now: number) => limiter.take('a', PER_MINUTE, now);
    expect([take(0), take(0), take(0), take(0)]).toEqual([true, true, true, false]);
    expect([take(19_999), take(20_000), take(20_000)]).toEqual([false, true, false]);
  });

  it('takes nothing of another', () => {
    const limiter = new SourceLimiter(16, SEED);
    for (let i = 0; i < 100; i++) limiter.take('a', PER_MINUTE, 0);
    expect(limiter.take('b', PER_MINUTE, 0)).toBe(true);
  });

  it('gets nothing back from a clock that goes backwards', () => {
    const limiter = new SourceLimiter(16, SEED);
    for (let i = 0; i < 3; i++) limiter.take('a', PER_MINUTE, 60_000);
    expect(limiter.take('a', PER_MINUTE, 0)).toBe(false);
  });
});

describe('a table of sources under a flood', () => {
  it('T25: holds no more than it has room for and denies nobody who is new', () => {
    const limiter = new SourceLimiter(64, SEED);
    let denied = 0;
    for (let i = 0; i < 200_000; i++) if (!limiter.take(`source-${i}`, PER_MINUTE, i)) denied++;
    expect(denied).toBe(0);
    expect(limiter.size).toBe(256);
    expect(limiter.evictions).toBe(200_000 - 256);
  });

  it('T25: still limits who comes again at once', () => {
    const limiter = new SourceLimiter(64, SEED);
    for (let i = 0; i < 10_000; i++) limiter.take(`source-${i}`, PER_MINUTE, i);
    const allowed = Array.from({ length: 100 }, () => limiter.take('a', PER_MINUTE, 10_000));
    expect(allowed.filter(Boolean)).toHaveLength(3);
  });

  it('T25: takes names that objects of JavaScript have like any others', () => {
    const limiter = new SourceLimiter(1, SEED);
    for (const name of ['__proto__', 'constructor', 'hasOwnProperty', 'toString'])
      expect(limiter.take(name, PER_MINUTE, 0)).toBe(true);
    expect(limiter.size).toBe(4);
  });
});

describe('one bucket for everybody', () => {
  it('lets through at most what it holds and what came back', () => {
    const bucket = new TokenBucket();
    const perSecond = { count: 10, perMs: 1_000 };
    let passed = 0;
    for (let ms = 0; ms < 1_000; ms++) if (bucket.take(perSecond, ms)) passed++;
    expect(passed).toBeGreaterThanOrEqual(18);
    expect(passed).toBeLessThanOrEqual(20);
  });
});
