import { describe, expect, it } from '@jest/globals';
import { SourceLimiter } from './source-limiter.js';

const SEED = new Uint8Array(16).fill(7);
const PER_MINUTE = { count: 3, perMs: 60_000 };

describe('sources that were quiet', () => {
  it('S47: are forgotten when all of their bucket has come back, and no earlier', () => {
    const limiter = new SourceLimiter(16, SEED);
    for (let i = 0; i < 5; i++) limiter.take('a', PER_MINUTE, 0);
    limiter.take('b', PER_MINUTE, 30_000);
    limiter.forget(60_000, 59_999);
    expect(limiter.size).toBe(2);
    limiter.forget(60_000, 60_000);
    expect(limiter.size).toBe(1);
    limiter.forget(60_000, 90_000);
    expect(limiter.size).toBe(0);
  });
});
