import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  aConfiguration,
  aSession,
  forward,
  headerOf,
  hello,
  prove,
  TestGateway,
} from '../../../test/processes/relay-udp-bed.js';
import { PROVED, refusedWith, Still } from '../../../test/processes/relay-udp-still.js';

const CLIENT = '198.51.100.7 40000';
const SERVER = '198.51.100.8 50000';
const gateway = new TestGateway();
const aRelay = (changes: Parameters<typeof aConfiguration>[1] = {}) =>
  new Still(aConfiguration([gateway.key()], changes));
const limits = aConfiguration([]).rateLimits;
const capacity = aConfiguration([]).capacity;

/** Every datagram is in one of these counts. */
function accounted({ values, drops }: Still['statistics']): number {
  const dropped = Object.values(drops).reduce((sum, count) => sum + count, 0);
  return dropped + values.forwarded_packets + values.answers + values.byes_taken;
}

describe('a relay that strangers write to', () => {
  it('T7: never sends more bytes than it got, before and after a cookie', () => {
    const still = aRelay({ stun: { allowPlain: false } });
    const sid = aSession();
    const lease = gateway.lease(sid, 'client');
    const cookie = still.cookie(CLIENT, sid);
    const stun = Buffer.from('000100002112a442000000000000000000000000', 'hex');
    const frames = [
      hello(sid),
      hello(sid).subarray(0, 511),
      prove(lease, cookie, 1n),
      prove({ ...lease, token: Buffer.from('x') }, cookie, 1n),
      prove({ ...lease, role: 'server' }, cookie, 1n),
      stun,
      Buffer.concat([
        Buffer.from('000100242112a442000000000000000000000000', 'hex'),
        Buffer.from('00260020', 'hex'),
        Buffer.alloc(32),
      ]),
      Buffer.from('000100042112a44200000000000000000000000077770000', 'hex'),
      headerOf(4, sid),
      Buffer.concat([headerOf(1, sid), Buffer.from('000001aa', 'hex')]),
      forward(sid, new Uint8Array(100)),
      ...[0x21, 0x23, 0x25, 0x26, 2, 3].map((type) => headerOf(type, sid)),
    ];
    for (const [i, frame] of frames.entries()) {
      const sent = still.receive(`198.51.100.${i + 20} 999`, frame);
      const out = sent.reduce((sum, { bytes }) => sum + bytes.length, 0);
      expect(out).toBeLessThanOrEqual(frame.length);
      const again = still.receive(CLIENT, frame);
      expect(again.reduce((sum, { bytes }) => sum + bytes.length, 0)).toBeLessThanOrEqual(
        frame.length,
      );
    }
    expect(still.statistics.values.answers).toBeGreaterThan(4);
  });

  it('T7: answers one source and everybody only as often as the settings allow', () => {
    const still = aRelay({
      rateLimits: { ...limits, handshakesPerAddressPerSecond: 3, handshakesPerSecond: 20 },
    });
    let answers = 0;
    for (let i = 0; i < 100; i++) answers += still.receive(CLIENT, hello(aSession())).length;
    expect(answers).toBe(3);
    for (let i = 0; i < 2_000; i++)
      answers += still.receive(`10.9.${i >> 8}.${i & 255} 1`, hello(aSession())).length;
    expect(answers).toBe(50 * 20);
    expect(still.statistics.drops).toMatchObject({ 'address-limit': 97, 'global-limit': 1_003 });
  });

  it('T8: 20,000 spoofed sources leave no state, and who holds a slot renews meanwhile', () => {
    const still = aRelay({ rateLimits: { ...limits, handshakesPerSecond: 100 } });
    const sid = aSession();
    still.prove(CLIENT, gateway.lease(sid, 'client'));
    still.prove(SERVER, gateway.lease(sid, 'server'));
    const lease = gateway.lease(aSession(), 'client');
    const forged = prove(lease, still.cookie('198.51.100.99 9', lease.sid), 1n);
    for (let i = 0; i < 20_000; i++) {
      const from = `10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255} ${1 + (i % 60_000)}`;
      still.receive(from, i % 2 === 0 ? hello(aSession()) : forged);
      if (i % 1_000 === 0) {
        expect(still.receive(CLIENT, forward(sid, new Uint8Array(9)))).toHaveLength(1);
        // A holder renews although strangers have used up what there is for everybody.
        expect(still.receive(CLIENT, hello(sid))).toHaveLength(1);
      }
    }
    const { values, drops } = still.statistics;
    expect(values.sessions).toBe(1);
    expect(drops.cookie).toBe(10_000);
    expect(drops['global-limit']).toBeGreaterThan(4_900);
    still.pass(1_000);
    expect(still.prove('203.0.113.77 7', gateway.lease(aSession(), 'client'))).toBe(PROVED);
  });

  it('T8: a flood of proofs from twenty proven addresses keeps no holder from renewing', () => {
    const still = aRelay({
      rateLimits: { ...limits, handshakesPerAddressPerSecond: 10, handshakesPerSecond: 100 },
    });
    const sid = aSession();
    const held = gateway.lease(sid, 'client');
    expect(still.prove(CLIENT, held)).toBe(PROVED);
    const senders = Array.from({ length: 20 }, (_, i) => {
      const from = `192.0.2.${i + 1} 5`;
      const lease = gateway.lease(aSession(), 'client');
      return {
        from,
        frame: prove({ ...lease, token: Buffer.from('x') }, still.cookie(from, lease.sid), 1n),
      };
    });
    still.pass(1_000);
    for (const { from, frame } of senders) for (let i = 0; i < 10; i++) still.receive(from, frame);
    expect(still.prove(CLIENT, held)).toBe(PROVED);
    expect(still.prove('203.0.113.77 7', gateway.lease(aSession(), 'client'))).not.toBe(PROVED);
  });

  it('T10: takes every length, type, version and flag without a throw and counts each once', () => {
    const still = aRelay();
    const sid = aSession();
    const lengths = [...Array(65).keys(), 511, 512, 513, 1_499, 1_500, 1_501, 9_000, 65_507];
    for (const length of lengths) {
      for (const type of [1, 4, 0x10, 0x20, 0x22, 0x24])
        still.receive(
          CLIENT,
          Buffer.concat([headerOf(type, sid, 0xff), Buffer.alloc(65_507)]).subarray(0, length),
        );
      still.receive(CLIENT, Buffer.alloc(length, 0xee));
    }
    for (let type = 5; type < 256; type++) still.receive(CLIENT, headerOf(type, sid));
    for (const version of [0, 2, 255])
      still.receive(CLIENT, Uint8Array.of(0x57, version, 16, 0, ...sid));
    still.receive(CLIENT, headerOf(0x10, new Uint8Array(16)));
    still.receive(CLIENT, hello(sid).fill(0, 4, 20));
    const { values, drops } = still.statistics;
    expect(values.packets_in).toBe(lengths.length * 7 + 251 + 3 + 2);
    expect(accounted(still.statistics)).toBe(values.packets_in);
    expect(drops['nil-session']).toBe(1);
    expect(drops['unknown-version']).toBe(3);
    expect(drops['too-long']).toBeGreaterThanOrEqual(18);
    expect(values.forwarded_packets).toBe(0);
  });

  it('T10: 20,000 mutated frames neither throw nor leave anything', () => {
    const still = aRelay({ rateLimits: { ...limits, handshakesPerAddressPerSecond: 1_000 } });
    const sid = aSession();
    const lease = gateway.lease(sid, 'client');
    const seeds = [
      hello(sid),
      prove(lease, still.cookie(CLIENT, sid), 1n),
      forward(sid, randomBytes(40)),
      headerOf(4, sid),
    ];
    const mutated = fc.tuple(
      fc.constantFrom(...seeds),
      fc.array(fc.tuple(fc.nat(1_300), fc.nat(255)), { minLength: 1, maxLength: 6 }),
      fc.nat(1_300),
    );
    const before = still.statistics.values;
    let count = 0;
    fc.assert(
      fc.property(mutated, ([seed, changes, length]) => {
        const bytes = Uint8Array.from(seed);
        for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
        still.receive(
          '192.0.2.9 9',
          length < bytes.length && length % 3 === 0 ? bytes.subarray(0, length) : bytes,
        );
        count++;
      }),
      { numRuns: 20_000 },
    );
    const { values } = still.statistics;
    expect(values.packets_in - before.packets_in).toBe(count);
    expect(accounted(still.statistics)).toBe(values.packets_in);
    expect(values.sessions).toBe(0);
  });

  it('counts version 1 presentations and answers none', () => {
    const still = aRelay();
    const token = gateway.lease(aSession(), 'client').token;
    const present = Buffer.concat([
      headerOf(1, aSession()),
      Uint8Array.of(0, 0, token.length),
      token,
    ]);
    present.writeUInt16BE(token.length, 21);
    expect(still.receive(CLIENT, present)).toEqual([]);
    expect(still.statistics.drops['v1-present']).toBe(1);
  });
});

