import { describe, expect, it } from '@jest/globals';
import { DROP_REASONS } from '../packet/drop-reason.js';
import { dropIndex, increase, newStatistics, readStatistics } from '../packet/statistics.js';
import { dropGroups } from './drop-groups.js';

describe('the reasons of dropped datagrams in metrics', () => {
  const block = newStatistics();
  for (const at of DROP_REASONS.keys()) increase(block, dropIndex(at), 2 ** at);
  const groups = dropGroups(readStatistics(block).drops);

  it('T35: are at most twelve', () => {
    expect(groups.size).toBe(12);
  });

  it('count each datagram once', () => {
    const sum = [...groups.values()].reduce((total, count) => total + count, 0);
    expect(sum).toBe(2 ** DROP_REASONS.length - 1);
    expect(groups.get('malformed')).toBe(2 ** 9 - 1);
    expect(groups.get('address-denied')).toBe(2 ** DROP_REASONS.indexOf('address-denied'));
  });

  it('are there before anything was counted', () => {
    const none = dropGroups(readStatistics(newStatistics()).drops);
    expect([...none]).toEqual([...groups.keys()].map((group) => [group, 0]));
  });
});
