/*
 * Kinds of second factors. Settings and roles write `Totp`, messages `TOTP`.
 */
import type { FactorKind } from '../messages/fields.js';

/** A second factor that is enrolled and stored; recovery codes only stand in for one. */
export type EnrolledKind = Exclude<FactorKind, 'RecoveryCode'>;

/** A map: names of settings are not looked up among the properties of an object. */
const KINDS: ReadonlyMap<string, EnrolledKind> = new Map([
  ['WebAuthn', 'WebAuthn'],
  ['Totp', 'TOTP'],
]);

/** Why settings for second factors are refused; undefined if they are right. */
export function refusedFactorKinds(allowed: readonly string[]): string | undefined {
  const stranger = allowed.find((kind) => !KINDS.has(kind));
  if (stranger === undefined) return undefined;
  if (stranger.toUpperCase() === 'SMS')
    return 'authentication.secondFactors.allowed: SMS never counts as a second factor, because whoever takes over the number receives the code: write WebAuthn or Totp';
  return 'authentication.secondFactors.allowed: a kind that does not exist: write WebAuthn or Totp';
}

/** The kinds that settings allow. What is none of them counts for nothing. */
export const allowedKinds = (allowed: readonly string[]): readonly EnrolledKind[] =>
  allowed.flatMap((kind) => KINDS.get(kind) ?? []);
