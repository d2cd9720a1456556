import { describe, expect, it } from '@jest/globals';
import { nodeBackend } from '../../crypto/node.backend.js';
import { ascii, fromHex, toHex } from '../../protocol/bytes.js';
import { decodeCredential, encodeCredential, isRoaming } from './credential.js';
import { attemptsLeft, judgeAttempt, secondsUntil } from './lockout-rules.js';
import { MAX_PENDING, Pending } from './pending.js';
import { recoveryCodeHash, recoveryCodes } from './recovery-codes.js';
import { endOf, isLive, sessionLimits, toDay, toHour } from './session-rules.js';
import { totpStepOf, totpUri } from './totp.js';

const policy = { maxAttempts: 5, windowSeconds: 900, durationSeconds: 1800 };

describe('an attempt that was counted', () => {
  it.each([
    [{ failures: 1 }, { look: true, isLast: false, attemptsLeft: 4 }],
    [{ failures: 4 }, { look: true, isLast: false, attemptsLeft: 1 }],
    [{ failures: 5 }, { look: true, isLast: true, attemptsLeft: 0 }],
    [
      { failures: 6, lockedUntil: 2_000 },
      { look: false, lockedUntil: 2_000 },
    ],
    [
      { failures: 1, lockedUntil: 1_000 },
      { look: true, isLast: false, attemptsLeft: 4 },
    ],
  ])('S155: %j', (row, verdict) => {
    expect(judgeAttempt(row, policy, 1_000)).toEqual(verdict);
  });

  it('leaves no fewer than none', () => {
    expect(attemptsLeft({ failures: 9 }, policy)).toBe(0);
  });

  it.each([
    [1_000, 1],
    [1, 1],
    [1_001, 2],
    [-5, 1],
    [1e12, 604_800],
  ])('is told to wait whole seconds: %d ms', (ms, seconds) => {
    expect(secondsUntil(ms, 0)).toBe(seconds);
  });
});

describe('the time of a session', () => {
  const row = {
    session: 's',
    account: 'a',
    device: 'd',
    tokenHash: new Uint8Array(32),
    beganAt: 3_600_000,
    endsAt: 9_000_000,
    lastUsedAt: 5_000_000,
  };
  const limits = { idleSeconds: 900, absoluteSeconds: 7_200 };

  it('T31: ends at the instant of its age and of its silence', () => {
    expect(isLive(row, limits, 5_899_999)).toBe(true);
    expect(isLive(row, limits, 5_900_000)).toBe(false);
    const used = { ...row, lastUsedAt: 8_999_000 };
    expect(isLive(used, limits, 8_999_999)).toBe(true);
    expect(isLive(used, limits, 9_000_000)).toBe(false);
  });

  it('is shortened by a stricter policy, never lengthened by a laxer one', () => {
    expect(endOf(row, { ...limits, absoluteSeconds: 60 })).toBe(7_260_000);
    expect(endOf(row, { ...limits, absoluteSeconds: 1e6 })).toBe(9_000_000);
  });

  it('is the stricter one of gateway and roles', () => {
    const gateway = { idleTimeoutSeconds: 900, absoluteTimeoutSeconds: 3_600 };
    expect(sessionLimits(gateway, undefined)).toEqual({ idleSeconds: 900, absoluteSeconds: 3_600 });
    expect(sessionLimits(gateway, { idleSeconds: 60, absoluteSeconds: 9_999 })).toEqual({
      idleSeconds: 60,
      absoluteSeconds: 3_600,
    });
  });

  it('is kept by the hour and by the day', () => {
    const noon = Date.parse('2026-09-01T12:34:56.789Z');
    expect(new Date(toHour(noon)).toISOString()).toBe('2026-09-01T12:00:00.000Z');
    expect(new Date(toDay(noon)).toISOString()).toBe('2026-09-01T00:00:00.000Z');
  });
});

