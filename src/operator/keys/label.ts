/*
 * What is signed or hashed (wire-formats.md B): an ASCII label, a zero byte, then the fields; those of fixed length
 * as they are, others after their length (u16, big-endian). So nothing that is signed for one purpose is ever valid
 * for another.
 */
import { createHash } from 'node:crypto';

import type { SigningPurpose } from './orders.js';

/** The longest field that its u16 length can count. */
export const MAX_FIELD_BYTES = 0xffff;

/** Bytes of a hash that become a key id; 22 characters of base64url. */
const KEY_ID_BYTES = 16;

const KEY_LABELS: Readonly<Record<SigningPurpose, string>> = {
  Lease: 'sallyport lease key v1',
  PolicyBundle: 'sallyport policy key v1',
};

/** Label, zero byte, fields of fixed length. */
export function labelled(label: string, ...fields: readonly Uint8Array[]): Buffer {
  return Buffer.concat([Buffer.from(label, 'ascii'), Buffer.of(0), ...fields]);
}

/**
 * A field of any length, after its length.
 * @throws RangeError above 65,535 bytes.
 */
export function sized(field: Uint8Array): Buffer {
  if (field.length > MAX_FIELD_BYTES) {
    throw new RangeError(
      `${field.length} bytes exceed the ${MAX_FIELD_BYTES} that a signed field can have.`,
    );
  }
  const length = Buffer.alloc(2);
  length.writeUInt16BE(field.length);
  return Buffer.concat([length, field]);
}

/** Id of an Ed25519 key: base64url of the first 16 bytes of SHA-256(label, 32 bytes of the public key). */
export function signingKeyId(purpose: SigningPurpose, publicKey: Uint8Array): string {
  if (publicKey.length !== 32) throw new RangeError('An Ed25519 public key has 32 bytes.');
  return keyId(labelled(KEY_LABELS[purpose], publicKey));
}

/** Id of a certificate's key, from its SubjectPublicKeyInfo. */
export function certificateKeyId(spki: Uint8Array): string {
  return keyId(labelled('sallyport certificate key v1', sized(spki)));
}

/** `sha256/<base64>` of a SubjectPublicKeyInfo (RFC 7469, section 2.4). */
export function pinOf(spki: Uint8Array): string {
  return `sha256/${createHash('sha256').update(spki).digest('base64')}`;
}

function keyId(message: Uint8Array): string {
  return createHash('sha256')
    .update(message)
    .digest()
    .subarray(0, KEY_ID_BYTES)
    .toString('base64url');
}
