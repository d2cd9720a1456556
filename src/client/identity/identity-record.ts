/*
 * What an identity file holds under its seal. Integers are big-endian.
 *
 *    0     1   version         always 1
 *    1    32   identity seed   Ed25519; enrols and revokes devices and does nothing else
 *   33    32   device seed     Ed25519; random, of this device
 *   65    32   device key      X25519 private key; random, of this device
 *   97   201   binding         of this device (protocol/identity/device-binding.ts)
 *  298     8   serial          the highest that the identity key has signed here
 *  306     1   e               bytes of entropy: 16, 20, 24, 28 or 32; 0 when the phrase was written down and checked
 *  307    32   entropy         of the phrase, then zeros
 *  339     2   r               number of revocations, at most 1,024
 *  341  128r   revocations     of devices of this account, oldest first
 */
import { u16, u64, readU16, readU64, allZero } from '../../protocol/bytes.js';
import { DEVICE_BINDING_BYTES } from '../../protocol/identity/device-binding.js';
import { MAX_REVOCATIONS_PER_ACCOUNT } from '../../protocol/identity/revocation-set.js';
import { REVOCATION_BYTES } from '../../protocol/identity/revocation.js';

const VERSION = 1;
const BINDING_AT = 97;
const SERIAL_AT = BINDING_AT + DEVICE_BINDING_BYTES;
const ENTROPY_LENGTH_AT = 306;
const ENTROPY_AT = 307;
const MAX_ENTROPY_BYTES = 32;
const COUNT_AT = ENTROPY_AT + MAX_ENTROPY_BYTES;
const REVOCATIONS_AT = COUNT_AT + 2;

/** 0: none is kept. The others are the lengths of BIP39, 12 to 24 words. */
export const ENTROPY_BYTES: readonly number[] = [0, 16, 20, 24, 28, 32];

/** The parts of an identity file. */
export interface IdentityRecord {
  readonly identitySeed: Uint8Array;
  readonly deviceSeed: Uint8Array;
  readonly deviceKey: Uint8Array;
  readonly binding: Uint8Array;
  readonly serial: bigint;
  /** Empty once the phrase was written down and checked. */
  readonly entropy: Uint8Array;
  readonly revocations: readonly Uint8Array[];
}

/** Why an opened file is no identity. A closed list. */
export type IdentityRecordRefusal = 'identity-length' | 'identity-version' | 'identity-entropy';

/** The bytes, full of secrets: the caller erases them. Longer than 64 bytes, so that they are outside of V8's heap. */
export function encodeIdentityRecord(record: IdentityRecord): Uint8Array {
  const { revocations, entropy } = record;
  const bytes = new Uint8Array(REVOCATIONS_AT + revocations.length * REVOCATION_BYTES);
  bytes[0] = VERSION;
  bytes.set(record.identitySeed, 1);
  bytes.set(record.deviceSeed, 33);
  bytes.set(record.deviceKey, 65);
  bytes.set(record.binding, BINDING_AT);
  bytes.set(u64(record.serial), SERIAL_AT);
  bytes[ENTROPY_LENGTH_AT] = entropy.length;
  bytes.set(entropy, ENTROPY_AT);
  bytes.set(u16(revocations.length), COUNT_AT);
  for (const [i, revocation] of revocations.entries())
    bytes.set(revocation, REVOCATIONS_AT + i * REVOCATION_BYTES);
  return bytes;
}

/** The parts as views of `bytes`, or why they are none. Signatures are not judged. Never throws. */
export function decodeIdentityRecord(bytes: Uint8Array): IdentityRecord | IdentityRecordRefusal {
  if (bytes.length < REVOCATIONS_AT) return 'identity-length';
  if (bytes[0] !== VERSION) return 'identity-version';
  const entropyBytes = bytes[ENTROPY_LENGTH_AT] ?? 0;
  const entropyEnd = ENTROPY_AT + entropyBytes;
  if (!ENTROPY_BYTES.includes(entropyBytes) || !allZero(bytes, entropyEnd, COUNT_AT))
    return 'identity-entropy';
  const count = readU16(bytes, COUNT_AT);
  // One more than the set takes closes the account; it is kept so that the account stays closed.
  if (count > MAX_REVOCATIONS_PER_ACCOUNT + 1) return 'identity-length';
  if (bytes.length !== REVOCATIONS_AT + count * REVOCATION_BYTES) return 'identity-length';
  return {
    identitySeed: bytes.subarray(1, 33),
    deviceSeed: bytes.subarray(33, 65),
    deviceKey: bytes.subarray(65, BINDING_AT),
    binding: bytes.subarray(BINDING_AT, SERIAL_AT),
    serial: readU64(bytes, SERIAL_AT),
    entropy: bytes.subarray(ENTROPY_AT, entropyEnd),
    revocations: Array.from({ length: count }, (_, i) =>
      bytes.subarray(
        REVOCATIONS_AT + i * REVOCATION_BYTES,
        REVOCATIONS_AT + (i + 1) * REVOCATION_BYTES,
      ),
    ),
  };
}
