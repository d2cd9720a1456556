import { describe, expect, it } from '@jest/globals';
import { CHUNKS, killAtRandom } from '../processes/client-files-killing.js';

describe('a receiver that is killed a hundred times at random points', () => {
  it('S64: has every file in the end, and asked again only for what was missing', async () => {
    const { kills, resumed, wrong } = await killAtRandom(100);
    expect(wrong).toEqual([]);
    expect(kills).toBe(100);
    for (const { good, asked } of resumed) expect(good + asked).toBe(CHUNKS);
  }, 900_000);
});
