import { describe, expect, it } from '@jest/globals';
import { isSilent, LIMITS, sessionEnd } from './connection-limits.js';

describe('the end of a session', () => {
  it('T31: is its absolute end while it is not idle', () => {
    expect(sessionEnd({ endsAt: 5_000 }, 899_999, 900)).toBe(5_000);
  });

  it('T31: is now, to the second, when it was idle for as long as it may', () => {
    expect(sessionEnd({ endsAt: 5_000 }, 900_000, 900)).toBe(0);
  });

  it('T31: follows the role that says less, never one that says more', () => {
    expect(sessionEnd({ endsAt: 5_000, idleSeconds: 60 }, 60_000, 900)).toBe(0);
    expect(sessionEnd({ endsAt: 5_000, idleSeconds: 9_000 }, 900_000, 900)).toBe(0);
  });
});

describe('a connection', () => {
  it('T22: is silent when nothing came for two pings', () => {
    expect(isSilent(0, 2 * LIMITS.pingEveryMs)).toBe(false);
    expect(isSilent(0, 2 * LIMITS.pingEveryMs + 1)).toBe(true);
  });
});
