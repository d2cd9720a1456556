/*
 * What the protocol asks of cryptography, and nothing more. Back ends live in src/crypto (sodium, node, noble); a
 * browser uses noble. Every function works on raw bytes; keys are views of a key store (key-store.ts), so no function
 * here may keep or copy a secret beyond its call.
 */

/** Noise rev 34, section 12.3 and 12.4. */
export type AeadName = 'ChaChaPoly' | 'AESGCM';
/** Noise rev 34, sections 12.5 to 12.8. */
export type HashName = 'BLAKE2s' | 'BLAKE2b' | 'SHA256' | 'SHA512';

export const AEAD_KEY_BYTES = 32;
export const AEAD_NONCE_BYTES = 12;
export const AEAD_TAG_BYTES = 16;
export const X25519_BYTES = 32;
export { ED25519_KEY_BYTES, ED25519_SIGNATURE_BYTES } from './ed25519-lengths.js';

/** The length of each hash. */
export const HASH_BYTES = {
  BLAKE2s: 32,
  BLAKE2b: 64,
  SHA256: 32,
  SHA512: 64,
} as const satisfies Readonly<Record<HashName, number>>;

/** An AEAD with a 32-byte key, a 12-byte nonce and a 16-byte tag behind the ciphertext (RFC 8439; RFC 5116). */
export interface Aead {
  /** Writes ciphertext and tag to `out`, `plaintext.length + 16` bytes. `out` may be the plaintext's own buffer from its first byte. */
  seal(
    key: Uint8Array,
    nonce: Uint8Array,
    associated: Uint8Array,
    plaintext: Uint8Array,
    out: Uint8Array,
  ): void;
  /** Writes the plaintext to `out`, `sealed.length - 16` bytes. False if the tag is wrong: then `out` holds nothing secret. */
  open(
    key: Uint8Array,
    nonce: Uint8Array,
    associated: Uint8Array,
    sealed: Uint8Array,
    out: Uint8Array,
  ): boolean;
}

/** Where the primitives come from. Wrong lengths are the caller's mistake and throw a RangeError. */
export interface CryptoBackend {
  readonly name: 'sodium' | 'node' | 'noble';
  aead(name: AeadName): Aead;
  /** Writes the hash of the joined `parts` to `out`: 32 bytes (BLAKE2s, SHA256) or 64 (BLAKE2b, SHA512). */
  hash(name: HashName, parts: readonly Uint8Array[], out: Uint8Array): void;
  /** HMAC (RFC 2104) of the joined `parts`, as long as the hash. */
  hmac(name: HashName, key: Uint8Array, parts: readonly Uint8Array[], out: Uint8Array): void;
  /** The public key of `privateKey` (RFC 7748, section 6.1), 32 bytes written to `out`. */
  x25519PublicKey(privateKey: Uint8Array, out: Uint8Array): void;
  /** The shared secret, 32 bytes written to `out`. False if it is all zero (RFC 7748, section 6.1): then nobody may use it. */
  x25519(privateKey: Uint8Array, publicKey: Uint8Array, out: Uint8Array): boolean;
  /** The public key of the 32-byte `seed` (RFC 8032, section 5.1.5). */
  ed25519PublicKey(seed: Uint8Array): Uint8Array;
  /** The 64-byte signature of `message` (RFC 8032, section 5.1.6). */
  ed25519Sign(seed: Uint8Array, message: Uint8Array): Uint8Array;
  /**
   * Whether `signature` of `message` verifies. False as well for public keys of small order and for encodings that are
   * not canonical, in every back end: they would make one signature fit many messages. Never throws on bytes of any length.
   */
  ed25519Verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;
}
