/*
 * Lengths of Ed25519 by themselves: who checks a signature needs them and nothing else of cryptography.
 */

/** A public key or a seed (RFC 8032, section 5.1.5). */
export const ED25519_KEY_BYTES = 32;
/** A signature (RFC 8032, section 5.1.6). */
export const ED25519_SIGNATURE_BYTES = 64;
