import { describe, expect, it } from '@jest/globals';
import { CHUNKS, killAtRandom } from './client-files-killing.js';

describe('a receiver that is killed ten times at random points', () => {
  it('S64: has every file in the end, and asked again only for what was missing', async () => {
    const { kills, files, resumed, wrong } = await killAtRandom(10);
    expect(wrong).toEqual([]);
    expect(kills).toBe(10);
    expect(files).toBeGreaterThan(1);
    expect(resumed.length).toBeGreaterThan(0);
    for (const { good, asked } of resumed) expect(good + asked).toBe(CHUNKS);
  });
});
