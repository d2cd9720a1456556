/*
 * When sessions end, to the second, and how their rows are made.
 */
import type { SessionRow } from '../store.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** How long sessions of an account live, in seconds. */
export interface SessionLimits {
  readonly idleSeconds: number;
  readonly absoluteSeconds: number;
}

/** The stricter of what the gateway and the account's roles say. */
export function sessionLimits(
  gateway: { readonly idleTimeoutSeconds: number; readonly absoluteTimeoutSeconds: number },
  roles: Partial<SessionLimits> | undefined,
): SessionLimits {
  const { idleSeconds = Infinity, absoluteSeconds = Infinity } = roles ?? {};
  return {
    idleSeconds: Math.min(gateway.idleTimeoutSeconds, idleSeconds),
    absoluteSeconds: Math.min(gateway.absoluteTimeoutSeconds, absoluteSeconds),
  };
}

/**
 * When the session ends at the latest: what was said when it began, or sooner when policy has become stricter. Its
 * beginning is known to the hour only, so the new limit counts from the end of that hour: late by less than one hour,
 * and never early.
 */
export const endOf = (session: SessionRow, { absoluteSeconds }: SessionLimits): number =>
  Math.min(session.endsAt, session.beganAt + HOUR_MS + absoluteSeconds * 1_000);

/** Whether the session still holds at `now`. At the instant of its end it does not. */
export const isLive = (session: SessionRow, limits: SessionLimits, now: number): boolean =>
  now < endOf(session, limits) && now < session.lastUsedAt + limits.idleSeconds * 1_000;

/** The beginning of the hour, which is all that is kept of a time. */
export const toHour = (now: number): number => now - (now % HOUR_MS);

/** The beginning of the day (UTC). */
export const toDay = (now: number): number => now - (now % DAY_MS);
