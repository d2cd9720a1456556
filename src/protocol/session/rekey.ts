/*
 * When keys change (wire formats, B). Each direction counts its own epochs; a rekey is Noise REKEY (rev 34, 4.2 and
 * 11.3) and needs no message: the epoch byte of the next datagram says it.
 */

/** A key is used for at most so many datagrams. */
export const REKEY_AFTER_DATAGRAMS = 2 ** 32;

/** A key is used for at most so long after its first datagram: what an endpoint's memory gives away is so old at most. */
export const REKEY_AFTER_MS = 120_000;

/** How long the key before the present one still opens what was delayed. */
export const PREVIOUS_KEY_MS = 30_000;

/** Failed tags under one key at which the session ends (RFC 9001, section 6.6). */
export const INTEGRITY_LIMIT = 2 ** 36;

/** After this time the owner begins a new XX handshake. */
export const SESSION_LIFETIME_MS = 24 * 60 * 60 * 1_000;
