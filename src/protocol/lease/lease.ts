/*
 * Leases (wire formats, B): the right to one side of one session at one relay until `exp`, for who holds the key `cpk`.
 * PASETO v4.public, footer {"kid"}, implicit assertion `sallyport/lease/1`, and exactly these claims:
 *   v        1
 *   jti      base64url of 16 random bytes
 *   sid      base64url of the 16 bytes of the session id
 *   rid      NAMESPACE/POOL/ORDINAL of the relay
 *   role     "client" or "server"
 *   cpk      base64url of an Ed25519 public key made for this lease alone
 *   profile  name of the cryptographic profile
 *   iat, nbf, exp    seconds since 1970; iat < exp, nbf < exp, at most an hour from iat to exp
 *   slimit, hlimit   kbps, soft at most hard
 */
import {
  base64urlOf,
  oneOf,
  publicKey,
  textLike,
  unixSeconds,
  wholeNumber,
  type ClaimRules,
} from './claims.js';
import type { Role } from '../relay/version-1.js';
import type { RefusedReason } from '../relay/reasons.js';
import type { Sign, Verify } from './paseto.js';
import {
  issueToken,
  openToken,
  type KeyOf,
  type SigningKey,
  type TokenKind,
  type TokenRefusal,
  type VerificationKey,
  type VerifiedToken,
} from './signed-claims.js';

/** The longest lifetime that a gateway can be set to (architecture, 9). */
export const MAX_LEASE_SECONDS = 3600;
/** What fits a PROVE of 1,232 bytes. */
export const MAX_LEASE_TOKEN_BYTES = 1089;
/** A namespace of 63, a pool name of 253, an ordinal of 5, two slashes. */
export const MAX_RELAY_ID_LENGTH = 323;

const MAX_KBPS = 0xffff_ffff;
const RELAY_ID =
  /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\/[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\/(0|[1-9][0-9]{0,4})$/;

/** The claims of a lease. Times are whole seconds since 1970. */
export interface LeaseClaims {
  readonly v: 1;
  readonly jti: string;
  readonly sid: string;
  readonly rid: string;
  readonly role: Role;
  readonly cpk: string;
  readonly profile: string;
  readonly iat: number;
  readonly nbf: number;
  readonly exp: number;
  /** Kbps up to which the session is never slowed down. */
  readonly slimit: number;
  /** Kbps above which its packets are dropped. */
  readonly hlimit: number;
}

const LEASE: TokenKind<LeaseClaims> = {
  assertion: 'sallyport/lease/1',
  maxTokenBytes: MAX_LEASE_TOKEN_BYTES,
  rules: {
    v: oneOf(1),
    jti: base64urlOf(16),
    sid: base64urlOf(16),
    rid: textLike(RELAY_ID, MAX_RELAY_ID_LENGTH),
    role: oneOf('client', 'server'),
    cpk: publicKey,
    profile: textLike(/^[A-Z][A-Za-z0-9]*$/, 32),
    iat: unixSeconds,
    nbf: unixSeconds,
    exp: unixSeconds,
    slimit: wholeNumber(1, MAX_KBPS),
    hlimit: wholeNumber(1, MAX_KBPS),
  } satisfies ClaimRules<LeaseClaims>,
};

/** A gateway's lease key, as its reader knows it. Times are unix milliseconds. */
export interface LeaseKey extends VerificationKey {
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** Why a text is not a lease: one of TOKEN_REFUSALS, each a metric label. */
export type LeaseRefusal = TokenRefusal;

/** Whether times and limits of claims stand in order; each alone is within its bounds. */
const inOrder = ({ iat, nbf, exp, slimit, hlimit }: LeaseClaims): boolean =>
  iat < exp && nbf < exp && exp - iat <= MAX_LEASE_SECONDS && slimit <= hlimit;

/** The text of a lease. @throws RangeError if a claim is out of its bounds: the gateway's mistake. */
export function issueLease(claims: LeaseClaims, key: SigningKey, sign: Sign): string {
  if (!inOrder(claims)) throw new RangeError('times or limits of the lease are not in order');
  return issueToken(LEASE, claims, key, sign);
}

/**
 * Reads the ASCII text of a lease and verifies it under the key that its footer names. Never throws. The answer may be
 * kept by the hash of the text; whether the lease holds now is `judgeLease`, asked at each use.
 */
export function openLease<Key extends VerificationKey>(
  text: Uint8Array,
  keyOf: KeyOf<Key>,
  verify: Verify,
): VerifiedToken<LeaseClaims, Key> | LeaseRefusal {
  const opened = openToken(LEASE, text, keyOf, verify);
  if (typeof opened === 'string') return opened;
  return inOrder(opened.claims) ? opened : 'bad-order';
}

/** What a relay that answers says to who presents such a text. */
export function refusedReasonFor(refusal: LeaseRefusal): RefusedReason {
  if (refusal === 'unknown-key') return 'unknown-key';
  return refusal === 'bad-signature' || refusal === 'weak-key'
    ? 'invalid-signature'
    : 'malformed-lease';
}
