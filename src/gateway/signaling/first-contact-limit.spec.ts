import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { FirstContactLimit } from './first-contact-limit.js';

const HOUR_MS = 3_600_000;
const NOON_MS = 1_788_264_000_000;

describe('an account that makes first contacts', () => {
  it('makes as many as the limit within an hour, and is told when the next one is let through', () => {
    const limit = new FirstContactLimit();
    for (let n = 0; n < 20; n++) expect(limit.take('a', 20, NOON_MS)).toBe(0);
    const wait = limit.take('a', 20, NOON_MS);
    expect(wait).toBeGreaterThanOrEqual(3_600);
    expect(wait).toBeLessThanOrEqual(3_900);
    expect(limit.take('a', 20, NOON_MS + wait * 1_000 - 1_000)).toBeGreaterThan(0);
    expect(limit.take('a', 20, NOON_MS + wait * 1_000)).toBe(0);
  });
  it('is not held back by what others do', () => {
    const limit = new FirstContactLimit();
    for (let n = 0; n < 20; n++) limit.take('a', 20, NOON_MS);
    expect(limit.take('b', 20, NOON_MS)).toBe(0);
  });
  it('is held to a limit that was tightened, at once', () => {
    const limit = new FirstContactLimit();
    for (let n = 0; n < 5; n++) limit.take('a', 20, NOON_MS);
    expect(limit.take('a', 5, NOON_MS + 1)).toBeGreaterThan(0);
  });
  it('gets no further attempts when the clock goes back', () => {
    const limit = new FirstContactLimit();
    for (let n = 0; n < 3; n++) limit.take('a', 3, NOON_MS);
    expect(limit.take('a', 3, NOON_MS - 10 * HOUR_MS)).toBeGreaterThan(0);
  });
  it('never makes more than the limit within any hour', () => {
    const gaps = fc.array(fc.nat(1_200_000), { minLength: 1, maxLength: 100 });
    fc.assert(
      fc.property(gaps, fc.integer({ min: 1, max: 8 }), (waits, most) => {
        const limit = new FirstContactLimit();
        const made: number[] = [];
        let now = NOON_MS;
        for (const wait of waits) {
          now += wait;
          if (limit.take('a', most, now) === 0) made.push(now);
        }
        for (const at of made)
          expect(made.filter((one) => one >= at && one < at + HOUR_MS).length).toBeLessThanOrEqual(
            most,
          );
      }),
    );
  });
});

describe('a limit for more accounts than are remembered', () => {
  it('T25: holds no more than that, and denies nobody who comes later', () => {
    const limit = new FirstContactLimit(1_000);
    for (let n = 0; n < 100_000; n++) expect(limit.take(`account ${n}`, 1, NOON_MS)).toBe(0);
    expect(limit.attempts.size).toBe(1_000);
  });
  it('forgets who was quiet for an hour', () => {
    const limit = new FirstContactLimit();
    limit.take('a', 1, NOON_MS);
    limit.take('b', 1, NOON_MS + HOUR_MS);
    limit.sweep(NOON_MS + HOUR_MS + 300_000);
    expect([...limit.attempts.keys()]).toEqual(['b']);
  });
});
