/*
 * Grants (wire formats, B): what a role allows one device in files and calls, told by its gateway to its peers. They
 * name no account, no peer and no file. PASETO v4.public, footer {"kid"}, implicit assertion `sallyport/grant/1`, and
 * exactly these claims:
 *   v                     1
 *   device                base64url of the 16 bytes of the device id
 *   exp                   seconds since 1970; at most 10 minutes from now
 *   sendFiles, receiveFiles, scanFiles, startCalls, joinCalls    true or false
 *   maxFileBytes          0 to 2^40
 *   fileTypes             endings with blanks between (".jpg .pdf"), at most 64, or "*" for every type
 *   maxParticipants       2 to 500
 *   recording             "Forbidden" or "EncryptedLocalOnly"
 *   externalParticipants  "Forbidden", "AdminApproval" or "Allowed"
 */
import { base64urlOf, oneOf, textLike, unixSeconds, wholeNumber } from './claims.js';
import type { LeaseKey } from './lease.js';
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

/** A grant is renewed while its device is connected. */
export const MAX_GRANT_SECONDS = 600;
/** Claims with 64 file types of 16 characters, signature and footer. */
export const MAX_GRANT_TOKEN_BYTES = 2048;

/** The claims of a grant. */
export interface GrantClaims {
  readonly v: 1;
  readonly device: string;
  /** Seconds since 1970. */
  readonly exp: number;
  readonly sendFiles: boolean;
  readonly receiveFiles: boolean;
  /** The largest file; 2^40 (the largest that a role can name) stands for no limit of the role. */
  readonly maxFileBytes: number;
  readonly fileTypes: string;
  /** Whether the receiver scans before a file is released. */
  readonly scanFiles: boolean;
  readonly startCalls: boolean;
  readonly joinCalls: boolean;
  readonly maxParticipants: number;
  readonly recording: 'Forbidden' | 'EncryptedLocalOnly';
  readonly externalParticipants: 'Forbidden' | 'AdminApproval' | 'Allowed';
}

const MAX_FILE_BYTES = 2 ** 40;
const FILE_TYPES = /^([*]|[.][a-z0-9]{1,15}( [.][a-z0-9]{1,15}){0,63})$/;
const MAX_FILE_TYPES_LENGTH = 64 * 17;
const yesOrNo = oneOf(true, false);

const GRANT: TokenKind<GrantClaims> = {
  assertion: 'sallyport/grant/1',
  maxTokenBytes: MAX_GRANT_TOKEN_BYTES,
  rules: {
    v: oneOf(1),
    device: base64urlOf(16),
    exp: unixSeconds,
    sendFiles: yesOrNo,
    receiveFiles: yesOrNo,
    maxFileBytes: wholeNumber(0, MAX_FILE_BYTES),
    fileTypes: textLike(FILE_TYPES, MAX_FILE_TYPES_LENGTH),
    scanFiles: yesOrNo,
    startCalls: yesOrNo,
    joinCalls: yesOrNo,
    maxParticipants: wholeNumber(2, 500),
    recording: oneOf('Forbidden', 'EncryptedLocalOnly'),
    externalParticipants: oneOf('Forbidden', 'AdminApproval', 'Allowed'),
  },
};

/** Why a genuine grant does not hold. Closed: each is a metric label. */
export type GrantVerdict = 'expired' | 'too-long-lived' | 'wrong-device' | 'key-not-valid';

/** The text of a grant. @throws RangeError if a claim is out of its bounds: the gateway's mistake. */
export const issueGrant = (claims: GrantClaims, key: SigningKey, sign: Sign): string =>
  issueToken(GRANT, claims, key, sign);

/** Reads the ASCII text of a grant and verifies it under the key that its footer names. Never throws. */
export const openGrant = <Key extends VerificationKey>(
  text: Uint8Array,
  keyOf: KeyOf<Key>,
  verify: Verify,
): VerifiedToken<GrantClaims, Key> | TokenRefusal => openToken(GRANT, text, keyOf, verify);

/** What the judge of a grant knows besides its claims. */
export interface GrantCircumstances {
  /** Unix milliseconds of the judge's clock. */
  readonly nowMs: number;
  readonly skewSeconds: number;
  /** The device that the session is with, as the claim writes it (base64url). */
  readonly device: string;
  /** The key that the grant verified under. */
  readonly key: Pick<LeaseKey, 'notBeforeMs' | 'notAfterMs'>;
}

/** Why the grant does not hold for the session's device now; undefined if it does. */
export function judgeGrant(
  { device, exp }: GrantClaims,
  at: GrantCircumstances,
): GrantVerdict | undefined {
  const skewMs = at.skewSeconds * 1000;
  if (device !== at.device) return 'wrong-device';
  if (!(at.nowMs < exp * 1000)) return 'expired';
  if (exp * 1000 > at.nowMs + MAX_GRANT_SECONDS * 1000 + skewMs) return 'too-long-lived';
  const keyHolds = at.key.notBeforeMs <= at.nowMs + skewMs && at.nowMs < at.key.notAfterMs;
  return keyHolds ? undefined : 'key-not-valid';
}
