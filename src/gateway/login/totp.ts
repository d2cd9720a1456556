/*
 * One-time codes that a telephone shows (RFC 6238): SHA-1, 30 seconds, 6 digits, which is what every app reads. The
 * code of the step before and after is taken as well, for clocks that are off; each step only once, which the store
 * sees to by its counter.
 */
import { generateURI, verifySync } from 'otplib';
import { toBase32 } from '../../protocol/identity/base32.js';

/** RFC 4226, section 4, R6: 160 bits. */
export const TOTP_SECRET_BYTES = 20;
const STEP_SECONDS = 30;

/** The step to which `code` belongs, or undefined if it is of none near `nowMs`. Judges no reuse. */
export function totpStepOf(secret: Uint8Array, code: string, nowMs: number): bigint | undefined {
  if (!/^[0-9]{6}$/.test(code)) return undefined;
  const epoch = Math.floor(nowMs / 1_000);
  const { valid, ...match } = verifySync({
    secret,
    token: code,
    epoch,
    period: STEP_SECONDS,
    epochTolerance: STEP_SECONDS,
  });
  const delta = 'delta' in match ? match.delta : undefined;
  if (!valid || delta === undefined) return undefined;
  return BigInt(Math.floor(epoch / STEP_SECONDS) + delta);
}

/** What a telephone scans. It holds the secret: for the answer to its owner, and nowhere else. */
export const totpUri = (secret: Uint8Array, gateway: string, account: string): string =>
  generateURI({
    issuer: `sallyport ${gateway}`,
    label: account,
    secret: toBase32(secret).toUpperCase(),
  });
