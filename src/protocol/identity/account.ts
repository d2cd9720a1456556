/*
 * Who somebody is: the account id is the 32-byte Ed25519 identity key itself; people and settings name it by a
 * fingerprint.
 *
 *   fingerprint = "sp1" and lower-case base32 (RFC 4648, section 6, no padding) of the first 20 bytes of
 *                 SHA-256("sallyport account v1", 0, key): 35 characters
 */
import { labelled } from '../bytes.js';
import type { CryptoBackend } from '../crypto-backend.js';
import { ED25519_KEY_BYTES } from '../crypto-backend.js';
import { fromBase32, toBase32 } from './base32.js';

const PREFIX = 'sp1';

/** 160 bits: finding another key for somebody's fingerprint takes 2^160 trials. */
export const FINGERPRINT_BYTES = 20;
const FINGERPRINT_CHARACTERS = PREFIX.length + 32;

/** Why a text is not a fingerprint. A closed list. */
export type FingerprintRefusal =
  'fingerprint-length' | 'fingerprint-prefix' | 'fingerprint-alphabet';

/** The 20 bytes that stand for the identity key, in an array of the caller. @throws RangeError if the key is not 32 bytes. */
export function accountDigest(backend: CryptoBackend, identity: Uint8Array): Uint8Array {
  if (identity.length !== ED25519_KEY_BYTES)
    throw new RangeError(`an identity key of ${identity.length} bytes`);
  const hash = new Uint8Array(32);
  backend.hash('SHA256', [labelled('sallyport account v1', [identity])], hash);
  return hash.slice(0, FINGERPRINT_BYTES);
}

/** The fingerprint as people write it, e.g. `sp1aaaq...`, 35 characters. @throws RangeError if the key is not 32 bytes. */
export const fingerprintOf = (backend: CryptoBackend, identity: Uint8Array): string =>
  formatFingerprint(accountDigest(backend, identity));

/** The text of a digest of 20 bytes. @throws RangeError for any other length. */
export function formatFingerprint(digest: Uint8Array): string {
  if (digest.length !== FINGERPRINT_BYTES)
    throw new RangeError(`a digest of ${digest.length} bytes`);
  return PREFIX + toBase32(digest);
}

/**
 * The 20 bytes of a fingerprint, or why it is none. Strict, so that one account has one text: no capitals, no spaces,
 * no padding.
 */
export function parseFingerprint(text: string): Uint8Array | FingerprintRefusal {
  if (text.length !== FINGERPRINT_CHARACTERS) return 'fingerprint-length';
  if (!text.startsWith(PREFIX)) return 'fingerprint-prefix';
  return fromBase32(text.slice(PREFIX.length)) ?? 'fingerprint-alphabet';
}
