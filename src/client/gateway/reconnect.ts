/*
 * When to dial which gateway again, and after what to stop. Sockets are back within 5 s of a restart (architecture, 5):
 * the first tries come fast, with jitter so that ten thousand clients do not come at once.
 */
import type { CloseName, LoginRefusal } from '../../messages/signaling.js';

const FIRST_DELAY_MS = 100;
/** With at most 2 s between tries a gateway that is back is found within 5 s. */
const MAX_FAST_DELAY_MS = 2_000;
/** After so many rounds nothing restarts any more, something is down. */
const FAST_TRIES = 12;
const SLOW_DELAY_MS = 30_000;
/** An administrator looks at new accounts and devices at a person's pace. */
const APPROVAL_DELAY_MS = 30_000;
const UNKNOWN_DELAY_MS = 10_000;

/** The delay before try number `failures` (1 is the first after a failure); `random` is in [0, 1). */
export function reconnectDelayMs(failures: number, random: number): number {
  const most =
    failures > FAST_TRIES
      ? SLOW_DELAY_MS
      : Math.min(MAX_FAST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(failures - 1, 16));
  return Math.round(most * (0.5 + random / 2));
}

/** What to do after a refused login: try again after a while, or tell the person and stop. */
export type AfterRefusal = { readonly retryMs: number } | 'stop' | 'without-session';

/** `hadSession`: the login named a session, which may be over. */
export function afterRefusal(
  reason: LoginRefusal,
  retryAfterSeconds: number | undefined,
  hadSession: boolean,
): AfterRefusal {
  if (reason === 'login-failed' && hadSession) return 'without-session';
  if (retryAfterSeconds !== undefined) return { retryMs: retryAfterSeconds * 1_000 };
  switch (reason) {
    case 'account-awaits-approval':
    case 'device-awaits-approval':
      return { retryMs: APPROVAL_DELAY_MS };
    case 'too-many-connections':
    case 'too-many-logins':
    case 'too-slow':
    case 'unavailable':
      return { retryMs: UNKNOWN_DELAY_MS };
    default:
      return 'stop';
  }
}

/** What a close says about the next try. A device that is connected elsewhere must not take the connection back. */
export function afterClose(name: CloseName | undefined): 'again' | 'without-session' | 'stop' {
  if (name === 'superseded') return 'stop';
  return name === 'session-ended' ? 'without-session' : 'again';
}

/** The index of the next gateway: the one behind the last that failed, around the list. */
export const nextGateway = (failed: number, count: number): number => (failed + 1) % count;
