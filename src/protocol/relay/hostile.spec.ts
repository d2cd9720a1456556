import { describe, expect, it } from '@jest/globals';
import { fuzzDecoder } from '../../../test/fuzz/fuzz.js';
import { ascii, fromHex, u16 } from '../bytes.js';
import { seenAddress } from './address.js';
import {
  decodeProve,
  encodeCookie,
  encodeHello,
  encodeProve,
  encodeProved,
  encodeRefused,
  type ProveFields,
} from './admission.js';
import { encodeBye, encodeMove } from './departure.js';
import { decodeRelayFrame } from './frames.js';
import { frameType, RELAY_FRAME_REFUSALS, RelayType } from './header.js';
import {
  decodeForwardBody,
  decodeRift,
  encodeRiftHandshake,
  encodeRiftTransport,
  RIFT_REFUSALS,
} from './rift.js';
import {
  encodeForward,
  encodeLeaseAck,
  encodeLeasePresent,
  encodeLeaseReject,
  encodeLeaseRenew,
} from './version-1.js';

const SESSION = fromHex('00112233 4455 6677 8899 aabbccddeeff');
const AT = { session: SESSION };
const nonce = fromHex('101112131415161718191a1b1c1d1e1f');
const cookie = fromHex('20'.repeat(32));
const signature = fromHex('5a'.repeat(64));
const prove: ProveFields = {
  nonce,
  cookie,
  seq: 1n,
  role: 'client',
  token: ascii('v4.public.token'),
  signature,
};

/** One good frame of each type. */
const GOOD: readonly (readonly [string, Uint8Array])[] = [
  ['LEASE_PRESENT', encodeLeasePresent(AT, { role: 'client', token: ascii('v4.public.token') })],
  ['LEASE_ACK', encodeLeaseAck(AT, { expiresMs: 1n, softKbps: 1, hardKbps: 2 })],
  ['LEASE_REJECT', encodeLeaseReject(AT, 'banned')],
  ['LEASE_RENEW', encodeLeaseRenew(AT)],
  ['FORWARD', encodeForward(AT, fromHex('000000000000002a deadbeef'))],
  ['HELLO', encodeHello(AT, { nonce })],
  [
    'COOKIE',
    encodeCookie(AT, { nonce, cookie, seen: seenAddress(Uint8Array.of(192, 0, 2, 1), 9) }),
  ],
  ['PROVE', encodeProve(AT, prove)],
  ['PROVED', encodeProved(AT, { nonce, expiresMs: 1n, softKbps: 1, hardKbps: 2 })],
  ['REFUSED', encodeRefused(AT, { nonce, reason: 'draining' })],
  ['MOVE', encodeMove(AT, { nonce, deadlineMs: 1n })],
  ['BYE', encodeBye(AT, { seq: 1n, signature })],
];
const EXACT = GOOD.filter(([name]) => name !== 'FORWARD');
const LENGTHS = [...Array(65).keys(), 1499, 1500, 1501, 9000, 65_507];
const withByte = (bytes: Uint8Array, at: number, value: number) =>
  bytes.map((byte, i) => (i === at ? value : byte));
const resized = (bytes: Uint8Array, length: number) => {
  const other = new Uint8Array(length);
  other.set(bytes.subarray(0, length));
  return other;
};

