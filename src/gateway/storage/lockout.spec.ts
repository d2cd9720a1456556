import { describe, expect, it } from '@jest/globals';
import { type Attempts, countedAttempt, mayBeLookedAt } from './lockout.js';

const POLICY = { maxAttempts: 3, windowSeconds: 900, durationSeconds: 1800 };
const after = (times: readonly number[]): Attempts | undefined =>
  times.reduce<Attempts | undefined>(
    (before, now) => countedAttempt(before, now, POLICY),
    undefined,
  );

describe('an account with a limit of three attempts in 900 seconds', () => {
  it('is not locked after two', () => {
    expect(after([0, 1_000])).toEqual({ failures: 2, windowBeganAt: 0 });
  });

  it('is locked by the third, for its time', () => {
    expect(after([0, 1_000, 2_000])).toEqual({
      failures: 3,
      windowBeganAt: 0,
      lockedUntil: 1_802_000,
    });
  });

  it('counts from one again when its window is over to the millisecond', () => {
    expect(after([0, 1_000, 899_999])).toMatchObject({ failures: 3 });
    expect(after([0, 1_000, 900_000])).toEqual({ failures: 1, windowBeganAt: 900_000 });
  });

  it('is not kept locked by attempts during the lock', () => {
    const locked = after([0, 0, 0, 1_000_000, 1_799_999]);
    expect(locked).toEqual({ failures: 5, windowBeganAt: 0, lockedUntil: 1_800_000 });
    expect(after([0, 0, 0, 1_800_000])).toEqual({ failures: 1, windowBeganAt: 1_800_000 });
  });

  it('lets the proof of the third be looked at, and no proof during the lock', () => {
    const [second, third] = [after([0, 0]), after([0, 0, 0])!];
    expect(mayBeLookedAt(second, third, 0)).toBe(true);
    expect(mayBeLookedAt(third, after([0, 0, 0, 5])!, 5)).toBe(false);
    expect(mayBeLookedAt(third, after([0, 0, 0, 1_800_000])!, 1_800_000)).toBe(true);
  });

  it('is locked by each first attempt where the limit is one', () => {
    const strict = { ...POLICY, maxAttempts: 1 };
    const first = countedAttempt(undefined, 0, strict);
    expect(first.lockedUntil).toBe(1_800_000);
    const again = countedAttempt(first, 1_800_000, strict);
    expect(again).toEqual({ failures: 1, windowBeganAt: 1_800_000, lockedUntil: 3_600_000 });
    expect(mayBeLookedAt(first, again, 1_800_000)).toBe(true);
  });
});
