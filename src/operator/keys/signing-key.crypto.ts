import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

import type { CertificateKey } from './certificates.x509.js';

/** An Ed25519 key pair. */
export interface SigningKey {
  readonly privateKey: KeyObject;
  /** 32 bytes. */
  readonly publicKey: Buffer;
}

/** An Ed25519 SubjectPublicKeyInfo (RFC 8410, section 4) ends in the 32 bytes of the key. */
const ED25519_PUBLIC_BYTES = 32;

/** A new Ed25519 key pair. */
export function generateSigningKey(): SigningKey {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return { privateKey, publicKey: rawPublic(publicKey) };
}

/**
 * The key in a PEM file of a Secret.
 * @throws TypeError when it is not an Ed25519 private key; the error tells nothing of the file.
 */
export function readSigningKey(base64: string): SigningKey {
  const privateKey = readPrivateKey(base64);
  if (privateKey.asymmetricKeyType !== 'ed25519') throw new TypeError('Not an Ed25519 key.');
  return { privateKey, publicKey: rawPublic(createPublicKey(privateKey)) };
}

/**
 * The P-256 key in a PEM file of a Secret.
 * @throws TypeError when it is no such key; the error tells nothing of the file.
 */
export function readCertificateKey(base64: string): CertificateKey {
  const privateKey = readPrivateKey(base64);
  if (privateKey.asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
    throw new TypeError('Not a P-256 key.');
  }
  return { privateKey, spki: createPublicKey(privateKey).export({ type: 'spki', format: 'der' }) };
}

/** @throws TypeError when `base64` holds no PEM private key. The parser's own error could quote the file. */
export function readPrivateKey(base64: string): KeyObject {
  const pem = Buffer.from(base64, 'base64');
  try {
    return createPrivateKey(pem);
  } catch {
    throw new TypeError('A file of the Secret is not a PEM private key.');
  } finally {
    pem.fill(0);
  }
}

/**
 * A private key as PKCS 8 PEM in base64, the form of a Secret's JSON. This text is the only form of a key that cannot
 * be overwritten afterwards; it lives until the request is sent.
 */
export function privateKeyData(key: KeyObject): string {
  const der = key.export({ type: 'pkcs8', format: 'der' });
  const pem = pemBytes('PRIVATE KEY', der);
  const data = pem.toString('base64');
  der.fill(0);
  pem.fill(0);
  return data;
}

/** PEM (RFC 7468): lines of 64 characters between a begin and an end line. */
export function pemBytes(label: string, der: Buffer): Buffer {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return Buffer.from(
    [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n'),
  );
}

function rawPublic(publicKey: KeyObject): Buffer {
  return publicKey.export({ type: 'spki', format: 'der' }).subarray(-ED25519_PUBLIC_BYTES);
}
