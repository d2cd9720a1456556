import { describe, expect, it } from '@jest/globals';
import { LOGIN_REFUSALS } from '../../messages/signaling.js';
import { afterClose, afterRefusal, reconnectDelayMs } from './reconnect.js';

describe('a lost connection', () => {
  it('is dialled again after at most 2 s, spread by half, and slower when nothing helps', () => {
    const most = [1, 2, 3, 6, 12, 13].map((failures) => reconnectDelayMs(failures, 0.999_999));
    expect(most).toEqual([100, 200, 400, 2_000, 2_000, 30_000]);
    expect([1, 6, 13].map((failures) => reconnectDelayMs(failures, 0))).toEqual([
      50, 1_000, 15_000,
    ]);
  });

  it('is left where the device has connected elsewhere, and needs a new session where that has ended', () => {
    expect(afterClose('superseded')).toBe('stop');
    expect(afterClose('session-ended')).toBe('without-session');
    expect(afterClose('gateway-ends')).toBe('again');
    expect(afterClose(undefined)).toBe('again');
  });
});

describe('a refused login', () => {
  it('is tried again only where time may help', () => {
    const retried = LOGIN_REFUSALS.filter(
      (reason) => afterRefusal(reason, undefined, false) !== 'stop',
    );
    expect(retried).toEqual([
      'account-awaits-approval',
      'device-awaits-approval',
      'too-many-connections',
      'too-many-logins',
      'too-slow',
      'unavailable',
    ]);
  });

  it('is tried again without the session that it named, and when the gateway says', () => {
    expect(afterRefusal('login-failed', undefined, true)).toBe('without-session');
    expect(afterRefusal('login-failed', undefined, false)).toBe('stop');
    expect(afterRefusal('account-locked', 7, false)).toEqual({ retryMs: 7_000 });
  });
});
