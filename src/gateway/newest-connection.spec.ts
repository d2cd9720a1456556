import { describe, expect, it } from '@jest/globals';
import { connectionId, givesWayTo } from './newest-connection.js';

describe('a connection of a device that has connected to another replica', () => {
  it('gives way when it is older than five seconds, whatever the ids are', () => {
    expect(givesWayTo({ id: 'z', openedAtMs: 0 }, 'a', 5_001)).toBe(true);
  });
  it('T26: stays or gives way by its id when both are younger, so that exactly one of two stays', () => {
    for (const [here, there] of [['a', 'b'] as const, ['b', 'a'] as const]) {
      const hereEnds = givesWayTo({ id: here, openedAtMs: 0 }, there, 5_000);
      const thereEnds = givesWayTo({ id: there, openedAtMs: 100 }, here, 150);
      expect([hereEnds, thereEnds].filter(Boolean)).toHaveLength(1);
    }
  });
  it('gives way when the other one opened a millisecond later, and stays when it opened before', () => {
    for (const time of [0, 15, 255, 1_700_000_000_000, 2 ** 44 - 1]) {
      const [one, other] = [Uint8Array.of(255), Uint8Array.of(0)];
      const [older, newer] = [connectionId(time, one), connectionId(time + 1, other)];
      expect(givesWayTo({ id: older, openedAtMs: 0 }, newer, 10)).toBe(true);
      expect(givesWayTo({ id: newer, openedAtMs: 0 }, older, 10)).toBe(false);
    }
  });
  it('never gives way to itself', () => {
    expect(givesWayTo({ id: 'a', openedAtMs: 0 }, 'a', 1e9)).toBe(false);
  });
});
