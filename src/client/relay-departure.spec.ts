import { describe, expect, it } from '@jest/globals';
import { endOfMove, leaveAtMs, LINGER_MS, type RelayUse } from './relay-departure.js';

const aUse = (changes: Partial<RelayUse> = {}): RelayUse => ({
  isProven: true,
  isInUse: true,
  heardMs: 1_000,
  ...changes,
});
const USED = aUse();
const QUIET = aUse({ isInUse: false });
const ENDS_MS = 60_000;

describe('an older relay', () => {
  it('is never left before the peer answers at the newer one, whatever MOVE said', () => {
    const newer = aUse({ isProven: false });
    expect([USED, QUIET].map((older) => leaveAtMs(older, newer, ENDS_MS))).toEqual([
      Infinity,
      Infinity,
    ]);
  });

  it('is kept until its end while either side sends through it', () => {
    expect(leaveAtMs(USED, USED, ENDS_MS)).toBe(ENDS_MS);
  });

  it('is left 2 s after the last datagram that came through it, when nobody uses it', () => {
    expect(leaveAtMs(QUIET, USED, ENDS_MS)).toBe(1_000 + LINGER_MS);
    expect(leaveAtMs(aUse({ isInUse: false, heardMs: -Infinity }), USED, ENDS_MS)).toBe(-Infinity);
    expect(leaveAtMs(QUIET, USED, 2_000)).toBe(2_000);
  });
});

describe('the end that a MOVE tells', () => {
  const at = { wallMs: 1_700_000_000_000, monotonicMs: 500 };

  it('is a second before the deadline, so that BYE arrives', () => {
    expect(endOfMove(at.wallMs + 30_000, at)).toBe(500 + 29_000);
  });

  it('is never less than 5 s away: anybody may have written it', () => {
    expect(endOfMove(0, at)).toBe(5_500);
    expect(endOfMove(at.wallMs + 100, at)).toBe(5_500);
  });
});