describe('a frame from a stranger', () => {
  it.each(EXACT)('T10: %s of any other length is refused, longer or shorter', (_, good) => {
    for (const length of LENGTHS.filter((each) => each !== good.length)) {
      const refusal = decodeRelayFrame(resized(good, length));
      expect(['too-short', 'too-long', 'bad-token-length']).toContain(refusal);
    }
    const trailing = decodeRelayFrame(resized(good, good.length + 1));
    expect(['too-long', 'bad-token-length']).toContain(trailing);
  });

  it('T10: FORWARD is taken from its header up to 1,500 bytes and not beyond', () => {
    const forward = encodeForward(AT, new Uint8Array(0));
    const taken = LENGTHS.filter(
      (length) => typeof decodeRelayFrame(resized(forward, length)) !== 'string',
    );
    expect(taken).toEqual(LENGTHS.filter((length) => length >= 20 && length <= 1500));
  });

  it.each([
    ['another magic', 0, [0x00, 0x16, 0x56, 0xff], 'bad-magic'],
    ['version 0, 2 or 255', 1, [0, 2, 255], 'unknown-version'],
  ])('T10: with %s is refused', (_, at, values, refusal) => {
    for (const [, good] of GOOD)
      for (const value of values) expect(decodeRelayFrame(withByte(good, at, value))).toBe(refusal);
  });

  it('T10: of every type from 0 to 255 that is not ours is refused as unknown', () => {
    const known = new Set<number>(Object.values(RelayType));
    for (let type = 0; type < 256; type++) {
      const frame = withByte(encodeForward(AT, nonce), 2, type);
      const result = decodeRelayFrame(frame);
      if (!known.has(type)) expect(result).toBe('unknown-type');
      expect(frameType(frame, 0, frame.length)).toBe(type);
    }
  });

  it.each(GOOD)('T10: %s means the same whatever its flags, and they are kept', (_, good) => {
    for (const flags of [1, 0x80, 0xff]) {
      expect(decodeRelayFrame(withByte(good, 3, flags))).toMatchObject({ flags });
    }
  });

  it.each(GOOD)('T10: %s of the nil session is refused', (_, good) => {
    const nil = good.slice();
    nil.fill(0, 4, 20);
    expect(decodeRelayFrame(nil)).toBe('nil-session');
  });

  it.each([
    ['LEASE_PRESENT', 21],
    ['PROVE', 77],
  ])('T10: a token length of %s that is 0, too small or too large is refused', (name, at) => {
    const good = GOOD.find(([each]) => each === name)![1];
    for (const length of [0, 1, 14, 16, 1089, 1090, 8192, 0xffff]) {
      const bad = good.slice();
      bad.set(u16(length), at);
      expect(decodeRelayFrame(bad)).toBe('bad-token-length');
    }
  });

  it('T10: with an empty token is refused even where the length says so', () => {
    const present = encodeLeaseRenew(AT);
    const empty = withByte(resized(present, 23), 2, RelayType.leasePresent);
    expect(decodeRelayFrame(empty)).toBe('bad-token-length');
    const proof = encodeProve(AT, { ...prove, token: ascii('x') });
    const bare = Uint8Array.of(...proof.subarray(0, 79), ...proof.subarray(80));
    bare.set(u16(0), 77);
    expect(decodeRelayFrame(bare)).toBe('too-short');
  });

  it('T10: PROVE of 1,233 bytes is refused, though all its lengths agree', () => {
    const longest = encodeProve(AT, { ...prove, token: new Uint8Array(1089).fill(0x61) });
    expect(decodeRelayFrame(longest)).toMatchObject({ type: 'prove' });
    const longer = resized(longest, 1233);
    longer.set(u16(1090), 77);
    expect(decodeRelayFrame(longer)).toBe('too-long');
  });

  it('T15: with a role that is neither client nor server is refused', () => {
    for (const role of [2, 3, 0x80, 0xff]) {
      expect(decodeRelayFrame(withByte(GOOD[0]![1], 20, role))).toBe('bad-role');
      expect(decodeProve(withByte(encodeProve(AT, prove), 76, role))).toBe('bad-role');
    }
  });

  it('T10: that hides a byte in the padding of HELLO is refused', () => {
    const hello = encodeHello(AT, { nonce });
    for (const at of [36, 37, 300, 511])
      expect(decodeRelayFrame(withByte(hello, at, 1))).toBe('bad-padding');
  });

  it('T10: with a reason or an address that is none is refused', () => {
    expect(decodeRelayFrame(withByte(GOOD[2]![1], 21, 7))).toBe('unknown-reason');
    expect(decodeRelayFrame(withByte(GOOD[9]![1], 37, 99))).toBe('unknown-reason');
    expect(decodeRelayFrame(withByte(GOOD[6]![1], 68, 5))).toBe('bad-address');
  });

  it.each([0n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n])(
    'T9: has the sequence number %s to the last bit',
    (seq) => {
      expect(decodeRelayFrame(encodeProve(AT, { ...prove, seq }))).toMatchObject({ seq });
      expect(decodeRelayFrame(encodeBye(AT, { seq, signature }))).toMatchObject({ seq });
    },
  );

  it('is read in place: what a frame holds are views of it', () => {
    const bytes = encodeProve(AT, prove);
    const frame = decodeProve(bytes);
    if (typeof frame === 'string') throw new Error(frame);
    for (const view of [frame.nonce, frame.cookie, frame.token, frame.signature, frame.session])
      expect(view.buffer).toBe(bytes.buffer);
  });
});

describe('the decoders of the relay under fuzzing', () => {
  it('T10: frames: nothing throws, every refusal is in the list, counts add up', () => {
    const counts = fuzzDecoder({
      decode: decodeRelayFrame,
      refusals: RELAY_FRAME_REFUSALS,
      corpus: [...GOOD.map(([, frame]) => frame), encodeForward(AT, nonce).fill(0, 4, 20)],
      runs: 8_000,
      seed: 20_260_101,
    });
    expect(counts.total).toBe(8_000 + GOOD.length + 1 + 400);
    expect(counts.accepted).toBeGreaterThan(500);
    expect([...counts.refused.keys()].sort()).toEqual([...RELAY_FRAME_REFUSALS].sort());
  });

  it('T10: RIFT packets: nothing throws, every refusal is in the list, counts add up', () => {
    const payload = fromHex('aabbccddeeff');
    const corpus = [
      encodeRiftTransport({ alias: 0x01020304, packetId: 7n, payload }),
      encodeRiftHandshake({ session: new Uint8Array(16), packetId: 2n ** 64n - 1n, payload }),
    ];
    for (const decode of [decodeRift, decodeForwardBody]) {
      const counts = fuzzDecoder({ decode, refusals: RIFT_REFUSALS, corpus, runs: 2_000, seed: 7 });
      expect(counts.accepted).toBeGreaterThan(100);
      expect(counts.refused.get('bad-crc')).toBeGreaterThan(100);
    }
  });
});
