import type { FactorKind, FactorProof } from '../../messages/fields.js';

const TOTP = /^\d{6}$/;
const RECOVERY = /^[a-z2-7-]{10,40}$/;

/** What to ask for; undefined if nothing of `kinds` can be typed: a security key needs a program with a window. */
export function questionFor(
  kinds: readonly FactorKind[],
  attemptsLeft?: number,
): string | undefined {
  const names = [
    ...(kinds.includes('TOTP') ? ['six digits of your generator'] : []),
    ...(kinds.includes('RecoveryCode') ? ['a recovery code'] : []),
  ];
  if (names.length === 0) return undefined;
  const left = attemptsLeft === undefined ? '' : ` (${attemptsLeft} tries left)`;
  return `Second factor, ${names.join(' or ')}${left}; empty gives up: `;
}

/** What was typed as a proof of one of `kinds`; undefined if it is none. */
export function proofOf(typed: string, kinds: readonly FactorKind[]): FactorProof | undefined {
  const digits = typed.replace(/\s/g, '');
  if (TOTP.test(digits)) return kinds.includes('TOTP') ? { kind: 'TOTP', code: digits } : undefined;
  const code = typed.trim().toLowerCase();
  return RECOVERY.test(code) && kinds.includes('RecoveryCode')
    ? { kind: 'RecoveryCode', code }
    : undefined;
}
