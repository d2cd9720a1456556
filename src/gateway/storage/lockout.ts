/*
 * When failures of the second factor lock an account: a window of fixed length begins with its first attempt, and the
 * attempt that reaches the limit locks for all that come after it.
 */
import type { LockoutPolicy } from '../store.js';

/** What is stored of the attempts of one account. */
export interface Attempts {
  readonly failures: number;
  readonly windowBeganAt: number;
  readonly lockedUntil?: number;
}

/**
 * The attempts after one more at `now`. The attempt that reaches the limit may still be looked at, and a proof that
 * holds clears everything; while the account is locked, attempts are counted and prolong nothing, so that nobody keeps
 * an account locked by trying.
 */
export function countedAttempt(
  before: Attempts | undefined,
  now: number,
  { maxAttempts, windowSeconds, durationSeconds }: LockoutPolicy,
): Attempts {
  const current =
    before === undefined || isOver(before, now, windowSeconds)
      ? { failures: 0, windowBeganAt: now }
      : before;
  const failures = current.failures + 1;
  const counted = { ...current, failures };
  const locks = current.lockedUntil === undefined && failures >= maxAttempts;
  return locks ? { ...counted, lockedUntil: now + durationSeconds * 1000 } : counted;
}

/** Whether the proof of this very attempt may be looked at: it is the one that locked, or nothing is locked. */
export function mayBeLookedAt(before: Attempts | undefined, after: Attempts, now: number): boolean {
  if (after.lockedUntil === undefined) return true;
  const wasLocked = before?.lockedUntil !== undefined && before.lockedUntil > now;
  return !wasLocked;
}

function isOver({ lockedUntil, windowBeganAt }: Attempts, now: number, windowSeconds: number) {
  if (lockedUntil !== undefined) return lockedUntil <= now;
  return windowBeganAt + windowSeconds * 1000 <= now;
}
