import { describe, expect, it } from '@jest/globals';
import { EarlyNews } from './early-news.js';
import type { KnownDevice } from './rendezvous-table.js';

// Nothing looks into it.
const known = { fingerprint: 'sp1a' } as KnownDevice;
const body = (first: number) => Uint8Array.of(first, 7);

describe('news of a session that is being opened', () => {
  it('are given when it is there, in their order, though their sender has overwritten them', () => {
    const early = new EarlyNews();
    early.begin();
    const bytes = body(1);
    expect([early.keep(known, bytes), early.keep(known, body(2))]).toEqual([true, true]);
    bytes.fill(0);
    expect(early.end().map((word) => [word.known, ...word.body])).toEqual([
      [known, 1, 7],
      [known, 2, 7],
    ]);
    expect(early.keep(known, body(3))).toBe(false);
  });

  it('are refused above four, and while nothing is being opened', () => {
    const early = new EarlyNews();
    expect(early.keep(known, body(1))).toBe(false);
    early.begin();
    const kept = [1, 2, 3, 4, 5].map((first) => early.keep(known, body(first)));
    expect(kept).toEqual([true, true, true, true, false]);
  });

  it('are kept until the last of two is there, if the first did not take them', () => {
    const early = new EarlyNews();
    early.begin();
    early.begin();
    early.keep(known, body(1));
    const [word] = early.end();
    expect(early.keep(known, word?.body ?? body(9))).toBe(true);
    expect(early.end().map(({ body: [first] }) => first)).toEqual([1]);
  });
});
