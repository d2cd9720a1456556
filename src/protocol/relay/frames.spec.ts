import { describe, expect, it } from '@jest/globals';
import { ascii, fromHex, toHex } from '../bytes.js';
import { seenAddress } from './address.js';
import {
  encodeCookie,
  encodeHello,
  encodeProve,
  encodeProved,
  encodeRefused,
  MAX_PROVED_TOKEN_BYTES,
} from './admission.js';
import { encodeBye, encodeMove } from './departure.js';
import { decodeRelayFrame } from './frames.js';
import {
  frameRefusal,
  frameType,
  isNilSession,
  RELAY_FRAME_REFUSALS,
  sessionWord,
} from './header.js';
import { REFUSED_CODES, refusedReasonOf, type RefusedReason } from './reasons.js';
import {
  encodeForward,
  encodeLeaseAck,
  encodeLeasePresent,
  encodeLeaseReject,
  encodeLeaseRenew,
  MAX_PRESENTED_TOKEN_BYTES,
  REJECT_CODES,
  type RejectReason,
} from './version-1.js';

const SESSION = fromHex('00112233 4455 6677 8899 aabbccddeeff');
const AT = { session: SESSION };
const HEAD = (type: string, flags = '00') => `5701${type}${flags}00112233445566778899aabbccddeeff`;
const NONCE = fromHex('101112131415161718191a1b1c1d1e1f');
const COOKIE = fromHex('20'.repeat(32));
const SIGNATURE = fromHex('5a'.repeat(64));
const read = (hex: string) => decodeRelayFrame(fromHex(hex));

/** What a frame holds, without the header's views: they are compared once below. */
const fields = (frame: ReturnType<typeof decodeRelayFrame>): object => {
  if (typeof frame === 'string') throw new Error(frame);
  const { header: _header, session: _session, flags: _flags, ...rest } = frame;
  return rest;
};

describe('frames of version 1', () => {
  it.each([
    [
      'LEASE_PRESENT',
      '5701010000112233445566778899aabbccddeeff00000f746573742e746f6b656e2e68657265',
      encodeLeasePresent(AT, { role: 'client', token: ascii('test.token.here') }),
      { type: 'lease-present', role: 'client', token: ascii('test.token.here') },
    ],
    [
      'LEASE_ACK',
      '5701020000112233445566778899aabbccddeeff0000018bcfe568000000c350000186a0',
      encodeLeaseAck(AT, { expiresMs: 1_700_000_000_000n, softKbps: 50_000, hardKbps: 100_000 }),
      { type: 'lease-ack', expiresMs: 1_700_000_000_000n, softKbps: 50_000, hardKbps: 100_000 },
    ],
    [
      'LEASE_REJECT',
      '5701030000112233445566778899aabbccddeeff0001',
      encodeLeaseReject(AT, 'expired'),
      { type: 'lease-reject', reason: 'expired' },
    ],
    [
      'LEASE_RENEW',
      '5701040000112233445566778899aabbccddeeff',
      encodeLeaseRenew(AT),
      { type: 'lease-renew' },
    ],
    [
      'FORWARD',
      '5701100000112233445566778899aabbccddeeff000000000000002adeadbeef',
      encodeForward(AT, fromHex('000000000000002a deadbeef')),
      { type: 'forward', payload: fromHex('000000000000002a deadbeef') },
    ],
  ])('%s has its golden bytes in both directions', (_, golden, written, meaning) => {
    expect(toHex(written)).toBe(golden);
    expect(fields(read(golden))).toEqual(meaning);
  });

  it.each(Object.entries(REJECT_CODES))('LEASE_REJECT names %s by code %i', (reason, code) => {
    const frame = encodeLeaseReject(AT, reason as RejectReason);
    expect(frame.subarray(20)).toEqual(Uint8Array.of(0, code));
    expect(decodeRelayFrame(frame)).toMatchObject({ type: 'lease-reject', reason });
  });

  it('carry their header as sent: session and flags', () => {
    expect(read(HEAD('04', 'a5'))).toMatchObject({
      session: SESSION,
      flags: 0xa5,
      header: fromHex(HEAD('04', 'a5')),
    });
  });

  it('take tokens to the last byte of 1,500 and refuse to write longer ones', () => {
    const token = new Uint8Array(MAX_PRESENTED_TOKEN_BYTES).fill(0x61);
    const frame = encodeLeasePresent(AT, { role: 'server', token });
    expect(frame.length).toBe(1500);
    expect(decodeRelayFrame(frame)).toMatchObject({ role: 'server', token });
    expect(() => encodeLeasePresent(AT, { role: 'server', token: new Uint8Array(1478) })).toThrow(
      RangeError,
    );
    expect(() => encodeForward(AT, new Uint8Array(1481))).toThrow(RangeError);
  });
});

