/*
 * Node's OpenSSL. Its results come in buffers of their own, which are zeroed after they were copied. The state of a
 * cipher and of an HMAC it overwrites when they are done. An imported private key it keeps until the collector takes the
 * key object, and of parsing it may leave a copy behind in memory that it has freed: no call of ours reaches that.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  sign,
  verify,
  type KeyObject,
} from 'node:crypto';
import {
  AEAD_TAG_BYTES,
  ED25519_KEY_BYTES,
  X25519_BYTES,
  type Aead,
  type AeadName,
  type CryptoBackend,
  type HashName,
} from '../protocol/crypto-backend.js';
import { isAcceptablePublicKey, isCanonicalSignature } from '../protocol/ed25519-points.js';
import { requireAeadLengths, requireHashLength, requireLength } from './lengths.js';

/* eslint max-params: ["error", 5] -- seal and open take what RFC 5116 lists, packet by packet, without an object each. */

const HASHES = {
  BLAKE2s: 'blake2s256',
  BLAKE2b: 'blake2b512',
  SHA256: 'sha256',
  SHA512: 'sha512',
} as const satisfies Readonly<Record<HashName, string>>;

/** The DER before the 32 bytes of a key (RFC 8410, sections 4 and 7; X25519 is 1.3.101.110, Ed25519 1.3.101.112). */
const PRIVATE_PREFIX = {
  x25519: Uint8Array.of(48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 110, 4, 34, 4, 32),
  ed25519: Uint8Array.of(48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32),
} as const;
const PUBLIC_PREFIX = {
  x25519: Uint8Array.of(48, 42, 48, 5, 6, 3, 43, 101, 110, 3, 33, 0),
  ed25519: Uint8Array.of(48, 42, 48, 5, 6, 3, 43, 101, 112, 3, 33, 0),
} as const;

type Curve = keyof typeof PRIVATE_PREFIX;

/** The u coordinate of the base point (RFC 7748, section 4.1). */
const BASE_POINT = Uint8Array.of(9, ...new Uint8Array(X25519_BYTES - 1));

/** Where a private key's DER is put together: outside V8's heap, and zeroed after each use. */
const privateDer = new Uint8Array(new ArrayBuffer(4_096), 0, 48);

/** Back end of node:crypto. */
export const nodeBackend: CryptoBackend = {
  name: 'node',

  aead: (name: AeadName): Aead => (name === 'ChaChaPoly' ? chaChaPoly : aesGcm),

  hash(name, parts, out) {
    requireHashLength(name, out);
    const hash = createHash(HASHES[name]);
    for (const part of parts) hash.update(part);
    moveInto(out, hash.digest());
  },

  hmac(name, key, parts, out) {
    requireHashLength(name, out);
    const hmac = createHmac(HASHES[name], key);
    for (const part of parts) hmac.update(part);
    moveInto(out, hmac.digest());
  },

  x25519PublicKey(privateKey, out) {
    requireLength('an X25519 public key', out, X25519_BYTES);
    x25519(privateKey, BASE_POINT, out);
  },

  x25519,

  ed25519PublicKey(seed) {
    const spki = createPublicKey(importPrivate('ed25519', seed)).export({
      format: 'der',
      type: 'spki',
    });
    return Uint8Array.from(spki.subarray(-ED25519_KEY_BYTES));
  },

  ed25519Sign: (seed, message) =>
    Uint8Array.from(sign(null, message, importPrivate('ed25519', seed))),

  ed25519Verify(publicKey, message, signature) {
    if (!isAcceptablePublicKey(publicKey) || !isCanonicalSignature(signature)) return false;
    try {
      return verify(null, message, importPublic('ed25519', publicKey), signature);
    } catch {
      return false; // A key that is no point of the curve.
    }
  },
};

const chaChaPoly: Aead = {
  seal(key, nonce, associated, plaintext, out) {
    requireAeadLengths(key, nonce, plaintext, out);
    const cipher = createCipheriv('chacha20-poly1305', key, nonce, {
      authTagLength: AEAD_TAG_BYTES,
    });
    cipher.setAAD(associated, { plaintextLength: plaintext.length });
    out.set(cipher.update(plaintext));
    cipher.final();
    out.set(cipher.getAuthTag(), plaintext.length);
  },
  open(key, nonce, associated, sealed, out) {
    requireAeadLengths(key, nonce, out, sealed);
    const decipher = createDecipheriv('chacha20-poly1305', key, nonce, {
      authTagLength: AEAD_TAG_BYTES,
    });
    decipher.setAAD(associated, { plaintextLength: out.length });
    decipher.setAuthTag(sealed.subarray(out.length));
    return finish(decipher, decipher.update(sealed.subarray(0, out.length)), out);
  },
};

const aesGcm: Aead = {
  seal(key, nonce, associated, plaintext, out) {
    requireAeadLengths(key, nonce, plaintext, out);
    const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: AEAD_TAG_BYTES });
    cipher.setAAD(associated);
    out.set(cipher.update(plaintext));
    cipher.final();
    out.set(cipher.getAuthTag(), plaintext.length);
  },
  open(key, nonce, associated, sealed, out) {
    requireAeadLengths(key, nonce, out, sealed);
    const decipher = createDecipheriv('aes-256-gcm', key, nonce, {
      authTagLength: AEAD_TAG_BYTES,
    });
    decipher.setAAD(associated);
    decipher.setAuthTag(sealed.subarray(out.length));
    return finish(decipher, decipher.update(sealed.subarray(0, out.length)), out);
  },
};

/** Gives the plaintext out only after the tag was right. */
function finish(decipher: { final(): Uint8Array }, plaintext: Uint8Array, out: Uint8Array) {
  try {
    decipher.final();
    out.set(plaintext);
    return true;
  } catch {
    return false; // Lengths were checked before, so this is the tag.
  } finally {
    plaintext.fill(0);
  }
}

function x25519(privateKey: Uint8Array, publicKey: Uint8Array, out: Uint8Array): boolean {
  requireLength('an X25519 secret', out, X25519_BYTES);
  const key = importPrivate('x25519', privateKey);
  const peer = importPublic('x25519', publicKey);
  try {
    moveInto(out, diffieHellman({ privateKey: key, publicKey: peer }));
    return true;
  } catch {
    out.fill(0);
    return false; // OpenSSL derives nothing where the result is zero; both keys were imported before.
  }
}

/** DER and not JWK: a JWK carries the private key in a string, which nobody can erase. The time is the same, nearly all of it the curve's. */
function importPrivate(curve: Curve, key: Uint8Array): KeyObject {
  requireLength(`a private key of ${curve}`, key, 32);
  try {
    privateDer.set(PRIVATE_PREFIX[curve]);
    privateDer.set(key, PRIVATE_PREFIX[curve].length);
    // OpenSSL reads the view's own bytes; Buffer.from over an ArrayBuffer copies nothing.
    const der = Buffer.from(privateDer.buffer, privateDer.byteOffset, privateDer.length);
    return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  } finally {
    privateDer.fill(0);
  }
}

function importPublic(curve: Curve, key: Uint8Array): KeyObject {
  requireLength(`a public key of ${curve}`, key, 32);
  const der = Buffer.concat([PUBLIC_PREFIX[curve], key]);
  return createPublicKey({ key: der, format: 'der', type: 'spki' });
}

function moveInto(out: Uint8Array, secret: Uint8Array): void {
  out.set(secret);
  secret.fill(0);
}
