import { toBase64url } from '../protocol/lease/base64url.js';

/**
 * Replicas' clocks differ by less. A connection that is older than this gives way to any that opens elsewhere; of two
 * younger ones that with the higher id stays, at both replicas.
 */
const CLOCKS_MS = 5_000;
/** Digits of a time in hexadecimal, until the year 10889. */
const TIME_DIGITS = 12;

/** The name of a connection that opens at `unixMs`: of two the later one is higher, and chance decides of equal times. */
export const connectionId = (unixMs: number, random: Uint8Array): string =>
  `${unixMs.toString(16).padStart(TIME_DIGITS, '0')}-${toBase64url(random)}`;

/**
 * Whether a connection here gives way to `newer`, the id of a connection that the same device has opened at another
 * replica. Server and signaling ask the same question, so that what one closes the other no longer counts.
 */
export const givesWayTo = (
  own: { readonly id: string; readonly openedAtMs: number },
  newer: string,
  nowMonotonicMs: number,
): boolean => own.id !== newer && (nowMonotonicMs - own.openedAtMs > CLOCKS_MS || own.id < newer);
