import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  RELAY_PATH,
  exchangeControl,
  open,
  seal,
  twoSessions,
  type TestSession,
} from '../../../test/session/two-sessions.js';
import { hex } from '../../../test/identities.js';
import { nodeBackend } from '../../crypto/node.backend.js';
import { KeyStore } from '../key-store.js';
import { CipherState } from '../noise/cipher-state.js';
import { Session } from './session.js';
import { FROM_THE_START, type SendingPosition } from './sending-key.js';
import { CounterExhaustedError } from './session-error.js';

const TEXT = hex('68656c6c6f');
const NEXT_KEY_MS = 120_000;

/** Two sessions under two fixed keys: counters near their limits cannot be reached through a handshake. */
function sessionsNear(
  sending: Partial<SendingPosition>,
  failedTags = 0,
): { alice: TestSession; bob: TestSession } {
  const side = (send: number, receive: number, localIndex: number, remoteIndex: number) => {
    const keys = new KeyStore();
    const cipher = (seed: number) =>
      new CipherState({ backend: nodeBackend, keys }, 'ChaChaPoly', new Uint8Array(32).fill(seed));
    return new Session({
      keys,
      ciphers: { send: cipher(send), receive: cipher(receive) },
      localIndex,
      remoteIndex,
      path: RELAY_PATH,
      random: (out) => out.fill(1),
      nowMs: 0,
      near: { sending: { ...FROM_THE_START, ...sending }, failedTags },
    });
  };
  return { alice: side(1, 2, 1, 2), bob: side(2, 1, 2, 1) };
}

const epochByte = (datagram: Uint8Array) => datagram[13];

describe('the key of a direction', () => {
  it('S7: changes after 120 s of use once the peer confirmed it, without resetting the counter', () => {
    const { alice, bob } = twoSessions();
    expect(open(bob, seal(alice, TEXT, 0), 0)).toEqual(TEXT);
    exchangeControl(alice, bob, 0);
    const counterBefore = seal(alice, TEXT, NEXT_KEY_MS - 1);
    const after = seal(alice, TEXT, NEXT_KEY_MS);
    expect([epochByte(counterBefore), epochByte(after)]).toEqual([0, 1]);
    expect(after[7]).toBe(counterBefore[7]! + 1);
    expect(open(bob, after, NEXT_KEY_MS)).toEqual(TEXT);
    expect(alice.epochs).toEqual({ sending: 1, receiving: 0 });
    expect(bob.epochs).toEqual({ sending: 0, receiving: 1 });
  });

  it('does not change before the peer confirmed the present one, however old it is', () => {
    const { alice, bob } = twoSessions();
    seal(alice, TEXT, 0);
    expect(epochByte(seal(alice, TEXT, 10 * NEXT_KEY_MS))).toBe(0);
    alice.onControl(hex('02 00000001'), RELAY_PATH);
    expect(epochByte(seal(alice, TEXT, 10 * NEXT_KEY_MS))).toBe(0);
    exchangeControl(alice, bob, 10 * NEXT_KEY_MS);
    expect(epochByte(seal(alice, TEXT, 10 * NEXT_KEY_MS))).toBe(1);
  });

  it('S7, T44: changes after 2^32 datagrams', () => {
    const { alice, bob } = sessionsNear({ counterHigh: 1, datagramsUnderKey: 2 ** 32 - 1 });
    alice.onControl(hex('02 00000000'), RELAY_PATH);
    const [last, first] = [seal(alice, TEXT), seal(alice, TEXT)];
    expect([epochByte(last), epochByte(first)]).toEqual([0, 1]);
    expect(open(bob, last)).toEqual(TEXT);
    expect(open(bob, first)).toEqual(TEXT);
  });

  it('ages from its first datagram, not while nobody uses it', () => {
    const { alice: idle } = sessionsNear({});
    idle.onControl(hex('02 00000000'), RELAY_PATH);
    expect(epochByte(seal(idle, TEXT, 5 * NEXT_KEY_MS))).toBe(0);
    expect(epochByte(seal(idle, TEXT, 6 * NEXT_KEY_MS))).toBe(1);
  });

  it('goes round: epoch 256 is written as 0 and understood', () => {
    const { alice, bob } = twoSessions();
    let nowMs = 0;
    for (let epoch = 0; epoch <= 257; epoch++) {
      const datagram = seal(alice, TEXT, nowMs);
      expect(epochByte(datagram)).toBe(epoch & 0xff);
      expect(open(bob, datagram, nowMs)).toEqual(TEXT);
      exchangeControl(alice, bob, nowMs);
      nowMs += NEXT_KEY_MS;
    }
    expect(bob.epochs.receiving).toBe(257);
  });
});

