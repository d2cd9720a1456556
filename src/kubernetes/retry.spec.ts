import { describe, expect, it } from '@jest/globals';
import { errorOfStatus, errorWithoutAnswer } from './api-error.js';
import { MAX_ATTEMPTS, retryPauseMs } from './retry.js';

const first = { attempt: 1, remainingMs: 30_000, random: 0 };
const throttled = (seconds?: string) => errorOfStatus(429, {}, seconds);

describe('a refused call', () => {
  it('waits as long as Retry-After says, and up to a quarter longer', () => {
    expect(retryPauseMs(throttled('2'), first)).toBe(2_000);
    expect(retryPauseMs(throttled('2'), { ...first, random: 1 })).toBe(2_500);
  });

  it('waits twice as long at each attempt when the server names no time', () => {
    const pauses = [1, 2, 3, 4].map((attempt) => retryPauseMs(throttled(), { ...first, attempt }));
    expect(pauses).toEqual([250, 500, 1_000, 2_000]);
  });

  it('fails when the deadline is nearer than the pause, when it asks for too long, and after enough attempts', () => {
    expect(retryPauseMs(throttled('2'), { ...first, remainingMs: 1_999 })).toBeUndefined();
    expect(retryPauseMs(throttled('60'), { ...first, remainingMs: 600_000 })).toBeUndefined();
    expect(retryPauseMs(throttled('1'), { ...first, attempt: MAX_ATTEMPTS })).toBeUndefined();
  });

  it('is sent again after a 5xx only when that says when', () => {
    expect(retryPauseMs(errorOfStatus(503, {}, '1'), first)).toBe(1_000);
    expect(retryPauseMs(errorOfStatus(503, {}), first)).toBeUndefined();
    expect(retryPauseMs(errorOfStatus(409, {}, '1'), first)).toBeUndefined();
    expect(retryPauseMs(errorWithoutAnswer('Network', 'reset', undefined), first)).toBeUndefined();
  });
});
