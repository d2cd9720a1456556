import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MAX_RENDEZVOUS_TOKENS } from '../../messages/peer-requests.js';
import { GUARANTEED_TOKENS, RendezvousTable, type TokenHolder } from './rendezvous-table.js';

const aHolder = (deviceName = 'device'): TokenHolder => ({
  deviceName,
  superseded: false,
  unsure: new Set(),
  tokens: new Set(),
});
const tokens = (count: number, prefix = 't') =>
  Array.from({ length: count }, (_, n) => `${prefix}${n}`);

function listening(table: RendezvousTable<TokenHolder>, holder: TokenHolder, names: string[]) {
  const reserved = table.reserve(holder, names);
  if (typeof reserved !== 'string') table.confirm(holder, reserved, true);
  return reserved;
}

describe('a token that nobody holds', () => {
  it('is found only after it was confirmed', () => {
    const table = new RendezvousTable();
    const holder = aHolder();
    expect(table.reserve(holder, ['a'])).toEqual(['a']);
    expect(table.find('a')).toBeUndefined();
    table.confirm(holder, ['a'], true);
    expect(table.find('a')).toBe(holder);
  });
  it('is not confirmed for a holder whose connection ended meanwhile', () => {
    const table = new RendezvousTable();
    const holder = aHolder();
    table.reserve(holder, ['a']);
    table.remove(holder);
    table.confirm(holder, ['a'], true);
    expect([table.find('a'), table.size, holder.tokens.size]).toEqual([undefined, 0, 0]);
  });
});

describe('a token that is held', () => {
  it('is refused to every other holder, and of a message with one such token none is registered', () => {
    const table = new RendezvousTable();
    const first = aHolder();
    listening(table, first, ['a']);
    const second = aHolder('other device');
    expect(table.reserve(second, ['b', 'a', 'c'])).toBe('token-taken');
    expect([second.tokens.size, table.size, table.find('a')]).toEqual([0, 1, first]);
  });
  it('is refused while it is only reserved', () => {
    const table = new RendezvousTable();
    table.reserve(aHolder(), ['a']);
    expect(table.reserve(aHolder('other device'), ['a'])).toBe('token-taken');
    expect(table.taken(['a', 'b'])).toEqual(['a']);
  });
  it('T26: goes to a newer connection of the same device, and stays there when the older one closes', () => {
    const table = new RendezvousTable();
    const [older, newer] = [aHolder(), aHolder()];
    listening(table, older, ['a']);
    older.superseded = true;
    expect(listening(table, newer, ['a'])).toEqual(['a']);
    table.remove(older);
    expect([table.find('a'), older.tokens.size, table.size]).toEqual([newer, 0, 1]);
  });
  it('never goes back to the superseded connection, nor to another device', () => {
    const table = new RendezvousTable();
    const [older, newer, stranger] = [aHolder(), aHolder(), aHolder('stranger')];
    listening(table, older, ['a']);
    older.superseded = true;
    expect(table.reserve(stranger, ['a'])).toBe('token-taken');
    listening(table, newer, ['a']);
    expect(table.reserve(older, ['a'])).toBe('token-taken');
  });
  it('is yielded to another replica by a superseded connection, and by no other one', () => {
    const table = new RendezvousTable();
    const [older, other] = [aHolder(), aHolder('other device')];
    listening(table, older, ['a']);
    listening(table, other, ['b']);
    older.superseded = true;
    expect(table.taken(['a', 'b', 'c'])).toEqual(['b']);
    expect([table.find('a'), older.tokens.size]).toEqual([undefined, 0]);
  });
  it('is taken back by its holder only', () => {
    const table = new RendezvousTable();
    const [holder, stranger] = [aHolder(), aHolder('stranger')];
    listening(table, holder, ['a']);
    table.release(stranger, ['a']);
    expect(table.find('a')).toBe(holder);
    table.release(holder, ['a']);
    expect([table.find('a'), table.size]).toEqual([undefined, 0]);
  });
  it('can be registered again by its holder', () => {
    const table = new RendezvousTable();
    const holder = aHolder();
    listening(table, holder, ['a']);
    expect(table.reserve(holder, ['a', 'a'])).toEqual([]);
    expect(table.find('a')).toBe(holder);
  });
});

