/*
 * What leases and grants have in common: claims in a PASETO v4.public whose footer names the key.
 */
import { ascii } from '../bytes.js';
import { CLAIMS_REFUSALS, readClaims, writeClaims, type ClaimRules } from './claims.js';
import { readFooter, writeFooter } from './footer.js';
import {
  parsePaseto,
  PASETO_REFUSALS,
  signPaseto,
  verifyPaseto,
  type Sign,
  type Verify,
} from './paseto.js';

/** What kind of token: its purpose, its claims and their bounds. */
export interface TokenKind<Claims extends object> {
  /** The implicit assertion: a token of one kind is never one of another. */
  readonly assertion: string;
  readonly rules: ClaimRules<Claims>;
  readonly maxTokenBytes: number;
}

/** Why a token is not one of its kind. Closed: each is a metric label. */
export const TOKEN_REFUSALS = [
  ...PASETO_REFUSALS,
  'bad-footer',
  'unknown-key',
  ...CLAIMS_REFUSALS,
] as const;

/** One of TOKEN_REFUSALS. */
export type TokenRefusal = (typeof TOKEN_REFUSALS)[number];

/** A key that may have signed: its public half and what the reader knows of it. */
export interface VerificationKey {
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
}

/** The key of an id, if the reader has one. */
export type KeyOf<Key extends VerificationKey> = (kid: string) => Key | undefined;

/** Claims that verified, with the key that signed them. */
export interface VerifiedToken<Claims extends object, Key extends VerificationKey> {
  readonly claims: Claims;
  readonly kid: string;
  readonly key: Key;
}

/** The private half of a key and its id. */
export interface SigningKey {
  readonly kid: string;
  /** 32 bytes; used during the call only. */
  readonly seed: Uint8Array;
}

/** The text of a token. @throws RangeError if a claim is out of its bounds or the text would be too long. */
export function issueToken<Claims extends object>(
  kind: TokenKind<Claims>,
  claims: Claims,
  key: SigningKey,
  sign: Sign,
): string {
  const token = signPaseto(
    {
      payload: writeClaims(claims, kind.rules),
      footer: writeFooter(key.kid),
      assertion: ascii(kind.assertion),
    },
    key.seed,
    sign,
  );
  if (token.length > kind.maxTokenBytes)
    throw new RangeError(`a token of ${token.length} bytes exceeds ${kind.maxTokenBytes}`);
  return token;
}

/** Reads the ASCII text of a token and verifies it. Never throws. Says nothing about time: that is judged at each use. */
export function openToken<Claims extends object, Key extends VerificationKey>(
  kind: TokenKind<Claims>,
  text: Uint8Array,
  keyOf: KeyOf<Key>,
  verify: Verify,
): VerifiedToken<Claims, Key> | TokenRefusal {
  const parts = parsePaseto(text, kind.maxTokenBytes);
  if (typeof parts === 'string') return parts;
  const kid = readFooter(parts.footer);
  if (kid === undefined) return 'bad-footer';
  const key = keyOf(kid);
  if (key === undefined) return 'unknown-key';
  const refusal = verifyPaseto(parts, ascii(kind.assertion), key.publicKey, verify);
  if (refusal !== undefined) return refusal;
  const claims = readClaims<Claims>(parts.payload, kind.rules);
  return typeof claims === 'string' ? claims : { claims, kid, key };
}