describe('a relay whose places are wanted', () => {
  it('T11: one source with many leases holds only its share of half-open sessions', () => {
    const still = aRelay({ capacity: { ...capacity, maxSessions: 40 } });
    let held = 0;
    for (let i = 0; i < 40; i++)
      held += still.prove('192.0.2.1 5', gateway.lease(aSession(), 'client')) === PROVED ? 1 : 0;
    expect(held).toBe(16);
    expect(still.prove('198.51.100.1 5', gateway.lease(aSession(), 'client'))).toBe(PROVED);
  });

  it('T11: the half-open sessions of one gateway are half of all at most, and end after 30 s', () => {
    const still = aRelay({ capacity: { ...capacity, maxSessions: 6 } });
    for (let i = 0; i < 2; i++) still.prove(`192.0.2.${i} 5`, gateway.lease(aSession(), 'client'));
    const pair = aSession();
    still.prove(CLIENT, gateway.lease(pair, 'client'));
    expect(still.prove('192.0.2.9 5', gateway.lease(aSession(), 'client'))).toBe(refusedWith(6));
    expect(still.prove(SERVER, gateway.lease(pair, 'server'))).toBe(PROVED);
    still.pass(29_000);
    expect(still.statistics.values.sessions).toBe(3);
    still.pass(1_500);
    expect(still.statistics.values).toMatchObject({ sessions: 1, sessions_half_open_ended: 2 });
  });

  it('T11: a newcomer takes the place of the oldest half-open session', () => {
    const two = new TestGateway('edge/two');
    const still = new Still(
      aConfiguration([gateway.key(), two.key()], { capacity: { ...capacity, maxSessions: 4 } }),
    );
    for (let i = 0; i < 2; i++) {
      expect(still.prove(`192.0.2.${i} 5`, gateway.lease(aSession(), 'client'))).toBe(PROVED);
      expect(still.prove(`192.0.3.${i} 5`, two.lease(aSession(), 'client'))).toBe(PROVED);
    }
    const third = new TestGateway('edge/third');
    still.relay.configure(
      aConfiguration([gateway.key(), two.key(), third.key()], {
        capacity: { ...capacity, maxSessions: 4 },
      }),
    );
    expect(still.prove(CLIENT, third.lease(aSession(), 'client'))).toBe(refusedWith(19));
    still.pass(5_100);
    expect(still.prove(CLIENT, third.lease(aSession(), 'client'))).toBe(PROVED);
    expect(still.statistics.values).toMatchObject({ sessions: 4, sessions_evicted: 1 });
  });

  it.each([
    ['tiny packets', 21, 2_000 + 200],
    ['full packets', 1_232, (1_000_000 / 8 + 16_384) / 1_232],
  ])('T12: %s from both sides pass no limit in the first second, nor later', (_, size, most) => {
    const still = aRelay({
      capacity: { ...capacity, softKbpsPerSession: 500, hardKbpsPerSession: 1_000 },
      rateLimits: { ...limits, packetsPerSessionPerSecond: 2_000 },
    });
    const sid = aSession();
    still.prove(CLIENT, gateway.lease(sid, 'client'));
    still.prove(SERVER, gateway.lease(sid, 'server'));
    const frame = forward(sid, new Uint8Array(size - 20));
    for (let second = 0; second < 3; second++) {
      let passed = 0;
      // Bursts at the edges of seconds, and steadily between.
      for (let ms = 0; ms < 1_000; ms++) {
        still.pass(1);
        const burst = ms < 2 || ms > 997 ? 500 : 4;
        for (let i = 0; i < burst; i++)
          passed += still.receive(i % 2 === 0 ? CLIENT : SERVER, frame).length;
      }
      expect(passed).toBeLessThanOrEqual(most + 1);
      expect(passed).toBeGreaterThan(most * 0.7);
    }
  });

  it('T16: leases end by the monotonic clock, whatever the wall clock does', () => {
    const still = aRelay();
    const sid = aSession();
    const iat = Math.floor(still.unixMs / 1_000);
    still.prove(CLIENT, gateway.lease(sid, 'client', { iat, nbf: iat, exp: iat + 60 }));
    still.prove(SERVER, gateway.lease(sid, 'server', { iat, nbf: iat, exp: iat + 60 }));
    still.pass(30_000, -600_000);
    expect(still.receive(CLIENT, forward(sid, Uint8Array.of(1)))).toHaveLength(1);
    still.pass(31_000, 0);
    expect(still.receive(CLIENT, forward(sid, Uint8Array.of(1)))).toEqual([]);
  });

  it.each([
    ['expires exactly now', 0, { exp: 0 }, refusedWith(1)],
    ['expires in a second', 0, { exp: 1 }, PROVED],
    ['was issued 30 s ahead', 0, { iat: 30, nbf: 30, exp: 90 }, PROVED],
    ['was issued 31 s ahead', 0, { iat: 31, nbf: 31, exp: 90 }, refusedWith(10)],
    ['is judged 10 minutes late', 600_000, { exp: 60 }, refusedWith(1)],
    ['is judged 10 minutes early', -600_000, { exp: 60 }, refusedWith(10)],
  ])('T16: a lease that %s is taken or refused to the second', (_, off, times, answer) => {
    const still = aRelay();
    const now = 1_700_000_000;
    still.unixMs = now * 1_000 + off;
    const { iat = -60, nbf = -60, exp } = times as { iat?: number; nbf?: number; exp: number };
    const lease = gateway.lease(aSession(), 'client', {
      iat: now + iat,
      nbf: now + nbf,
      exp: now + exp,
    });
    expect(still.prove(CLIENT, lease)).toBe(answer);
  });
});
