/*
 * Why a relay refuses a proof: the reasons of REFUSED (type 26) and their codes, in one place. 1 to 6 are those of
 * version 1; the others are ours. Only who has shown a valid cookie is told, so that nothing here helps to scan.
 */

/** Each reason and its u16 on the wire. Closed: each name is a metric label, a code is never given another meaning. */
export const REFUSED_CODES = {
  /** `exp` has passed. */
  expired: 1,
  /** The PASETO was not signed by the key that its footer names, or not for this purpose. */
  'invalid-signature': 2,
  /** `rid` names another relay. */
  'wrong-relay': 3,
  /** Both slots of the session are held by others. */
  'session-full': 4,
  /** The lease was revoked, or its holder said BYE. */
  banned: 5,
  /** More proofs, half-open sessions or slots of one address, or half-open sessions of one gateway, than may be. */
  'rate-limited': 6,
  /** The token is not a PASETO v4.public, or its claims or footer are not exactly ours. */
  'malformed-lease': 7,
  /** No permitted gateway has a lease key with this `kid`. */
  'unknown-key': 8,
  /** The lease key is not valid yet or not any more. */
  'key-not-valid': 9,
  /** `nbf` or `iat` lies more than the allowed skew in the future. */
  'not-yet-valid': 10,
  /** `sid` is not the session of the header. */
  'wrong-session': 11,
  /** `role` is not the role of the frame. */
  'wrong-role': 12,
  /** `profile` names other cryptography than this relay serves. */
  'wrong-profile': 13,
  /** The signature of the frame was not made with `cpk`. */
  'invalid-proof': 14,
  /** A lease with a later `iat` holds or held the slot. */
  superseded: 15,
  /** The first lease of the session came from another gateway. */
  'other-gateway': 16,
  /** The same `cpk` or `jti` holds the other slot. */
  'both-slots': 17,
  /** The relay is about to stop and takes no new sessions. */
  draining: 18,
  /** The relay holds as many sessions as its settings allow. */
  'at-capacity': 19,
} as const;

/** One of REFUSED_CODES. */
export type RefusedReason = keyof typeof REFUSED_CODES;

const BY_CODE: ReadonlyMap<number, RefusedReason> = new Map(
  (Object.keys(REFUSED_CODES) as RefusedReason[]) // Its own keys and no others: the object is a literal.
    .map((reason) => [REFUSED_CODES[reason], reason]),
);

/** The reason of a code on the wire; undefined if there is none. */
export const refusedReasonOf = (code: number): RefusedReason | undefined => BY_CODE.get(code);
