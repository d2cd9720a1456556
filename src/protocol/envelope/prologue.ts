import { ascii, labelled, u32 } from '../bytes.js';
import { ED25519_KEY_BYTES } from '../crypto-backend.js';
import { DEVICE_ID_BYTES } from '../identity/device-binding.js';
import { fieldOf } from '../identity/fields.js';

/** A device of an account, as an envelope names its two ends. */
export interface DeviceName {
  readonly identity: Uint8Array;
  readonly deviceId: Uint8Array;
}

/** Everything that both ends must agree on before an envelope opens. */
export interface EnvelopeParties {
  /** Name of the cryptographic profile, e.g. `Standard`: profiles never mix. */
  readonly profile: string;
  readonly sender: DeviceName;
  readonly recipient: DeviceName;
  readonly prekeyId: number;
}

/**
 * The Noise prologue of an envelope: "sallyport envelope v1", 0, profile (after its length, u16), sender identity 32,
 * sender deviceId 16, recipient identity 32, recipient deviceId 16, prekeyId u32.
 * @throws RangeError if a field has a wrong length or the profile is not ASCII.
 */
export function envelopePrologue({
  profile,
  sender,
  recipient,
  prekeyId,
}: EnvelopeParties): Uint8Array {
  return labelled('sallyport envelope v1', [
    { variable: ascii(profile) },
    fieldOf('sender identity', sender.identity, ED25519_KEY_BYTES),
    fieldOf('sender deviceId', sender.deviceId, DEVICE_ID_BYTES),
    fieldOf('recipient identity', recipient.identity, ED25519_KEY_BYTES),
    fieldOf('recipient deviceId', recipient.deviceId, DEVICE_ID_BYTES),
    u32(prekeyId),
  ]);
}