describe('our frames', () => {
  it.each([
    [
      'HELLO',
      HEAD('20') + toHex(NONCE) + '00'.repeat(476),
      encodeHello(AT, { nonce: NONCE }),
      { type: 'hello', nonce: NONCE },
    ],
    [
      'COOKIE for IPv4',
      HEAD('21') + toHex(NONCE) + toHex(COOKIE) + '04 c0000201 000000000000000000000000 d431',
      encodeCookie(AT, {
        nonce: NONCE,
        cookie: COOKIE,
        seen: seenAddress(Uint8Array.of(192, 0, 2, 1), 54_321),
      }),
      {
        type: 'cookie',
        nonce: NONCE,
        cookie: COOKIE,
        seen: seenAddress(Uint8Array.of(192, 0, 2, 1), 54_321),
      },
    ],
    [
      'PROVE',
      HEAD('22') +
        toHex(NONCE) +
        toHex(COOKIE) +
        '0020000000000001 01 0003 76342e' +
        toHex(SIGNATURE),
      encodeProve(AT, {
        nonce: NONCE,
        cookie: COOKIE,
        seq: 2n ** 53n + 1n,
        role: 'server',
        token: ascii('v4.'),
        signature: SIGNATURE,
      }),
      {
        type: 'prove',
        nonce: NONCE,
        cookie: COOKIE,
        seq: 2n ** 53n + 1n,
        role: 'server',
        token: ascii('v4.'),
        signature: SIGNATURE,
      },
    ],
    [
      'PROVED',
      HEAD('25') + toHex(NONCE) + '0000018bcfe56800 0000c350 000186a0',
      encodeProved(AT, {
        nonce: NONCE,
        expiresMs: 1_700_000_000_000n,
        softKbps: 50_000,
        hardKbps: 100_000,
      }),
      {
        type: 'proved',
        nonce: NONCE,
        expiresMs: 1_700_000_000_000n,
        softKbps: 50_000,
        hardKbps: 100_000,
      },
    ],
    [
      'REFUSED',
      HEAD('26') + toHex(NONCE) + '000e',
      encodeRefused(AT, { nonce: NONCE, reason: 'invalid-proof' }),
      { type: 'refused', nonce: NONCE, reason: 'invalid-proof' },
    ],
    [
      'MOVE',
      HEAD('23') + toHex(NONCE) + '0000018bcfe56800',
      encodeMove(AT, { nonce: NONCE, deadlineMs: 1_700_000_000_000n }),
      { type: 'move', nonce: NONCE, deadlineMs: 1_700_000_000_000n },
    ],
    [
      'BYE',
      HEAD('24') + 'ffffffffffffffff' + toHex(SIGNATURE),
      encodeBye(AT, { seq: 2n ** 64n - 1n, signature: SIGNATURE }),
      { type: 'bye', seq: 2n ** 64n - 1n, signature: SIGNATURE },
    ],
  ])('%s is written and read byte by byte', (_, wire, written, meaning) => {
    expect(toHex(written)).toBe(toHex(fromHex(wire)));
    expect(fields(read(wire))).toEqual(meaning);
  });

  it('have the sizes that the wire formats name', () => {
    const seen = seenAddress(new Uint8Array(16).fill(1), 1);
    expect(encodeHello(AT, { nonce: NONCE }).length).toBe(512);
    expect(encodeCookie(AT, { nonce: NONCE, cookie: COOKIE, seen }).length).toBe(87);
    const longest = encodeProve(AT, {
      nonce: NONCE,
      cookie: COOKIE,
      seq: 1n,
      role: 'client',
      token: new Uint8Array(MAX_PROVED_TOKEN_BYTES).fill(0x61),
      signature: SIGNATURE,
    });
    expect(longest.length).toBe(1232);
    expect(decodeRelayFrame(longest)).toMatchObject({ type: 'prove' });
  });

  it('answer with fewer bytes than they were asked with', () => {
    const seen = seenAddress(Uint8Array.of(192, 0, 2, 1), 1);
    const shortestProve = encodeProve(AT, {
      nonce: NONCE,
      cookie: COOKIE,
      seq: 1n,
      role: 'client',
      token: ascii('x'),
      signature: SIGNATURE,
    }).length;
    const proved = encodeProved(AT, { nonce: NONCE, expiresMs: 1n, softKbps: 1, hardKbps: 1 });
    const refused = encodeRefused(AT, { nonce: NONCE, reason: 'expired' });
    expect(encodeCookie(AT, { nonce: NONCE, cookie: COOKIE, seen }).length).toBeLessThan(512);
    expect(Math.max(proved.length, refused.length)).toBeLessThan(shortestProve);
  });

  it.each(Object.entries(REFUSED_CODES))('REFUSED names %s by code %i', (reason, code) => {
    const frame = encodeRefused(AT, { nonce: NONCE, reason: reason as RefusedReason });
    expect(frame.subarray(36)).toEqual(Uint8Array.of(0, code));
    expect(decodeRelayFrame(frame)).toMatchObject({ type: 'refused', reason });
  });

  it('give no two reasons one code, and begin with the codes of version 1', () => {
    const codes = Object.values(REFUSED_CODES);
    expect(new Set(codes).size).toBe(codes.length);
    expect(REFUSED_CODES).toMatchObject(REJECT_CODES);
    expect([refusedReasonOf(0), refusedReasonOf(20), refusedReasonOf(65_535)]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('are not written with fields of a wrong length', () => {
    const short = new Uint8Array(15);
    expect(() => encodeHello(AT, { nonce: short })).toThrow(RangeError);
    expect(() => encodeHello({ session: short }, { nonce: NONCE })).toThrow(RangeError);
    expect(() => encodeHello({ session: new Uint8Array(16) }, { nonce: NONCE })).toThrow(
      RangeError,
    );
    expect(() => encodeBye(AT, { seq: 1n, signature: short })).toThrow(RangeError);
    expect(() =>
      encodeProve(AT, {
        nonce: NONCE,
        cookie: COOKIE,
        seq: 1n,
        role: 'client',
        token: new Uint8Array(MAX_PROVED_TOKEN_BYTES + 1),
        signature: SIGNATURE,
      }),
    ).toThrow(RangeError);
  });
});

describe('the fast path of a packet worker', () => {
  const batch = fromHex(`ffffff ${HEAD('10')} aabb`);

  it('reads type and session where the packet stands, in a larger buffer', () => {
    expect(frameType(batch, 3, 22)).toBe(0x10);
    expect([0, 1, 2, 3].map((word) => sessionWord(batch, 3, word as 0))).toEqual([
      0x00112233, 0x44556677, 0x8899aabb, 0xccddeeff,
    ]);
    expect(isNilSession(batch, 3)).toBe(false);
  });

  it.each([
    [3, 19, 'too-short'],
    [3, 1501, 'too-long'],
    [0, 22, 'bad-magic'],
  ])('says why %i, %i is no frame: %s', (offset, length, refusal) => {
    expect(frameRefusal(frameType(batch, offset, length))).toBe(refusal);
  });

  it('has an answer for each negative number of its own and for no other', () => {
    expect([-1, -2, -3, -4].map(frameRefusal)).toEqual(RELAY_FRAME_REFUSALS.slice(0, 4));
    expect(() => frameRefusal(-5)).toThrow(RangeError);
    expect(() => frameRefusal(1)).toThrow(RangeError);
  });
});
