/*
 * JavaScript only: the browser's back end, and the oracle that the others are compared with. Its numbers are bigints
 * and its arrays are V8's, so nothing inside a call can be erased; what a call gives is zeroed after it was copied.
 */
import { gcm } from '@noble/ciphers/aes.js';
import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { ed25519, x25519 } from '@noble/curves/ed25519.js';
import { blake2b, blake2s } from '@noble/hashes/blake2.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256, sha512 } from '@noble/hashes/sha2.js';
import { concat, equalBytes } from '../protocol/bytes.js';
import {
  ED25519_KEY_BYTES,
  X25519_BYTES,
  type Aead,
  type CryptoBackend,
  type HashName,
} from '../protocol/crypto-backend.js';
import { isAcceptablePublicKey, isCanonicalSignature } from '../protocol/ed25519-points.js';
import { requireAeadLengths, requireHashLength, requireLength } from './lengths.js';

/* eslint max-params: ["error", 5] -- seal and open take what RFC 5116 lists, packet by packet, without an object each. */

const HASHES = { BLAKE2s: blake2s, BLAKE2b: blake2b, SHA256: sha256, SHA512: sha512 } as const;
const CIPHERS = { ChaChaPoly: chacha20poly1305, AESGCM: gcm } as const;

/** Back end of @noble/ciphers, @noble/curves and @noble/hashes. */
export const nobleBackend: CryptoBackend = {
  name: 'noble',

  aead: (name): Aead => AEADS[name],

  hash(name, parts, out) {
    requireHashLength(name, out);
    moveInto(out, digest(HASHES[name].create(), parts));
  },

  hmac(name: HashName, key, parts, out) {
    requireHashLength(name, out);
    moveInto(out, digest(hmac.create(HASHES[name], key), parts));
  },

  x25519PublicKey(privateKey, out) {
    requireLength('an X25519 private key', privateKey, X25519_BYTES);
    requireLength('an X25519 public key', out, X25519_BYTES);
    out.set(x25519.getPublicKey(privateKey));
  },

  x25519(privateKey, publicKey, out) {
    requireLength('an X25519 private key', privateKey, X25519_BYTES);
    requireLength('an X25519 public key', publicKey, X25519_BYTES);
    requireLength('an X25519 secret', out, X25519_BYTES);
    try {
      moveInto(out, x25519.getSharedSecret(privateKey, publicKey));
      return true;
    } catch {
      out.fill(0);
      return false; // Lengths were checked before, so the result is zero.
    }
  },

  ed25519PublicKey(seed) {
    requireLength('an Ed25519 seed', seed, ED25519_KEY_BYTES);
    return ed25519.getPublicKey(seed);
  },

  ed25519Sign(seed, message) {
    requireLength('an Ed25519 seed', seed, ED25519_KEY_BYTES);
    return ed25519.sign(message, seed);
  },

  /**
   * By the equation without the cofactor, R = [S]B - [k]A (RFC 8032, section 5.1.7), which OpenSSL computes: noble's own
   * `verify` multiplies by the cofactor and so takes signatures that only a dishonest signer makes and OpenSSL refuses.
   */
  ed25519Verify(publicKey, message, signature) {
    if (!isAcceptablePublicKey(publicKey) || !isCanonicalSignature(signature)) return false;
    try {
      const { Point } = ed25519;
      const r = signature.subarray(0, ED25519_KEY_BYTES);
      const s = Point.Fn.fromBytes(signature.subarray(ED25519_KEY_BYTES));
      const k = Point.Fn.create(littleEndian(sha512(concat([r, publicKey, message]))));
      const key = Point.fromBytes(publicKey);
      const expected = Point.BASE.multiplyUnsafe(s).subtract(key.multiplyUnsafe(k));
      return equalBytes(expected.toBytes(), r);
    } catch {
      return false; // A key that is no point of the curve.
    }
  },
};

const AEADS = { ChaChaPoly: aeadOf('ChaChaPoly'), AESGCM: aeadOf('AESGCM') } as const;

function aeadOf(name: keyof typeof CIPHERS): Aead {
  const cipher = CIPHERS[name];
  return {
    seal(key, nonce, associated, plaintext, out) {
      requireAeadLengths(key, nonce, plaintext, out);
      out.set(cipher(key, nonce, associated).encrypt(plaintext));
    },
    open(key, nonce, associated, sealed, out) {
      requireAeadLengths(key, nonce, out, sealed);
      try {
        moveInto(out, cipher(key, nonce, associated).decrypt(sealed));
        return true;
      } catch {
        return false; // Lengths were checked before, so this is the tag.
      }
    },
  };
}

interface Digest {
  update(part: Uint8Array): unknown;
  digest(): Uint8Array;
}

function digest(state: Digest, parts: readonly Uint8Array[]): Uint8Array {
  for (const part of parts) state.update(part);
  return state.digest();
}

function littleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

function moveInto(out: Uint8Array, secret: Uint8Array): void {
  out.set(secret);
  secret.fill(0);
}
