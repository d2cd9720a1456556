import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { AddressLimiter } from './address-limiter.js';
import { parseIpAddress } from '../../runtime/ip-address.js';
import { newAddress, setAddress } from '../packet/address.js';
import { RefusedLeases } from './refused-leases.js';
import { SessionTable, type SessionRecord } from './session-table.js';
import { TimerWheel } from './timer-wheel.js';
import { TokenBucket } from './token-bucket.js';

const at = (text: string, port = 1) => {
  const words = newAddress();
  setAddress(words, parseIpAddress(text)!, { port, link: 0 });
  return words;
};
const record = (): SessionRecord => ({
  gateway: 'a/b',
  holders: [undefined, undefined],
  newestIat: [0, 0],
  halfOpenSince: 0,
});

describe('a limiter by address', () => {
  it('T8: holds the same memory after 100,000 sources and still limits each', () => {
    const limiter = new AddressLimiter(1_024, 7);
    const { bytes } = limiter;
    let wrong = 0;
    for (let i = 0; i < 100_000; i++) {
      const words = at(`10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`);
      if (!limiter.take(words, 0, 1, 0) || limiter.take(words, 0, 1, 0)) wrong++;
    }
    expect(wrong).toBe(0);
    expect(limiter.bytes).toBe(bytes);
    expect(limiter.evictions).toBeGreaterThan(90_000);
  });

  it('counts an IPv6 /64 as one source and its neighbour as another, whatever the port', () => {
    const limiter = new AddressLimiter(64, 7);
    const take = (text: string, port = 1) => limiter.take(at(text, port), 0, 2, 0);
    expect([take('2001:db8:0:1::1'), take('2001:db8:0:1:ffff::9', 5)]).toEqual([true, true]);
    expect(take('2001:db8:0:1::2')).toBe(false);
    expect(take('2001:db8:0:2::1')).toBe(true);
  });

  it('gives tokens back at the rate, and never more than are kept', () => {
    const limiter = new AddressLimiter(64, 7);
    const words = at('192.0.2.1');
    for (let i = 0; i < 10; i++) expect(limiter.take(words, 0, 10, 0)).toBe(true);
    expect(limiter.take(words, 0, 10, 99)).toBe(false);
    expect(limiter.take(words, 0, 10, 100)).toBe(true);
    let taken = 0;
    for (let i = 0; i < 50; i++) taken += limiter.take(words, 0, 10, 1_000_000) ? 1 : 0;
    expect(taken).toBe(10);
  });
});

describe('a token bucket', () => {
  it('lets at most its burst and its rate through, over any span', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(300), { minLength: 50, maxLength: 200 }), (gaps) => {
        const bucket = new TokenBucket();
        const taken: number[] = [];
        let now = 0;
        for (const gap of gaps) {
          now += gap;
          while (bucket.take(20, 5, now)) taken.push(now);
        }
        const tooMany = taken.flatMap((start, from) =>
          taken.slice(from).filter((end, more) => more + 1 > 5 + (end - start) / 50 + 1e-6),
        );
        expect(tooMany).toEqual([]);
      }),
      { numRuns: 30 },
    );
  });
});

describe('a table of sessions', () => {
  it('finds exactly what was put in, through any order of making and removing', () => {
    const table = new SessionTable(64, 99);
    const model = new Map<number, number>();
    const id = (n: number) => Int32Array.of(n % 3, n, -n, n << 28);
    const find = (n: number) => {
      const [a, b, c, d] = id(n) as unknown as [number, number, number, number]; // Four by construction.
      return table.find(a, b, c, d);
    };
    let seed = 1;
    let wrong = 0;
    for (let step = 0; step < 20_000; step++) {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
      const n = (seed >>> 8) % 100;
      const session = model.get(n);
      if (session !== undefined) {
        table.remove(session);
        model.delete(n);
      } else if (model.size < 64) model.set(n, table.create(id(n), record()));
      const probe = (seed >>> 16) % 100;
      if (find(probe) !== (model.get(probe) ?? -1)) wrong++;
    }
    expect(wrong).toBe(0);
    expect(table.size).toBe(model.size);
  });

  it('keeps its sessions when it grows', () => {
    const table = new SessionTable(2, 1);
    const first = table.create(Int32Array.of(1, 2, 3, 4), record());
    table.grow(1_000);
    expect(table.find(1, 2, 3, 4)).toBe(first);
    expect(table.capacity).toBe(1_000);
    table.grow(10);
    expect(table.capacity).toBe(1_000);
  });

  it('throws when it is asked for more than it has room for', () => {
    const table = new SessionTable(1, 1);
    table.create(Int32Array.of(1, 2, 3, 4), record());
    expect(() => table.create(Int32Array.of(1, 2, 3, 5), record())).toThrow(/full/);
  });
});

