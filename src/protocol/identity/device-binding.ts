/*
 * Device binding: the identity key says which keys a device has. 201 bytes; integers are big-endian.
 *
 *    0   1   v            always 1
 *    1  32   identity     Ed25519 key of the account
 *   33  16   deviceId     random, never used again after a revocation
 *   49  32   ed25519      signs logins and prekeys
 *   81  32   x25519       Noise static key
 *  113   8   notBefore    unix ms, at most 2^53 - 1
 *  121   8   notAfter     unix ms, later than notBefore
 *  129   8   serial       grows with every statement of this identity
 *  137  64   signature    by `identity` over "sallyport device binding v1", 0, bytes 0 to 136
 */
import { concat, equalBytes, labelled, u64, u8 } from '../bytes.js';
import type { CryptoBackend } from '../crypto-backend.js';
import { ED25519_KEY_BYTES, ED25519_SIGNATURE_BYTES, X25519_BYTES } from '../crypto-backend.js';
import { accountDigest } from './account.js';
import { isAcceptablePublicKey } from '../ed25519-points.js';
import { fieldOf } from './fields.js';
import type { Validity } from './validity.js';
import { readValidity, validityAt, validityFields } from './validity.js';

const LABEL = 'sallyport device binding v1';
const VERSION = 1;
const SIGNED_BYTES = 137;

export const DEVICE_ID_BYTES = 16;
export const DEVICE_BINDING_BYTES = SIGNED_BYTES + ED25519_SIGNATURE_BYTES;

/** What the identity key states about one device. */
export interface DeviceKeys extends Validity {
  readonly identity: Uint8Array;
  readonly deviceId: Uint8Array;
  readonly ed25519: Uint8Array;
  readonly x25519: Uint8Array;
  readonly serial: bigint;
}

/** A binding as it was read: every array is a view of the bytes that were given. */
export interface DeviceBinding extends DeviceKeys {
  readonly signature: Uint8Array;
}

/** Why bytes are not the layout of a binding. A closed list. */
export type BindingLayoutRefusal = 'binding-length' | 'binding-version' | 'binding-dates';

/** Why a binding is not accepted: one reason for each rule, a metric label, never sent back. */
export type BindingRefusal =
  | BindingLayoutRefusal
  | 'binding-other-identity'
  | 'binding-weak-identity-key'
  | 'binding-weak-device-key'
  | 'binding-signature'
  | 'binding-not-yet-valid'
  | 'binding-expired'
  | 'binding-revoked'
  | 'binding-other-static-key';

/** Who is expected, and what is known at this moment. */
export interface BindingExpectation {
  /** The 20 bytes of the fingerprint that the peer must have (account.ts). */
  readonly fingerprint: Uint8Array;
  readonly nowMs: number;
  /** Whether this device of this identity was revoked (revocation-set.ts). */
  readonly revocations: { isRevoked(identity: Uint8Array, deviceId: Uint8Array): boolean };
}

/**
 * The binding of `keys`, 201 bytes, signed with the 32-byte seed of the identity.
 * @throws RangeError if a field has a wrong length or range, a key is weak, or the seed is not that of `keys.identity`.
 */
export function signDeviceBinding(
  backend: CryptoBackend,
  identitySeed: Uint8Array,
  keys: DeviceKeys,
): Uint8Array {
  if (!equalBytes(backend.ed25519PublicKey(identitySeed), keys.identity))
    throw new RangeError('the seed belongs to another identity');
  if (!isAcceptablePublicKey(keys.ed25519)) throw new RangeError('the device key is weak');
  const [notBefore, notAfter] = validityFields(keys);
  const fields = concat([
    u8(VERSION),
    keys.identity,
    fieldOf('deviceId', keys.deviceId, DEVICE_ID_BYTES),
    keys.ed25519,
    fieldOf('x25519', keys.x25519, X25519_BYTES),
    u64(notBefore),
    u64(notAfter),
    u64(keys.serial),
  ]);
  return concat([fields, backend.ed25519Sign(identitySeed, labelled(LABEL, [fields]))]);
}

/** The fields of a binding as views, or why these bytes are none. Judges nothing: use verifyDeviceBinding. */
export function decodeDeviceBinding(bytes: Uint8Array): DeviceBinding | BindingLayoutRefusal {
  if (bytes.length !== DEVICE_BINDING_BYTES) return 'binding-length';
  if (bytes[0] !== VERSION) return 'binding-version';
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const validity = readValidity(view, 113);
  if (validity === undefined) return 'binding-dates';
  return {
    ...validity,
    identity: bytes.subarray(1, 1 + ED25519_KEY_BYTES),
    deviceId: bytes.subarray(33, 33 + DEVICE_ID_BYTES),
    ed25519: bytes.subarray(49, 49 + ED25519_KEY_BYTES),
    x25519: bytes.subarray(81, 81 + X25519_BYTES),
    serial: view.getBigUint64(129),
    signature: bytes.subarray(SIGNED_BYTES),
  };
}

/**
 * The binding if it is the expected account's, signed, in date, not revoked, and for `staticKey`, the peer's static key
 * in this handshake; else the first rule that it breaks. Without the last rule a stranger could show somebody else's
 * binding. Never throws on bytes of any length.
 */
export function verifyDeviceBinding(
  backend: CryptoBackend,
  bytes: Uint8Array,
  expected: BindingExpectation & { readonly staticKey: Uint8Array },
): DeviceBinding | BindingRefusal {
  const binding = verifyBindingBeforeHandshake(backend, bytes, expected);
  if (typeof binding === 'string') return binding;
  return equalBytes(binding.x25519, expected.staticKey) ? binding : 'binding-other-static-key';
}

/**
 * The same without the rule on the static key, for who has no handshake yet: a gateway at login, or a sender that
 * chooses a prekey. It proves that the account enrolled this device, not that the device is speaking.
 */
export function verifyBindingBeforeHandshake(
  backend: CryptoBackend,
  bytes: Uint8Array,
  expected: BindingExpectation,
): DeviceBinding | BindingRefusal {
  const binding = decodeDeviceBinding(bytes);
  if (typeof binding === 'string') return binding;
  const signed = bytes.subarray(0, SIGNED_BYTES);
  return (
    refusedKeys(backend, binding, expected.fingerprint) ??
    (backend.ed25519Verify(binding.identity, labelled(LABEL, [signed]), binding.signature)
      ? undefined
      : 'binding-signature') ??
    refusedState(binding, expected) ??
    binding
  );
}

function refusedKeys(
  backend: CryptoBackend,
  { identity, ed25519 }: DeviceBinding,
  fingerprint: Uint8Array,
): BindingRefusal | undefined {
  if (!equalBytes(accountDigest(backend, identity), fingerprint)) return 'binding-other-identity';
  if (!isAcceptablePublicKey(identity)) return 'binding-weak-identity-key';
  return isAcceptablePublicKey(ed25519) ? undefined : 'binding-weak-device-key';
}

function refusedState(
  binding: DeviceBinding,
  { nowMs, revocations }: BindingExpectation,
): BindingRefusal | undefined {
  const validity = validityAt(binding, nowMs);
  if (validity !== 'valid') return `binding-${validity}`;
  return revocations.isRevoked(binding.identity, binding.deviceId) ? 'binding-revoked' : undefined;
}
