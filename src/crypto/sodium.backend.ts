/*
 * libsodium through sodium-native, an optional dependency: loadable or absent. It writes into our own memory and keeps
 * nothing of a key there. What it lacks (BLAKE2s, HMAC with every hash, AES-GCM on every machine) comes from node:crypto.
 */
import { createRequire } from 'node:module';
import {
  AEAD_KEY_BYTES,
  AEAD_NONCE_BYTES,
  AEAD_TAG_BYTES,
  ED25519_KEY_BYTES,
  ED25519_SIGNATURE_BYTES,
  X25519_BYTES,
  type Aead,
  type CryptoBackend,
} from '../protocol/crypto-backend.js';
import { requireAeadLengths, requireLength } from './lengths.js';
import { nodeBackend } from './node.backend.js';

/* eslint max-params: ["error", 6] -- libsodium's own signatures, and what RFC 5116 lists. */

/** The functions of sodium-native that are used here; its package brings no types. Each throws where libsodium gives an error. */
interface Sodium {
  crypto_aead_chacha20poly1305_ietf_encrypt(
    c: Uint8Array,
    m: Uint8Array,
    ad: Uint8Array,
    nsec: null,
    npub: Uint8Array,
    k: Uint8Array,
  ): number;
  crypto_aead_chacha20poly1305_ietf_decrypt(
    m: Uint8Array,
    nsec: null,
    c: Uint8Array,
    ad: Uint8Array,
    npub: Uint8Array,
    k: Uint8Array,
  ): number;
  crypto_scalarmult(q: Uint8Array, n: Uint8Array, p: Uint8Array): void;
  crypto_scalarmult_base(q: Uint8Array, n: Uint8Array): void;
  crypto_sign_seed_keypair(pk: Uint8Array, sk: Uint8Array, seed: Uint8Array): void;
  crypto_sign_detached(sig: Uint8Array, m: Uint8Array, sk: Uint8Array): void;
}

/** Where libsodium's 64-byte secret key is made for one signature: outside V8's heap, and zeroed after each use. */
const secretKey = new Uint8Array(new ArrayBuffer(4_096), 0, 64);

/** The back end of sodium-native. @throws what its loading throws if it is not installed or has no build for this machine. */
export function loadSodiumBackend(): CryptoBackend {
  // The cast is the interface above: the package brings no types, and the known answers are checked before it is used.
  const sodium = createRequire(import.meta.url)('sodium-native') as Sodium;
  const chaChaPoly = chaChaPolyOf(sodium);
  return {
    ...curvesOf(sodium),
    name: 'sodium',
    aead: (name): Aead => (name === 'ChaChaPoly' ? chaChaPoly : nodeBackend.aead(name)),
    hash: nodeBackend.hash.bind(nodeBackend),
    hmac: nodeBackend.hmac.bind(nodeBackend),
    // libsodium multiplies by the cofactor: a dishonest signer can make signatures that it takes and OpenSSL refuses.
    // One equation must decide for everybody, and a signature that is checked twice is not faster.
    ed25519Verify: nodeBackend.ed25519Verify.bind(nodeBackend),
  };
}

const NOTHING = new Uint8Array(0);
const NULL_KEY = new Uint8Array(AEAD_KEY_BYTES);
const NULL_NONCE = new Uint8Array(AEAD_NONCE_BYTES);

function chaChaPolyOf(sodium: Sodium): Aead {
  const tag = new Uint8Array(AEAD_TAG_BYTES);
  /**
   * libsodium returns from decryption with the key in vector registers, as ChaCha20's state has it. V8 writes these
   * registers to memory whenever it leaves optimised code, frees that memory and overwrites it never. Sealing nothing
   * under a key of zeros puts other values into the same registers. Encryption ends with Poly1305, which does it.
   */
  const overwriteRegisters = (): void => {
    sodium.crypto_aead_chacha20poly1305_ietf_encrypt(
      tag,
      NOTHING,
      NOTHING,
      null,
      NULL_NONCE,
      NULL_KEY,
    );
  };
  return {
    seal(key, nonce, associated, plaintext, out) {
      requireAeadLengths(key, nonce, plaintext, out);
      sodium.crypto_aead_chacha20poly1305_ietf_encrypt(
        out,
        plaintext,
        associated,
        null,
        nonce,
        key,
      );
    },
    open(key, nonce, associated, sealed, out) {
      requireAeadLengths(key, nonce, out, sealed);
      try {
        sodium.crypto_aead_chacha20poly1305_ietf_decrypt(out, null, sealed, associated, nonce, key);
        return true;
      } catch {
        return false; // Lengths were checked before, so this is the tag.
      } finally {
        overwriteRegisters();
      }
    },
  };
}

type Curves = Pick<
  CryptoBackend,
  'x25519PublicKey' | 'x25519' | 'ed25519PublicKey' | 'ed25519Sign'
>;

function curvesOf(sodium: Sodium): Curves {
  return {
    x25519PublicKey(privateKey, out) {
      requireLength('an X25519 private key', privateKey, X25519_BYTES);
      requireLength('an X25519 public key', out, X25519_BYTES);
      sodium.crypto_scalarmult_base(out, privateKey);
    },
    x25519(privateKey, publicKey, out) {
      requireLength('an X25519 private key', privateKey, X25519_BYTES);
      requireLength('an X25519 public key', publicKey, X25519_BYTES);
      requireLength('an X25519 secret', out, X25519_BYTES);
      try {
        sodium.crypto_scalarmult(out, privateKey, publicKey);
        return true;
      } catch {
        out.fill(0);
        return false; // Lengths were checked before, so the result is zero.
      }
    },
    ed25519PublicKey: (seed) => withKeyPair(sodium, seed, (publicKey) => publicKey),
    ed25519Sign: (seed, message) =>
      withKeyPair(sodium, seed, () => {
        const signature = new Uint8Array(ED25519_SIGNATURE_BYTES);
        sodium.crypto_sign_detached(signature, message, secretKey);
        return signature;
      }),
  };
}

/** Runs `use` while `secretKey` holds the key pair of `seed`. */
function withKeyPair(
  sodium: Sodium,
  seed: Uint8Array,
  use: (publicKey: Uint8Array) => Uint8Array,
): Uint8Array {
  requireLength('an Ed25519 seed', seed, ED25519_KEY_BYTES);
  const publicKey = new Uint8Array(ED25519_KEY_BYTES);
  try {
    sodium.crypto_sign_seed_keypair(publicKey, secretKey, seed);
    return use(publicKey);
  } finally {
    secretKey.fill(0);
  }
}
