import { describe, expect, it } from '@jest/globals';
import {
  aGrant,
  aLeaseKey,
  ISSUED,
  signWith,
  someClaims,
  verifyWith,
} from '../../../test/lease-builders.js';
import { ascii } from '../bytes.js';
import { toBase64url } from './base64url.js';
import {
  issueGrant,
  judgeGrant,
  MAX_GRANT_TOKEN_BYTES,
  openGrant,
  type GrantClaims,
} from './grant.js';
import { CLOCK_SKEW_SECONDS, judgeLease, type LeaseCircumstances } from './judge.js';
import { issueLease, openLease } from './lease.js';

const KEY = aLeaseKey(1);
const MINUTE_MS = 60_000;
const ISSUED_MS = ISSUED * 1000;

const at = (over: Partial<LeaseCircumstances> = {}): LeaseCircumstances => ({
  nowMs: ISSUED_MS + MINUTE_MS,
  skewSeconds: CLOCK_SKEW_SECONDS,
  relayId: 'chat/pool/0',
  profile: 'Standard',
  sid: someClaims().sid,
  role: 'client',
  key: KEY,
  ...over,
});

describe('a lease of ten minutes', () => {
  it('holds where, when and for what it was issued', () => {
    expect(judgeLease(someClaims(), at())).toBeUndefined();
  });

  it.each([
    ['another relay', { relayId: 'chat/pool/1' }, 'wrong-relay'],
    ['another session', { sid: toBase64url(new Uint8Array(16)) }, 'wrong-session'],
    ['the other role', { role: 'server' as const }, 'wrong-role'],
    ['another profile', { profile: 'Other' }, 'wrong-profile'],
  ])('does not hold for %s', (_, over, verdict) => {
    expect(judgeLease(someClaims(), at(over))).toBe(verdict);
  });

  it.each([
    ['a millisecond before its end', 600_000 - 1, undefined],
    ['exactly at its end', 600_000, 'expired'],
    ['a second after its end, within the skew', 601_000, 'expired'],
  ])('T16: %s is judged without any skew', (_, afterMs, verdict) => {
    expect(judgeLease(someClaims(), at({ nowMs: ISSUED_MS + afterMs }))).toBe(verdict);
  });

  it.each([
    ['30 seconds behind', -30_000, undefined],
    ['30 seconds and a millisecond behind', -30_001, 'not-yet-valid'],
    ['10 minutes behind', -10 * MINUTE_MS, 'not-yet-valid'],
    ['10 minutes ahead', 10 * MINUTE_MS, 'expired'],
  ])('T16: meets a relay whose clock is %s', (_, afterMs, verdict) => {
    expect(judgeLease(someClaims(), at({ nowMs: ISSUED_MS + afterMs }))).toBe(verdict);
  });

  it('T16: is not made valid again by a clock that steps back, beyond what its times say', () => {
    const times = [599_999, 600_000, 599_000, 600_001].map((afterMs) =>
      judgeLease(someClaims(), at({ nowMs: ISSUED_MS + afterMs })),
    );
    expect(times).toEqual([undefined, 'expired', undefined, 'expired']);
  });

  it('T16: has not begun while nbf lies in the future, even if it was issued long ago', () => {
    const claims = someClaims({ nbf: ISSUED + 300 });
    expect(judgeLease(claims, at())).toBe('not-yet-valid');
    expect(judgeLease(claims, at({ nowMs: ISSUED_MS + 270_000 }))).toBeUndefined();
  });

  it('T16: issued in the future is refused, even if nbf has passed', () => {
    const claims = someClaims({ iat: ISSUED + 300, nbf: ISSUED });
    expect(judgeLease(claims, at())).toBe('not-yet-valid');
  });

  it('T16: is judged by seconds that have no leap: the end of a leap second is the next second', () => {
    const claims = someClaims({ exp: ISSUED + 1 });
    expect(judgeLease(claims, at({ nowMs: ISSUED_MS + 999.9 }))).toBeUndefined();
    expect(judgeLease(claims, at({ nowMs: ISSUED_MS + 1000 }))).toBe('expired');
  });

  it('T16: expires when the clock gives no number', () => {
    expect(judgeLease(someClaims(), at({ nowMs: Number.NaN }))).toBe('expired');
  });

  it.each([
    ['issued before the key’s not-before', { notBeforeMs: ISSUED_MS + 1 }, 'key-not-valid'],
    ['issued at the key’s not-before', { notBeforeMs: ISSUED_MS }, undefined],
    ['a millisecond before the key’s not-after', { notAfterMs: at().nowMs + 1 }, undefined],
    ['exactly at the key’s not-after', { notAfterMs: at().nowMs }, 'key-not-valid'],
  ])('%s is judged by the dates of the key', (_, dates, verdict) => {
    expect(judgeLease(someClaims(), at({ key: { ...KEY, ...dates } }))).toBe(verdict);
  });

  it('T5: is not prolonged by asking again: renewal takes a lease with a later end', () => {
    const later = someClaims({ iat: ISSUED + 300, nbf: ISSUED + 300, exp: ISSUED + 900 });
    const afterEnd = at({ nowMs: ISSUED_MS + 700_000 });
    expect(judgeLease(someClaims(), afterEnd)).toBe('expired');
    expect(judgeLease(someClaims(), afterEnd)).toBe('expired');
    expect(judgeLease(later, afterEnd)).toBeUndefined();
  });
});

