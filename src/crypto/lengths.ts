import {
  AEAD_KEY_BYTES,
  AEAD_NONCE_BYTES,
  AEAD_TAG_BYTES,
  HASH_BYTES,
  type HashName,
} from '../protocol/crypto-backend.js';

/** Throws the RangeError that the interface promises unless `bytes` has `length`. `what` names it in the message. */
export function requireLength(what: string, bytes: Uint8Array, length: number): void {
  if (bytes.length !== length)
    throw new RangeError(`${what} has ${length} bytes, not ${bytes.length}`);
}

/** Throws a RangeError unless `out` is as long as the hash called `name`. */
export function requireHashLength(name: HashName, out: Uint8Array): void {
  requireLength(`the output of ${name}`, out, HASH_BYTES[name]);
}

/** Throws a RangeError unless key, nonce, `short` (the plaintext) and `long` (ciphertext and tag) fit each other. */
export function requireAeadLengths(
  key: Uint8Array,
  nonce: Uint8Array,
  short: Uint8Array,
  long: Uint8Array,
): void {
  if (key.length !== AEAD_KEY_BYTES) requireLength('an AEAD key', key, AEAD_KEY_BYTES);
  if (nonce.length !== AEAD_NONCE_BYTES) requireLength('an AEAD nonce', nonce, AEAD_NONCE_BYTES);
  if (long.length !== short.length + AEAD_TAG_BYTES)
    requireLength('ciphertext with tag', long, short.length + AEAD_TAG_BYTES);
}
