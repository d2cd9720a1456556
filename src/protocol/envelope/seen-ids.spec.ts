import { describe, expect, it } from '@jest/globals';
import { NOON_MS } from '../../../test/identities.js';
import { concat, u64 } from '../bytes.js';
import { SeenIds } from './seen-ids.js';

const MINUTE_MS = 60_000;
const id = (number: number) => concat([u64(0n), u64(BigInt(number))]);

/** A set of four places that holds ids 0 to 3, of NOON and the three minutes after it. */
function aFullSet() {
  const seen = new SeenIds(4);
  for (let i = 0; i < 4; i++) seen.add(id(i), NOON_MS + i * MINUTE_MS);
  return seen;
}

describe('the ids that came to a prekey', () => {
  it('let a message pass once', () => {
    const seen = new SeenIds();
    expect(seen.refusalOf(id(1), NOON_MS, NOON_MS)).toBeUndefined();
    seen.add(id(1), NOON_MS);
    expect(seen.refusalOf(id(1), NOON_MS, NOON_MS)).toBe('message-repeated');
    expect(seen.refusalOf(id(1), NOON_MS + 1, NOON_MS)).toBe('message-repeated');
    expect(seen.refusalOf(id(2), NOON_MS, NOON_MS)).toBeUndefined();
  });

  it('remember nothing that was only asked about', () => {
    const seen = new SeenIds();
    seen.refusalOf(id(1), NOON_MS, NOON_MS);
    expect(seen.size).toBe(0);
    expect(seen.refusalOf(id(1), NOON_MS, NOON_MS)).toBeUndefined();
  });

  it.each([
    [-5 * MINUTE_MS - 1, 'message-time'],
    [-5 * MINUTE_MS, undefined],
    [5 * MINUTE_MS, undefined],
    [5 * MINUTE_MS + 1, 'message-time'],
  ])('judge a message whose time is %i ms off', (offMs, refusal) => {
    expect(new SeenIds().refusalOf(id(1), NOON_MS + offMs, NOON_MS)).toBe(refusal);
  });

  it('are held while there is room, however old they are', () => {
    const seen = new SeenIds(4);
    seen.add(id(1), NOON_MS);
    const later = NOON_MS + 47 * 60 * MINUTE_MS;
    seen.refusalOf(id(2), later, later);
    expect(seen.size).toBe(1);
  });
});

describe('a full set of ids', () => {
  it('refuses new messages while none of its ids may be forgotten', () => {
    const seen = aFullSet();
    expect(seen.refusalOf(id(9), NOON_MS, NOON_MS)).toBe('too-many-messages');
    expect(() => {
      seen.add(id(9), NOON_MS);
    }).toThrow(RangeError);
    expect(seen.size).toBe(4);
  });

  it('forgets what can no longer pass, and nothing else', () => {
    const seen = aFullSet();
    const now = NOON_MS + 6.5 * MINUTE_MS;
    expect(seen.refusalOf(id(9), now, now)).toBeUndefined();
    expect(seen.size).toBe(2);
    expect(seen.refusalOf(id(2), NOON_MS + 2 * MINUTE_MS, now)).toBe('message-repeated');
  });

  it('refuses what it forgot even when the clock goes back', () => {
    const seen = aFullSet();
    const now = NOON_MS + 6.5 * MINUTE_MS;
    seen.refusalOf(id(9), now, now);
    expect(seen.refusalOf(id(0), NOON_MS, NOON_MS)).toBe('message-time');
    expect(seen.refusalOf(id(1), NOON_MS + MINUTE_MS, NOON_MS)).toBe('message-time');
  });

  it('looks through its ids at most every 10 s', () => {
    const seen = aFullSet();
    expect(seen.refusalOf(id(9), NOON_MS, NOON_MS + 4.9 * MINUTE_MS)).toBe('too-many-messages');
    const soon = NOON_MS + 5 * MINUTE_MS + 3_000;
    expect(seen.refusalOf(id(9), soon, soon)).toBe('too-many-messages');
    const later = NOON_MS + 5 * MINUTE_MS + 6_000;
    expect(seen.refusalOf(id(9), later, later)).toBeUndefined();
  });
});
