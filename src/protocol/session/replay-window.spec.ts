import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { REPLAY_WINDOW_BITS, ReplayWindow } from './replay-window.js';

const halves = (counter: bigint): [number, number] => [
  Number(counter >> 32n),
  Number(counter & 0xffff_ffffn),
];

/** Judges a counter and marks it if it passes, as a session does for a good tag. */
function take(window: ReplayWindow, counter: bigint): string {
  const [high, low] = halves(counter);
  const refusal = window.judge(high, low);
  if (refusal === undefined) window.mark(high, low);
  return refusal ?? 'taken';
}

const W = BigInt(REPLAY_WINDOW_BITS);
const LAST = 2n ** 64n - 2n;

describe('a replay window', () => {
  it('is at least 2,048 counters wide', () => {
    expect(REPLAY_WINDOW_BITS).toBeGreaterThanOrEqual(2_048);
  });

  it('S4, T9: takes 0 once', () => {
    const window = new ReplayWindow();
    expect([take(window, 0n), take(window, 0n), take(window, 1n)]).toEqual([
      'taken',
      'replayed',
      'taken',
    ]);
  });

  it.each([0n, 1n, 31n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 53n, 2n ** 63n, LAST - W])(
    'S4, T9: is exact at its edge above %s',
    (base) => {
      const window = new ReplayWindow();
      const newest = base + W;
      expect(take(window, newest)).toBe('taken');
      expect(take(window, newest - W)).toBe('behind-window');
      for (const distance of [1n, 127n, 128n, 129n, W - 1n]) {
        expect(take(window, newest - distance)).toBe('taken');
        expect(take(window, newest - distance)).toBe('replayed');
      }
      expect(take(window, newest)).toBe('replayed');
      expect(take(window, newest + 1n)).toBe('taken');
      expect(take(window, newest - W + 1n)).toBe('behind-window');
    },
  );

  it('T9: tells counters apart that a JS number cannot: 2^53 and 2^53 + 1, and up to the last one', () => {
    const window = new ReplayWindow();
    for (const base of [2n ** 53n, 2n ** 63n, LAST - 1n]) {
      expect(take(window, base)).toBe('taken');
      expect(take(window, base + 1n)).toBe('taken');
      expect(take(window, base)).toBe('replayed');
    }
    expect(take(window, 0n)).toBe('behind-window');
    expect(take(window, 2n ** 63n)).toBe('behind-window');
  });

  it('T9: is not moved by a counter that was judged and never marked', () => {
    const window = new ReplayWindow();
    take(window, 5n);
    for (const forged of [LAST, 2n ** 63n, 2n ** 53n + 1n, 6n]) window.judge(...halves(forged));
    expect(take(window, 4n)).toBe('taken');
    expect(take(window, 6n)).toBe('taken');
  });

  it('S4: agrees with a set of all counters seen, for any walk from any place', () => {
    const step = fc.oneof(
      fc.bigInt({ min: -80n, max: 80n }),
      fc.bigInt({ min: -W - 70n, max: W + 70n }),
      fc.bigInt({ min: -3n * W, max: 3n * W }),
    );
    const start = fc.constantFrom(0n, 2n ** 32n - 5n, 2n ** 53n - 2n, 2n ** 63n, LAST - 3n * W);
    fc.assert(
      fc.property(start, fc.array(step, { maxLength: 200 }), (base, steps) => {
        const window = new ReplayWindow();
        const seen = new Set<bigint>();
        let highest = 0n;
        let at = base;
        for (const distance of steps) {
          at += distance;
          if (at < 0n) at = 0n;
          if (at > LAST) at = LAST;
          const behind = highest - at >= W;
          const expected = behind ? 'behind-window' : seen.has(at) ? 'replayed' : 'taken';
          expect(take(window, at)).toBe(expected);
          if (expected === 'taken') seen.add(at);
          if (at > highest) highest = at;
        }
      }),
      { numRuns: 300, seed: 4 },
    );
  });
});
