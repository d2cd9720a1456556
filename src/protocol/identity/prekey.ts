/*
 * Prekey: a device's X25519 key of the day, to which envelopes are sealed. 164 bytes; integers are big-endian.
 *
 *    0  32   identity     Ed25519 key of the account
 *   32  16   deviceId
 *   48   4   prekeyId     never used twice by one device
 *   52  32   x25519
 *   84   8   notBefore    unix ms
 *   92   8   notAfter     unix ms, at most 48 h later: then the private half is destroyed
 *  100  64   signature    by the device's Ed25519 key over "sallyport prekey v1", 0, bytes 0 to 99
 */
import { concat, equalBytes, labelled, u32, u64 } from '../bytes.js';
import type { CryptoBackend } from '../crypto-backend.js';
import { ED25519_KEY_BYTES, ED25519_SIGNATURE_BYTES, X25519_BYTES } from '../crypto-backend.js';
import { DEVICE_ID_BYTES } from './device-binding.js';
import type { DeviceKeys } from './device-binding.js';
import { fieldOf } from './fields.js';
import type { Validity } from './validity.js';
import { readValidity, validityAt, validityFields } from './validity.js';

const LABEL = 'sallyport prekey v1';
const SIGNED_BYTES = 100;
const MAX_PREKEY_ID = 0xffff_ffff;

export const PREKEY_BYTES = SIGNED_BYTES + ED25519_SIGNATURE_BYTES;

/** The private half is destroyed after 48 h (wire formats, B): no statement may promise more. */
export const MAX_PREKEY_LIFETIME_MS = 48 * 3_600_000;

/** What a device states about one of its prekeys. */
export interface Prekey extends Validity {
  readonly identity: Uint8Array;
  readonly deviceId: Uint8Array;
  readonly prekeyId: number;
  readonly x25519: Uint8Array;
}

/** A prekey as it was read: every array is a view of the bytes that were given. */
export interface SignedPrekey extends Prekey {
  readonly signature: Uint8Array;
}

/** Why bytes are not the layout of a prekey. A closed list. */
export type PrekeyLayoutRefusal = 'prekey-length' | 'prekey-dates';

/** Why a prekey is not used: one reason for each rule. */
export type PrekeyRefusal =
  | PrekeyLayoutRefusal
  | 'prekey-lifetime'
  | 'prekey-other-identity'
  | 'prekey-other-device'
  | 'prekey-signature'
  | 'prekey-not-yet-valid'
  | 'prekey-expired';

/**
 * The prekey, 164 bytes, signed with the 32-byte seed of the device's Ed25519 key.
 * @throws RangeError if a field has a wrong length or range or the prekey would live for more than 48 h.
 */
export function signPrekey(
  backend: CryptoBackend,
  deviceSeed: Uint8Array,
  prekey: Prekey,
): Uint8Array {
  const { prekeyId } = prekey;
  if (!Number.isInteger(prekeyId) || prekeyId < 0 || prekeyId > MAX_PREKEY_ID)
    throw new RangeError(`prekeyId ${prekeyId} is no u32`);
  if (livesTooLong(prekey)) throw new RangeError('a prekey lives for at most 48 h');
  const [notBefore, notAfter] = validityFields(prekey);
  const fields = concat([
    fieldOf('identity', prekey.identity, ED25519_KEY_BYTES),
    fieldOf('deviceId', prekey.deviceId, DEVICE_ID_BYTES),
    u32(prekeyId),
    fieldOf('x25519', prekey.x25519, X25519_BYTES),
    u64(notBefore),
    u64(notAfter),
  ]);
  return concat([fields, backend.ed25519Sign(deviceSeed, labelled(LABEL, [fields]))]);
}

/** The fields of a prekey as views, or why these bytes are none. Judges nothing: use verifyPrekey. */
export function decodePrekey(bytes: Uint8Array): SignedPrekey | PrekeyLayoutRefusal {
  if (bytes.length !== PREKEY_BYTES) return 'prekey-length';
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const validity = readValidity(view, 84);
  if (validity === undefined) return 'prekey-dates';
  return {
    ...validity,
    identity: bytes.subarray(0, ED25519_KEY_BYTES),
    deviceId: bytes.subarray(32, 32 + DEVICE_ID_BYTES),
    prekeyId: view.getUint32(48),
    x25519: bytes.subarray(52, 52 + X25519_BYTES),
    signature: bytes.subarray(SIGNED_BYTES),
  };
}

/**
 * The prekey if it is of the device of `binding`, which was verified before, signed by it and in date; else the first
 * rule that it breaks. Never throws on bytes of any length.
 */
export function verifyPrekey(
  backend: CryptoBackend,
  bytes: Uint8Array,
  binding: Pick<DeviceKeys, 'identity' | 'deviceId' | 'ed25519'>,
  nowMs: number,
): SignedPrekey | PrekeyRefusal {
  const prekey = decodePrekey(bytes);
  if (typeof prekey === 'string') return prekey;
  if (livesTooLong(prekey)) return 'prekey-lifetime';
  if (!equalBytes(prekey.identity, binding.identity)) return 'prekey-other-identity';
  if (!equalBytes(prekey.deviceId, binding.deviceId)) return 'prekey-other-device';
  const message = labelled(LABEL, [bytes.subarray(0, SIGNED_BYTES)]);
  if (!backend.ed25519Verify(binding.ed25519, message, prekey.signature)) return 'prekey-signature';
  const validity = validityAt(prekey, nowMs);
  return validity === 'valid' ? prekey : `prekey-${validity}`;
}

const livesTooLong = ({ notBeforeMs, notAfterMs }: Validity) =>
  notAfterMs - notBeforeMs > MAX_PREKEY_LIFETIME_MS;
