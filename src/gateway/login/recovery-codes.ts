/*
 * Recovery codes: what to fall back to when the second factor is lost. 100 random bits each, so that a plain hash of a
 * code says nothing about it.
 *
 *   code   20 characters of base32 (RFC 4648, section 6, lower case) in four groups: xxxxx-xxxxx-xxxxx-xxxxx
 *   hash   SHA-256("sallyport recovery code v1", 0, identity key of the account, the 20 characters)
 */
import { ascii, labelled } from '../../protocol/bytes.js';
import type { CryptoBackend } from '../../protocol/crypto-backend.js';

/** How many codes an account is given at once. */
export const RECOVERY_CODES = 10;
/** Random bytes that all of them take: one per character. */
export const RECOVERY_RANDOM_BYTES = RECOVERY_CODES * 20;

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';
const CHARACTERS = 20;
const GROUP = /.{5}(?=.)/g;

/** Ten codes from `random`, 200 bytes of it. @throws RangeError for another length. */
export function recoveryCodes(random: Uint8Array): readonly string[] {
  if (random.length !== RECOVERY_RANDOM_BYTES)
    throw new RangeError(`${RECOVERY_RANDOM_BYTES} random bytes are needed`);
  return Array.from({ length: RECOVERY_CODES }, (_, code) => {
    const bytes = random.subarray(code * CHARACTERS, (code + 1) * CHARACTERS);
    return Array.from(bytes, (byte) => ALPHABET.charAt(byte & 31))
      .join('')
      .replace(GROUP, '$&-');
  });
}

/** What is stored of a code. Hyphens do not count, so that a person may type it with or without. */
export function recoveryCodeHash(
  backend: CryptoBackend,
  identity: Uint8Array,
  code: string,
): Uint8Array {
  const hash = new Uint8Array(32);
  const text = ascii(code.replaceAll('-', ''));
  backend.hash(
    'SHA256',
    [labelled('sallyport recovery code v1', [identity, { variable: text }])],
    hash,
  );
  return hash;
}