describe('a timer wheel', () => {
  it('fires each deadline once, never early and at most a tick late', () => {
    const wheel = new TimerWheel(500, 1_000);
    const deadlines = Array.from({ length: 500 }, (_, i) => 1_000 + ((i * 7_919) % 120_000));
    for (const [entry, deadline] of deadlines.entries()) wheel.set(entry, deadline);
    const fired = new Map<number, number>();
    for (let now = 1_000; now <= 125_000; now += 50)
      wheel.advance(now, (entry) => {
        expect(fired.has(entry)).toBe(false);
        fired.set(entry, now);
      });
    expect(fired.size).toBe(500);
    for (const [entry, now] of fired) {
      expect(now).toBeGreaterThanOrEqual(deadlines[entry]!);
      expect(now - deadlines[entry]!).toBeLessThanOrEqual(550);
    }
  });

  it('forgets what was cleared and takes the later of two deadlines', () => {
    const wheel = new TimerWheel(3, 0);
    wheel.set(0, 1_000);
    wheel.set(1, 1_000);
    wheel.set(2, 1_000);
    wheel.clear(1);
    wheel.set(2, 5_000);
    const fired: number[] = [];
    wheel.advance(2_000, (entry) => fired.push(entry));
    expect(fired).toEqual([0]);
    wheel.advance(6_000, (entry) => fired.push(entry));
    expect(fired).toEqual([0, 2]);
  });

  it('looks at everything once after a pause longer than its turn', () => {
    const wheel = new TimerWheel(2, 0);
    wheel.set(0, 100);
    wheel.set(1, 100_000);
    const fired: number[] = [];
    wheel.advance(10_000_000, (entry) => fired.push(entry));
    expect(fired.sort()).toEqual([0, 1]);
  });
});

describe('leases that are refused until they expire', () => {
  it('forgets each at its expiry', () => {
    const refused = new RefusedLeases(100);
    for (const n of [5, 1, 4, 2, 3]) refused.add(`j${n}`, n * 1_000, 'banned');
    refused.expire(2_999);
    expect([1, 2, 3, 4, 5].filter((n) => refused.reasonFor(`j${n}`))).toEqual([3, 4, 5]);
    expect(refused.evicted).toBe(0);
  });

  it('forgets by expiry whatever the order in which they came', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1_000), { maxLength: 60 }), fc.nat(1_000), (expiries, now) => {
        const refused = new RefusedLeases(100);
        for (const [i, expiry] of expiries.entries()) refused.add(`j${i}`, expiry, 'banned');
        refused.expire(now);
        const left = expiries.map((_, i) => refused.reasonFor(`j${i}`) !== undefined);
        expect(left).toEqual(expiries.map((expiry) => expiry > now));
      }),
      { numRuns: 200 },
    );
  });

  it('T4: lets the earliest expiry go when it is full, and counts it', () => {
    const refused = new RefusedLeases(3);
    for (const n of [30, 10, 20, 40]) refused.add(`j${n}`, n, 'banned');
    expect([10, 20, 30, 40].filter((n) => refused.reasonFor(`j${n}`))).toEqual([20, 30, 40]);
    expect([refused.size, refused.evicted]).toEqual([3, 1]);
  });

  it.each([
    [['superseded'], 'superseded'],
    [['banned', 'superseded'], 'banned'],
    [['superseded', 'banned'], 'banned'],
  ] as const)('T4: keeps of the reasons %j the one that somebody wanted', (reasons, kept) => {
    const refused = new RefusedLeases(3);
    for (const reason of reasons) refused.add('j', 1_000, reason);
    expect(refused.reasonFor('j')).toBe(kept);
    expect(refused.reasonFor('other')).toBeUndefined();
  });
});
