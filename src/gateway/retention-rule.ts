/*
 * What the retention settings allow and demand at one moment. Ages count from the day of registration or enrolment, and
 * from the hour in which a session began.
 *
 * Working state is no record of a class and goes when it is over, whatever is held: leases, revoked leases, invites,
 * lockouts. What signaling leaves behind is not stored at all, and audit records are kept by the log.
 */
import type { GatewaySettings } from './settings.js';

/** The section of the settings. */
export type RetentionSettings = GatewaySettings['retention'];

/** Classes that are rows of this gateway's database. */
export const STORED_CLASSES = ['account', 'device', 'session'] as const;
export type StoredClass = (typeof STORED_CLASSES)[number];

/** Why nothing of a row may be deleted now. */
export type KeptReason = 'LegalHold' | 'Suspended' | 'AtLeast';

/** What keeps every row, whatever its age. A hold without a readable end never ends by itself. */
export function holdAt(
  { deletion, legalHolds }: RetentionSettings,
  now: number,
): Exclude<KeptReason, 'AtLeast'> | undefined {
  if (legalHolds.some(({ until }) => !(Date.parse(until) <= now))) return 'LegalHold';
  return deletion === 'Suspended' ? 'Suspended' : undefined;
}

/** Why a row that was born at `bornAt` must stay; undefined when it may go, as when its owner asks for it. */
export function keptBy(
  settings: RetentionSettings,
  { class: name, bornAt }: { readonly class: StoredClass; readonly bornAt: number },
  now: number,
): KeptReason | undefined {
  const hold = holdAt(settings, now);
  if (hold !== undefined) return hold;
  const atLeastMs = (settings.classes[name]?.atLeastSeconds ?? 0) * 1000;
  return bornAt + atLeastMs > now ? 'AtLeast' : undefined;
}

/**
 * Rows of this class that were born then or earlier must go now; undefined: none. At-least wins over at-most where the
 * two contradict each other: what is gone does not come back.
 */
export function overdueSince(
  settings: RetentionSettings,
  name: StoredClass,
  now: number,
): number | undefined {
  const { atLeastSeconds = 0, atMostSeconds } = settings.classes[name] ?? {};
  if (atMostSeconds === undefined || holdAt(settings, now) !== undefined) return undefined;
  return now - Math.max(atLeastSeconds, atMostSeconds) * 1000;
}

/** What waits for an administrator for so long was not agreed to. */
const WAITING_MS = 30 * 86_400_000;

/**
 * Accounts or devices that wait for approval and were born then or earlier go now: they may ask anew. Undefined: none.
 */
export function waitingSince(
  settings: RetentionSettings,
  name: 'account' | 'device',
  now: number,
): number | undefined {
  if (holdAt(settings, now) !== undefined) return undefined;
  return now - Math.max(WAITING_MS, (settings.classes[name]?.atLeastSeconds ?? 0) * 1000);
}

/** Records of sessions that ended go when they began then or earlier: nothing needs them beyond at-least. */
export function endedSessionsSince(settings: RetentionSettings, now: number): number | undefined {
  if (holdAt(settings, now) !== undefined) return undefined;
  return now - (settings.classes.session?.atLeastSeconds ?? 0) * 1000;
}