describe('a receiver', () => {
  it('opens under the previous key for 30 s and drops it then', () => {
    const { alice, bob } = twoSessions();
    exchangeControl(alice, bob, 0);
    const [late, tooLate] = [seal(alice, TEXT, 1), seal(alice, TEXT, 1)];
    expect(open(bob, seal(alice, TEXT, NEXT_KEY_MS), NEXT_KEY_MS)).toEqual(TEXT);
    expect(open(bob, late, NEXT_KEY_MS + 29_999)).toEqual(TEXT);
    expect(open(bob, tooLate, NEXT_KEY_MS + 30_000)).toBe('unknown-epoch');
  });

  it('erases the previous key on time even if nothing arrives', () => {
    const keys = new KeyStore();
    const { alice, bob } = twoSessions({}, { keys });
    exchangeControl(alice, bob, 0);
    const before = keys.liveSlices;
    open(bob, seal(alice, TEXT, NEXT_KEY_MS), NEXT_KEY_MS);
    exchangeControl(alice, bob, NEXT_KEY_MS);
    expect(keys.liveSlices).toBe(before + 1);
    expect(bob.wakeMs).toBe(NEXT_KEY_MS + 30_000);
    exchangeControl(alice, bob, NEXT_KEY_MS + 30_000);
    expect(keys.liveSlices).toBe(before);
  });

  it('T9: does not change its epoch for a forged datagram of the next one, and refuses any other epoch', () => {
    const { alice, bob } = twoSessions();
    const forged = seal(alice, TEXT);
    forged[13] = 1;
    expect(open(bob, forged)).toBe('wrong-tag');
    expect(bob.epochs.receiving).toBe(0);
    for (const epoch of [2, 3, 127, 128, 254, 255]) {
      forged[13] = epoch;
      expect(open(bob, forged)).toBe('unknown-epoch');
    }
    forged[13] = 0;
    expect(open(bob, forged)).toEqual(TEXT);
  });

  it('T9: is not moved by forged counters near every limit, whoever sends them', () => {
    const { alice, bob } = twoSessions();
    const good = [seal(alice, TEXT), seal(alice, TEXT)];
    for (const counter of [
      'fffffffffffffffe',
      '8000000000000000',
      '0020000000000001',
      '0000000000002000',
      '0000000000000080',
    ]) {
      const forged = good[1]!.slice();
      forged.set(hex(counter));
      expect(open(bob, forged, 0, 'spoofed')).toBe('wrong-tag');
    }
    expect(bob.newestPath).toBe(RELAY_PATH);
    expect(open(bob, good[1]!)).toEqual(TEXT);
    expect(open(bob, good[0]!)).toEqual(TEXT);
  });

  it('T44: counts failed tags and closes only at 2^36 under one key', () => {
    const { alice, bob } = sessionsNear({}, 2 ** 36 - 2);
    const forged = seal(alice, TEXT);
    forged[20]! ^= 1;
    expect(open(bob, forged)).toBe('wrong-tag');
    expect(bob.end).toBeUndefined();
    expect(open(bob, forged)).toBe('integrity-limit');
    expect(bob.end).toBe('integrity-limit');
  });
});