describe('a full table', () => {
  it('gives one connection 4,096 tokens and not one more', () => {
    const table = new RendezvousTable();
    const holder = aHolder();
    for (let n = 0; n < 16; n++) listening(table, holder, tokens(256, `${n}-`));
    expect(holder.tokens.size).toBe(MAX_RENDEZVOUS_TOKENS);
    expect(table.reserve(holder, ['one more'])).toBe('quota-reached');
    table.release(holder, ['0-0']);
    expect(table.reserve(holder, ['one more'])).toEqual(['one more']);
  });
  it('T25: still has room for 64 tokens of whoever comes after a thousand hoarders', () => {
    const pool = 64 * 1_024;
    const table = new RendezvousTable(pool);
    for (let n = 0; n < 1_000; n++) {
      const hoarder = aHolder(`hoarder ${n}`);
      for (let at = 0; listening(table, hoarder, [`${n}-${at}`]).length === 1; at++);
    }
    expect(table.size).toBeLessThanOrEqual(pool + 1_000 * GUARANTEED_TOKENS);
    expect(table.limit).toBe(GUARANTEED_TOKENS);
    const newcomer = aHolder('newcomer');
    expect(listening(table, newcomer, tokens(64, 'mine'))).toHaveLength(64);
    expect(table.reserve(newcomer, ['one more'])).toBe('quota-reached');
  });
  it('has all of its pool again when the hoarders are gone', () => {
    const table = new RendezvousTable(64 * 1_024);
    const before = table.limit;
    const hoarders = Array.from({ length: 20 }, (_, n) => aHolder(`hoarder ${n}`));
    for (const [n, hoarder] of hoarders.entries())
      for (let at = 0; listening(table, hoarder, [`${n}-${at}`]).length === 1; at++);
    expect(table.limit).toBeLessThan(before);
    for (const hoarder of hoarders) table.remove(hoarder);
    expect([table.limit, table.size]).toEqual([before, 0]);
  });
  it('lets a newer connection take over what its device holds, although that is more than a newcomer gets', () => {
    const table = new RendezvousTable(64 * 1_024);
    const [older, newer, hoarder] = [aHolder(), aHolder(), aHolder('hoarder')];
    const names = tokens(256);
    listening(table, older, names);
    while (table.limit > 800) {
      const more = tokens(800, `${table.size}-`);
      if (typeof listening(table, { ...hoarder, tokens: new Set() }, more) === 'string') break;
    }
    for (let n = 0; table.limit > 200 && n < 1_000; n++)
      listening(table, aHolder(`other ${n}`), tokens(200, `x${n}-`));
    expect(table.limit).toBeLessThanOrEqual(200);
    older.superseded = true;
    expect(listening(table, newer, names)).toHaveLength(256);
  });
});

describe('any sequence of operations', () => {
  const operation = fc.record({
    kind: fc.constantFrom('reserve', 'confirm', 'release', 'remove', 'supersede', 'taken'),
    who: fc.nat(3),
    names: fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), { minLength: 1 }),
  });

  it('leaves each token with at most one holder, whose own list agrees with the table', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
        const table = new RendezvousTable<TokenHolder>();
        // Two connections of one device, and two devices of others.
        const holders = ['one', 'one', 'two', 'three'].map(aHolder);
        for (const { kind, who, names } of operations) {
          const holder = holders[who]!;
          const before = new Map(holders.map((one) => [one, new Set(one.tokens)]));
          if (kind === 'supersede') holder.superseded = true;
          else if (kind === 'taken') table.taken(names);
          else if (kind === 'remove') table.remove(holder);
          else if (kind === 'reserve' && typeof table.reserve(holder, names) === 'string')
            expect(new Map(holders.map((one) => [one, new Set(one.tokens)]))).toEqual(before);
          else if (kind === 'confirm') table.confirm(holder, names, who === 0);
          else if (kind === 'release') table.release(holder, names);
          agree(table, holders);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

function agree(table: RendezvousTable<TokenHolder>, holders: readonly TokenHolder[]): void {
  let held = 0;
  for (const name of 'abcdef') {
    const owners = holders.filter(({ tokens }) => tokens.has(name));
    expect(owners.length).toBeLessThanOrEqual(1);
    held += owners.length;
    for (const { tokens, unsure } of holders)
      expect([...unsure].filter((token) => !tokens.has(token))).toEqual([]);
    const found = table.find(name);
    if (found !== undefined) expect(owners).toEqual([found]);
  }
  expect(table.size).toBe(held);
}
