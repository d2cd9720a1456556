import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { compareResourceVersions, isOlder } from './resource-version.js';

describe('resource versions', () => {
  it('compare as whole numbers of any size', () => {
    const version = fc.bigInt({ min: 0n, max: 10n ** 25n });
    fc.assert(
      fc.property(version, version, (a, b) => {
        const order = compareResourceVersions(a.toString(), b.toString());
        expect(Math.sign(order ?? NaN)).toBe(a < b ? -1 : a > b ? 1 : 0);
      }),
    );
  });

  it('that are no numbers do not compare, except with themselves', () => {
    expect(compareResourceVersions('a', '1')).toBeUndefined();
    expect(compareResourceVersions('01', '1')).toBeUndefined();
    expect(compareResourceVersions('a', 'a')).toBe(0);
    expect(isOlder('a', '1')).toBe(false);
    expect(isOlder('', '1')).toBe(false);
    expect(isOlder('9', '10')).toBe(true);
  });
});
