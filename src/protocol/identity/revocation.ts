/*
 * Revocation: the identity key says that a device is lost, for ever. 128 bytes; integers are big-endian.
 *
 *    0  32   identity     Ed25519 key of the account
 *   32  16   deviceId     the device that is revoked, whatever the serial of its bindings
 *   48   8   serial       grows with every statement of this identity
 *   56   8   time         unix ms, at most 2^53 - 1: when it was signed
 *   64  64   signature    by `identity` over "sallyport device revocation v1", 0, bytes 0 to 63
 */
import { concat, equalBytes, labelled, u64 } from '../bytes.js';
import type { CryptoBackend } from '../crypto-backend.js';
import { ED25519_KEY_BYTES, ED25519_SIGNATURE_BYTES } from '../crypto-backend.js';
import { DEVICE_ID_BYTES } from './device-binding.js';
import { isAcceptablePublicKey } from '../ed25519-points.js';
import { fieldOf } from './fields.js';
import { readTimeMs, timeField } from './validity.js';

const LABEL = 'sallyport device revocation v1';
const SIGNED_BYTES = 64;

export const REVOCATION_BYTES = SIGNED_BYTES + ED25519_SIGNATURE_BYTES;

/** Which device an account no longer has. Its time is for people: a revocation has no beginning and no end. */
export interface Revocation {
  readonly identity: Uint8Array;
  readonly deviceId: Uint8Array;
  readonly serial: bigint;
  readonly timeMs: number;
}

/** A revocation as it was read: every array is a view of `bytes`, the 128 bytes that were given. */
export interface SignedRevocation extends Revocation {
  readonly signature: Uint8Array;
  readonly bytes: Uint8Array;
}

/** Why bytes are not the layout of a revocation. A closed list. */
export type RevocationLayoutRefusal = 'revocation-length' | 'revocation-time';

/** Why a revocation is not believed: one reason for each rule. */
export type RevocationRefusal =
  RevocationLayoutRefusal | 'revocation-weak-identity-key' | 'revocation-signature';

/**
 * The revocation, 128 bytes, signed with the 32-byte seed of the identity.
 * @throws RangeError if a field has a wrong length or range, or the seed is not that of `identity`.
 */
export function signRevocation(
  backend: CryptoBackend,
  identitySeed: Uint8Array,
  { identity, deviceId, serial, timeMs }: Revocation,
): Uint8Array {
  if (!equalBytes(backend.ed25519PublicKey(identitySeed), identity))
    throw new RangeError('the seed belongs to another identity');
  const fields = concat([
    identity,
    fieldOf('deviceId', deviceId, DEVICE_ID_BYTES),
    u64(serial),
    u64(timeField(timeMs)),
  ]);
  return concat([fields, backend.ed25519Sign(identitySeed, labelled(LABEL, [fields]))]);
}

/** The fields of a revocation as views, or why these bytes are none. Judges nothing: use verifyRevocation. */
export function decodeRevocation(bytes: Uint8Array): SignedRevocation | RevocationLayoutRefusal {
  if (bytes.length !== REVOCATION_BYTES) return 'revocation-length';
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const timeMs = readTimeMs(view, 56);
  if (timeMs === undefined) return 'revocation-time';
  return {
    identity: bytes.subarray(0, ED25519_KEY_BYTES),
    deviceId: bytes.subarray(32, 32 + DEVICE_ID_BYTES),
    serial: view.getBigUint64(48),
    timeMs,
    signature: bytes.subarray(SIGNED_BYTES),
    bytes,
  };
}

/** The revocation if its identity signed it, else the first rule that it breaks. Its time is not judged. Never throws. */
export function verifyRevocation(
  backend: CryptoBackend,
  bytes: Uint8Array,
): SignedRevocation | RevocationRefusal {
  const revocation = decodeRevocation(bytes);
  if (typeof revocation === 'string') return revocation;
  if (!isAcceptablePublicKey(revocation.identity)) return 'revocation-weak-identity-key';
  const message = labelled(LABEL, [bytes.subarray(0, SIGNED_BYTES)]);
  return backend.ed25519Verify(revocation.identity, message, revocation.signature)
    ? revocation
    : 'revocation-signature';
}
