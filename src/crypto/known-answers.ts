/*
 * One published answer per primitive that the product's suite needs, asked of a back end before it is chosen: an OpenSSL
 * in FIPS mode has no ChaCha20, and an addon for another machine may load and be wrong. Whole vector sets are in tests.
 */
import { ascii, equalBytes, toHex } from '../protocol/bytes.js';
import { AEAD_TAG_BYTES, type CryptoBackend } from '../protocol/crypto-backend.js';

const NOTHING = new Uint8Array(0);

/** The plaintext of RFC 8439, section 2.8.2. */
const SUNSCREEN = ascii(
  "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.",
);

type Primitive = 'ChaChaPoly' | 'BLAKE2s' | 'SHA256' | 'X25519' | 'Ed25519';

const ANSWERS: readonly (readonly [Primitive, (backend: CryptoBackend) => string, string])[] = [
  // RFC 8439, section 2.8.2: the tag, which depends on all of the ciphertext.
  ['ChaChaPoly', tagOfSunscreen, '1ae10b594f09e26a7e902ecbd0600691'],
  // RFC 7693, appendix B.
  [
    'BLAKE2s',
    hashOf('BLAKE2s'),
    '508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982',
  ],
  // FIPS 180-4, example of "abc".
  ['SHA256', hashOf('SHA256'), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
  // RFC 7748, section 5.2, after one iteration.
  ['X25519', sharedSecret, '422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079'],
  // RFC 8032, section 7.1, test 1.
  [
    'Ed25519',
    signature,
    'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  ],
];

/** The first primitive for which `backend` throws or gives something other than the published answer; undefined if all are right. */
export function firstWrongAnswer(backend: CryptoBackend): Primitive | undefined {
  return ANSWERS.find(([, ask, expected]) => !gives(backend, ask, expected))?.[0];
}

function gives(
  backend: CryptoBackend,
  ask: (backend: CryptoBackend) => string,
  expected: string,
): boolean {
  try {
    return ask(backend) === expected;
  } catch {
    return false; // A primitive that this build does not offer.
  }
}

function tagOfSunscreen(backend: CryptoBackend): string {
  const key = Uint8Array.from({ length: 32 }, (_, i) => 0x80 + i);
  const nonce = Uint8Array.of(7, 0, 0, 0, 0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47);
  const associated = Uint8Array.of(
    0x50,
    0x51,
    0x52,
    0x53,
    0xc0,
    0xc1,
    0xc2,
    0xc3,
    0xc4,
    0xc5,
    0xc6,
    0xc7,
  );
  const sealed = new Uint8Array(SUNSCREEN.length + AEAD_TAG_BYTES);
  const opened = new Uint8Array(SUNSCREEN.length);
  const aead = backend.aead('ChaChaPoly');
  aead.seal(key, nonce, associated, SUNSCREEN, sealed);
  const tag = toHex(sealed.subarray(SUNSCREEN.length));
  const opens = aead.open(key, nonce, associated, sealed, opened);
  sealed[0] = ~(sealed[0] ?? 0);
  const opensForged = aead.open(key, nonce, associated, sealed, new Uint8Array(SUNSCREEN.length));
  return opens && equalBytes(opened, SUNSCREEN) && !opensForged ? tag : '';
}

function hashOf(name: 'BLAKE2s' | 'SHA256'): (backend: CryptoBackend) => string {
  return (backend) => {
    const out = new Uint8Array(32);
    backend.hash(name, [ascii('abc')], out);
    return toHex(out);
  };
}

function sharedSecret(backend: CryptoBackend): string {
  const base = Uint8Array.of(9, ...new Uint8Array(31));
  const out = new Uint8Array(32);
  const publicKey = new Uint8Array(32);
  backend.x25519PublicKey(base, publicKey);
  return backend.x25519(base, base, out) && equalBytes(out, publicKey) ? toHex(out) : '';
}

function signature(backend: CryptoBackend): string {
  const seed = Uint8Array.from(
    '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60'.match(/../g) ?? [],
    (byte) => parseInt(byte, 16),
  );
  const signed = backend.ed25519Sign(seed, NOTHING);
  const verifies = backend.ed25519Verify(backend.ed25519PublicKey(seed), NOTHING, signed);
  return verifies ? toHex(signed) : '';
}