describe('a counter near its end', () => {
  it('T9, T44: goes over 2^32 and 2^53 without a gap', () => {
    for (const [counterHigh, next] of [
      [0, '0000000100000000'],
      [0x1f_ffff, '0020000000000000'],
    ] as const) {
      const { alice, bob } = sessionsNear({ counterHigh, counterLow: 0xffff_ffff });
      const [before, after] = [seal(alice, TEXT), seal(alice, TEXT)];
      expect(Buffer.from(after.subarray(0, 8)).toString('hex')).toBe(next);
      expect(open(bob, after)).toEqual(TEXT);
      expect(open(bob, before)).toEqual(TEXT);
      expect(open(bob, after)).toBe('replayed');
    }
  });

  it('T44: sends 2^64 - 2 and then nothing more: 2^64 - 1 throws, and so does every call after it', () => {
    const near = { counterHigh: 0xffff_ffff, counterLow: 0xffff_fffe };
    const { alice, bob } = sessionsNear(near);
    const last = seal(alice, TEXT);
    expect(Buffer.from(last.subarray(0, 8)).toString('hex')).toBe('fffffffffffffffe');
    expect(open(bob, last)).toEqual(TEXT);
    expect(() => seal(alice, TEXT)).toThrow(CounterExhaustedError);
    expect(() => seal(alice, TEXT)).toThrow(CounterExhaustedError);
  });
});

describe('a lossy path across rekeys', () => {
  it('delivers each datagram at most once, whatever is lost, repeated or reordered', () => {
    const event = fc.record({
      waitMs: fc.constantFrom(0, 1, 5_000, 40_000, NEXT_KEY_MS),
      copies: fc.integer({ min: 0, max: 2 }),
      delay: fc.integer({ min: 0, max: 3 }),
      control: fc.boolean(),
    });
    let [delivered, rekeys] = [0, 0];
    fc.assert(
      fc.property(fc.array(event, { minLength: 20, maxLength: 60 }), (events) => {
        const walked = walk(events);
        delivered += walked.delivered;
        rekeys += walked.rekeys;
      }),
      { numRuns: 100, seed: 6 },
    );
    expect(delivered).toBeGreaterThan(500);
    expect(rekeys).toBeGreaterThan(50);
  });
});

interface Packet {
  readonly at: number;
  readonly number: number;
  readonly datagram: Uint8Array;
  readonly sentMs: number;
}

/** A packet opens once; one that is 30 s old may have lost its key. */
function expected(
  { number, sentMs }: Packet,
  result: unknown,
  delivered: ReadonlySet<number>,
  nowMs: number,
): unknown {
  if (delivered.has(number)) return 'replayed';
  const mayBeTooOld = nowMs - sentMs >= 30_000 && result === 'unknown-epoch';
  return mayBeTooOld ? 'unknown-epoch' : Uint8Array.of(number);
}

interface Event {
  readonly waitMs: number;
  readonly copies: number;
  readonly delay: number;
  readonly control: boolean;
}

/** Sends one numbered datagram per event; `delay` is how many events later it arrives. Gives what came of it. */
function walk(events: readonly Event[]): { delivered: number; rekeys: number } {
  const { alice, bob } = twoSessions();
  const inFlight: Packet[] = [];
  const delivered = new Set<number>();
  let nowMs = 0;
  for (const [i, { waitMs, copies, delay, control }] of events.entries()) {
    nowMs += waitMs;
    const datagram = seal(alice, Uint8Array.of(i), nowMs);
    for (let copy = 0; copy < copies; copy++)
      inFlight.push({ at: i + delay * (copy + 1), number: i, datagram, sentMs: nowMs });
    for (const packet of inFlight.filter(({ at }) => at === i)) {
      const result = open(bob, packet.datagram, nowMs);
      expect(result).toEqual(expected(packet, result, delivered, nowMs));
      if (typeof result !== 'string') delivered.add(packet.number);
    }
    if (control) exchangeControl(alice, bob, nowMs);
    expect(alice.epochs.sending - bob.epochs.receiving).toBeLessThanOrEqual(1);
  }
  return { delivered: delivered.size, rekeys: bob.epochs.receiving };
}
