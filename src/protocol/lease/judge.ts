/*
 * Whether a lease that verified holds now, here and for this frame. Pure: the clock comes in as an argument, so the
 * same question can be asked again at each renewal and each packet of a timer.
 */
import type { RefusedReason } from '../relay/reasons.js';
import type { Role } from '../relay/version-1.js';
import type { LeaseClaims, LeaseKey } from './lease.js';

/** How far clocks of gateways and relays may be apart (architecture, 9). */
export const CLOCK_SKEW_SECONDS = 30;

/** What the judge knows besides the claims. */
export interface LeaseCircumstances {
  /** Unix milliseconds of the judge's clock. */
  readonly nowMs: number;
  /** Forgiven for `iat` and `nbf` only: `exp` ends a lease to the millisecond. */
  readonly skewSeconds: number;
  readonly relayId: string;
  readonly profile: string;
  /** The session of the frame, as the claim writes it (base64url). */
  readonly sid: string;
  /** The role of the frame. */
  readonly role: Role;
  /** The key that the lease verified under. */
  readonly key: Pick<LeaseKey, 'notBeforeMs' | 'notAfterMs'>;
}

/** Why a genuine lease does not hold; names and codes are those of REFUSED. */
export type LeaseVerdict = Extract<
  RefusedReason,
  | 'expired'
  | 'wrong-relay'
  | 'key-not-valid'
  | 'not-yet-valid'
  | 'wrong-session'
  | 'wrong-role'
  | 'wrong-profile'
>;

type Judge = (claims: LeaseClaims, at: LeaseCircumstances) => LeaseVerdict | false;

/** In this order; the first that speaks wins. */
const JUDGES: readonly Judge[] = [
  ({ rid }, { relayId }) => rid !== relayId && 'wrong-relay',
  ({ sid }, at) => sid !== at.sid && 'wrong-session',
  ({ role }, at) => role !== at.role && 'wrong-role',
  ({ profile }, at) => profile !== at.profile && 'wrong-profile',
  ({ exp }, { nowMs }) => !(nowMs < exp * 1000) && 'expired',
  ({ iat, nbf }, { nowMs, skewSeconds }) =>
    Math.max(iat, nbf) * 1000 > nowMs + skewSeconds * 1000 && 'not-yet-valid',
  ({ iat }, { nowMs, key }) =>
    (iat * 1000 < key.notBeforeMs || !(nowMs < key.notAfterMs)) && 'key-not-valid',
];

/** Why the lease does not hold; undefined if it does. A lease whose `exp` is exactly now has expired. */
export function judgeLease(claims: LeaseClaims, at: LeaseCircumstances): LeaseVerdict | undefined {
  for (const judge of JUDGES) {
    const verdict = judge(claims, at);
    if (verdict !== false) return verdict;
  }
  return undefined;
}
