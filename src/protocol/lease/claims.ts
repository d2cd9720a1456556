/*
 * Closed sets of claims: each has a name, a type and bounds; a missing, an unknown or a wrong one refuses the whole.
 */
import { ascii } from '../bytes.js';
import { isAcceptablePublicKey } from '../ed25519-points.js';
import { fromBase64urlText } from './base64url.js';
import { JSON_REFUSALS, parseFlatObject, type ClaimValue } from './strict-json.js';

/** Why a payload is not a set of claims. Closed: each is a metric label. */
export const CLAIMS_REFUSALS = [
  ...JSON_REFUSALS,
  'unknown-claim',
  'missing-claim',
  'bad-claim',
  'bad-order',
] as const;

/** One of CLAIMS_REFUSALS. */
export type ClaimsRefusal = (typeof CLAIMS_REFUSALS)[number];

/** Whether a claim may have `value`. */
export type ClaimRule = (value: ClaimValue) => boolean;

/** One rule for each claim of `Claims`. */
export type ClaimRules<Claims> = Readonly<Record<keyof Claims & string, ClaimRule>>;

/** 9999-12-31T23:59:59Z: no clock is there. */
const MAX_UNIX_SECONDS = 253_402_300_799;

/** Whole numbers from `least` to `most`. */
export const wholeNumber =
  (least: number, most: number): ClaimRule =>
  (value) =>
    typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= most;

/** Whole seconds since 1970; text is refused, in whatever notation of time. */
export const unixSeconds: ClaimRule = wholeNumber(1, MAX_UNIX_SECONDS);

/** One of a few values. */
export const oneOf =
  (...values: readonly ClaimValue[]): ClaimRule =>
  (value) =>
    values.includes(value);

/** Text that `pattern` matches, of at most `maxLength` characters. */
export const textLike =
  (pattern: RegExp, maxLength: number): ClaimRule =>
  (value) =>
    typeof value === 'string' && value.length <= maxLength && pattern.test(value);

/** base64url of exactly `bytes` bytes. */
export const base64urlOf =
  (bytes: number): ClaimRule =>
  (value) =>
    typeof value === 'string' && fromBase64urlText(value)?.length === bytes;

/** base64url of an Ed25519 public key that is good to use. */
export const publicKey: ClaimRule = (value) => {
  const key = typeof value === 'string' ? fromBase64urlText(value) : undefined;
  return key !== undefined && isAcceptablePublicKey(key);
};

/** Reads claims from JSON; who calls has bounded its length. Never throws. */
export function readClaims<Claims extends object>(
  payload: Uint8Array,
  rules: ClaimRules<Claims>,
): Claims | ClaimsRefusal {
  const members = parseFlatObject(payload);
  if (typeof members === 'string') return members;
  const names = Object.keys(rules) as (keyof Claims & string)[]; // The rules are a literal: its own keys are all it has.
  if (names.some((name) => !members.has(name))) return 'missing-claim';
  if (members.size !== names.length) return 'unknown-claim';
  for (const name of names) {
    const value = members.get(name);
    if (value === undefined || !rules[name](value)) return 'bad-claim';
  }
  return Object.fromEntries(members) as Claims; // Each claim has just passed the rule of its type, and there is no other.
}

/**
 * The JSON of `claims`, in the order of `rules`.
 * @throws RangeError naming the first claim that its rule refuses: the issuer's mistake.
 */
export function writeClaims<Claims extends object>(
  claims: Claims,
  rules: ClaimRules<Claims>,
): Uint8Array {
  const values = new Map<string, ClaimValue>(Object.entries(claims));
  const names = Object.keys(rules) as (keyof Claims & string)[]; // As above.
  const members = names.map((name) => {
    const value = values.get(name);
    if (value === undefined || !rules[name](value))
      throw new RangeError(`claim ${name} is not allowed`);
    return `${JSON.stringify(name)}:${JSON.stringify(value)}`;
  });
  if (values.size !== names.length) throw new RangeError('there is a claim without a rule');
  return ascii(`{${members.join(',')}}`);
}
