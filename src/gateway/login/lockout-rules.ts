/*
 * Whether a proof of a second factor may be looked at. The store counts an attempt before that, atomically, so that
 * many at once count as many; these rules read what it gave back.
 */
import type { LockoutPolicy, LockoutRow } from '../store.js';

/** What follows of a counted attempt. */
export type AttemptVerdict =
  | {
      readonly look: true;
      /** The proof of this attempt is the last one: when it is wrong, the account is locked. */
      readonly isLast: boolean;
      readonly attemptsLeft: number;
    }
  | { readonly look: false; readonly lockedUntil: number };

/**
 * The Nth attempt locks all that come after it as it is counted, and its own proof is still looked at: N failures lock,
 * not N - 1, and a proof that holds ends the lock.
 */
export function judgeAttempt(
  { failures, lockedUntil }: LockoutRow,
  { maxAttempts }: LockoutPolicy,
  now: number,
): AttemptVerdict {
  if (lockedUntil !== undefined && lockedUntil > now) return { look: false, lockedUntil };
  const left = Math.max(0, maxAttempts - failures);
  return { look: true, isLast: left === 0, attemptsLeft: left };
}

/** How many proofs may still be wrong before the account is locked. */
export const attemptsLeft = ({ failures }: LockoutRow, { maxAttempts }: LockoutPolicy): number =>
  Math.max(0, maxAttempts - failures);

/** When to try again, in whole seconds, at least 1. */
export const secondsUntil = (then: number, now: number): number =>
  Math.min(604_800, Math.max(1, Math.ceil((then - now) / 1_000)));