describe('a grant', () => {
  const keyOf = () => KEY;
  const circumstances = {
    nowMs: ISSUED_MS,
    skewSeconds: CLOCK_SKEW_SECONDS,
    device: aGrant().device,
    key: KEY,
  };

  it('is read as it was issued', () => {
    const token = issueGrant(aGrant(), KEY, signWith);
    expect(openGrant(ascii(token), keyOf, verifyWith)).toEqual({
      claims: aGrant(),
      kid: KEY.kid,
      key: KEY,
    });
  });

  it('fits its limit with 64 file types', () => {
    const fileTypes = Array.from({ length: 64 }, (_, i) => `.${'a'.repeat(13)}${10 + i}`).join(' ');
    const token = issueGrant(aGrant({ fileTypes, maxFileBytes: 2 ** 40 }), KEY, signWith);
    expect(token.length).toBeLessThanOrEqual(MAX_GRANT_TOKEN_BYTES);
    expect(openGrant(ascii(token), keyOf, verifyWith)).toMatchObject({ claims: { fileTypes } });
  });

  it('T17: is no lease, and a lease is no grant, though one key signs both', () => {
    const grant = issueGrant(aGrant(), KEY, signWith);
    const lease = issueLease(someClaims(), KEY, signWith);
    expect(openGrant(ascii(lease), keyOf, verifyWith)).toBe('bad-signature');
    expect(['bad-signature', 'token-too-long']).toContain(
      openLease(ascii(grant), keyOf, verifyWith),
    );
  });

  it.each<[string, Partial<GrantClaims>]>([
    ['a file type without a dot', { fileTypes: 'pdf' }],
    ['a path as a file type', { fileTypes: '../x' }],
    ['no file type at all', { fileTypes: '' }],
    ['a file above 2^40 bytes', { maxFileBytes: 2 ** 40 + 1 }],
    ['a call of one', { maxParticipants: 1 }],
    ['a device of 15 bytes', { device: toBase64url(new Uint8Array(15)) }],
  ])('is not issued with %s', (_, over) => {
    expect(() => issueGrant(aGrant(over), KEY, signWith)).toThrow(RangeError);
  });

  it.each([
    ['now', {}, undefined],
    ['another device', { device: toBase64url(new Uint8Array(16)) }, 'wrong-device'],
    ['exactly its end', { nowMs: ISSUED_MS + 600_000 }, 'expired'],
    ['a clock 30 seconds behind', { nowMs: ISSUED_MS - 30_000 }, undefined],
    ['more than ten minutes ahead of its end', { nowMs: ISSUED_MS - 30_001 }, 'too-long-lived'],
    ['a key that has ended', { key: { ...KEY, notAfterMs: ISSUED_MS } }, 'key-not-valid'],
    [
      'a key that has not begun',
      { key: { ...KEY, notBeforeMs: ISSUED_MS + 30_001 } },
      'key-not-valid',
    ],
  ])('meets %s', (_, over, verdict) => {
    expect(judgeGrant(aGrant(), { ...circumstances, ...over })).toBe(verdict);
  });
});
