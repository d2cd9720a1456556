import { describe, expect, it } from '@jest/globals';
import { givesWayTo } from './newest-connection.js';

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
  it('never gives way to itself', () => {
    expect(givesWayTo({ id: 'a', openedAtMs: 0 }, 'a', 1e9)).toBe(false);
  });
});
