import { describe, expect, it } from '@jest/globals';
import { byCodeUnit } from './order.js';

describe('the order by code unit', () => {
  it('puts capitals before small letters and ASCII before everything else, whatever the locale', () => {
    expect(['ä', 'a', 'Z', '-', 'z', '10', '9'].sort(byCodeUnit)).toEqual([
      '-',
      '10',
      '9',
      'Z',
      'a',
      'z',
      'ä',
    ]);
  });

  it('is zero for equal texts', () => {
    expect(byCodeUnit('kid', 'kid')).toBe(0);
  });
});
