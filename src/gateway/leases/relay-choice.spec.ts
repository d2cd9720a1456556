import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { chooseRelay, drawFrom } from './relay-choice.js';

const relay = (rid: string, region: string, sessions: number) => ({ rid, region, sessions });
const relays = [relay('a', 'europe', 10), relay('b', 'europe', 5), relay('c', 'asia', 0)];
/** Draws these numbers, one after the other. */
const drawing = (...numbers: number[]) => {
  const left = [...numbers];
  return () => left.shift()!;
};

describe('the choice of a relay', () => {
  it('takes the one with fewer sessions of two that are drawn in the region', () => {
    expect(chooseRelay(relays, { region: 'europe', avoid: [] }, drawing(0, 0))?.rid).toBe('b');
    expect(chooseRelay(relays, { region: 'europe', avoid: [] }, drawing(1, 0))?.rid).toBe('b');
  });

  it('takes any region when the wanted one has none, or when none is wanted', () => {
    expect(chooseRelay(relays, { region: 'africa', avoid: [] }, drawing(0, 1))?.rid).toBe('c');
    expect(chooseRelay(relays, { avoid: [] }, drawing(0, 1))?.rid).toBe('c');
  });

  it('never takes one that is to be avoided', () => {
    const avoid = ['b'];
    expect(chooseRelay(relays, { region: 'europe', avoid }, drawing())?.rid).toBe('a');
    expect(chooseRelay(relays, { avoid: ['a', 'b', 'c'] }, drawing())).toBeUndefined();
  });

  it('gives a relay that claims to have no sessions no more than its share of two draws', () => {
    const many = Array.from({ length: 10 }, (_, i) => relay(`r${i}`, 'x', i === 0 ? 0 : 100));
    let liar = 0;
    for (let i = 0; i < 2_000; i++) {
      const chosen = chooseRelay(many, { avoid: [] }, (below) => drawFrom(randomBytes, below));
      if (chosen?.rid === 'r0') liar++;
    }
    // One in five, with room for chance.
    expect(liar / 2_000).toBeGreaterThan(0.14);
    expect(liar / 2_000).toBeLessThan(0.26);
  });

  it('draws every number equally, and leaves out what would favour the lower ones', () => {
    const bytes = [Uint8Array.of(255, 255, 255, 255), Uint8Array.of(0, 0, 0, 5)];
    expect(drawFrom(() => bytes.shift()!, 3)).toBe(2);
  });
});