describe('a one-time code', () => {
  // RFC 6238, appendix B: SHA-1, the last 6 of the 8 digits.
  const secret = ascii('12345678901234567890');
  it.each([
    [59, '287082'],
    [1_111_111_109, '081804'],
    [1_234_567_890, '005924'],
    [2_000_000_000, '279037'],
    [20_000_000_000, '353130'],
  ])('S87: at %d seconds is %s', (seconds, code) => {
    expect(totpStepOf(secret, code, seconds * 1_000)).toBe(BigInt(Math.floor(seconds / 30)));
  });

  it('S87: belongs to its own step also one step early and late, and to none beyond', () => {
    const step = BigInt(Math.floor(1_111_111_109 / 30));
    const from = Number(step) * 30;
    const found = [from - 31, from - 30, from, from + 59, from + 60].map((seconds) =>
      totpStepOf(secret, '081804', seconds * 1_000),
    );
    expect(found).toEqual([undefined, step, step, step, undefined]);
  });

  it.each(['', '28708', '2870820', '٢٨٧٠٨٢', ' 287082', '28708a'])('T29: is not %j', (code) => {
    expect(totpStepOf(secret, code, 59_000)).toBeUndefined();
  });

  it('is scanned from a text that says whose it is', () => {
    expect(totpUri(secret, 'edge', 'sp1abc')).toBe(
      'otpauth://totp/sallyport%20edge:sp1abc?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=sallyport%20edge',
    );
  });
});

describe('recovery codes', () => {
  it('have 100 bits each, in groups', () => {
    const random = Uint8Array.from({ length: 200 }, (_, at) => at);
    const codes = recoveryCodes(random);
    expect(codes[0]).toBe('abcde-fghij-klmno-pqrst');
    expect(codes[9]).toBe('uvwxy-z2345-67abc-defgh');
    expect(() => recoveryCodes(random.subarray(1))).toThrow(RangeError);
  });

  it('are hashed with their account, whatever their hyphens', () => {
    const identity = new Uint8Array(32).fill(1);
    const hash = recoveryCodeHash(nodeBackend, identity, 'abcde-fghij-klmno-pqrst');
    expect(recoveryCodeHash(nodeBackend, identity, 'abcdefghijklmnopqrst')).toEqual(hash);
    const other = recoveryCodeHash(nodeBackend, new Uint8Array(32), 'abcdefghijklmnopqrst');
    expect(toHex(other)).not.toBe(toHex(hash));
  });
});

describe('a stored credential', () => {
  const bytes = fromHex('01 01 0003 aabbcc 0002 dddd');
  const credential = { id: fromHex('aabbcc'), publicKey: fromHex('dddd'), roaming: true };

  it('is its bytes, in both directions', () => {
    expect(toHex(encodeCredential(credential))).toBe(toHex(bytes));
    expect(decodeCredential(bytes)).toEqual(credential);
    const internal = encodeCredential({ ...credential, roaming: false });
    expect(toHex(internal)).toBe('01000003aabbcc0002dddd');
  });

  it('is none when a byte is missing, too many, or of another version', () => {
    for (let length = 0; length < bytes.length; length++)
      expect(decodeCredential(bytes.subarray(0, length))).toBeUndefined();
    expect(decodeCredential(fromHex('01 01 0003 aabbcc 0002 dddd 00'))).toBeUndefined();
    expect(decodeCredential(fromHex('02 01 0003 aabbcc 0002 dddd'))).toBeUndefined();
  });

  it.each([
    [['usb'], true],
    [['usb', 'nfc'], true],
    [['internal'], false],
    [['usb', 'internal'], false],
    [['hybrid'], false],
    [[], false],
  ])('T30: that is reached by %j is a roaming key: %s', (transports, is) => {
    expect(isRoaming(transports)).toBe(is);
  });
});

describe('what was begun on a connection', () => {
  it('is taken once, before its time is over', () => {
    const pending = new Pending<string>();
    pending.put('one', 'value', 1_000);
    pending.put('two', 'late', 1_000);
    expect(pending.take('one', 999)).toBe('value');
    expect(pending.take('one', 999)).toBeUndefined();
    expect(pending.take('two', 1_000)).toBeUndefined();
    expect(pending.size).toBe(0);
  });

  it('T25: is bounded: the oldest gives way, and is erased', () => {
    const dropped: number[] = [];
    const pending = new Pending<number>((value) => dropped.push(value));
    for (let at = 0; at < MAX_PENDING + 2; at++) pending.put(`c${at}`, at, 10 + at);
    expect(pending.size).toBe(MAX_PENDING);
    expect(dropped).toEqual([0, 1]);
    pending.sweep(20 + MAX_PENDING);
    expect(pending.size).toBe(0);
  });
});
