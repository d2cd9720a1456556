/*
 * Envelope: what one device leaves for another at a rendezvous token. Noise_X_25519_ChaChaPoly_BLAKE2s to a prekey; 512,
 * 2,048 or 8,192 bytes in all.
 *
 *    0  32   sender identity    in a first contact only
 *   32  16   sender deviceId    in a first contact only
 *    .   n   Noise message      e 32, sealed s 48, sealed payload (sealed-message.ts) with its tag 16
 *
 * The prekeyId is not on the wire: a recipient holds at most three prekeys and tries each. Nothing signs the content.
 * The sender is known by its static key (token ss), so whoever holds the prekey can write the same envelope himself: it
 * convinces its recipient and nobody else.
 */
import { equalBytes } from '../bytes.js';
import { AEAD_TAG_BYTES, ED25519_KEY_BYTES, X25519_BYTES } from '../crypto-backend.js';
import { DEVICE_ID_BYTES, decodeDeviceBinding } from '../identity/device-binding.js';
import type { Prekey } from '../identity/prekey.js';
import type { CryptoContext } from '../key-store.js';
import type { HandshakeOptions, KeyPair } from '../noise/handshake-state.js';
import { HandshakeState } from '../noise/handshake-state.js';
import { SUITE } from '../noise/suites.js';
import { envelopePrologue } from './prologue.js';
import type { SealedMessage } from './sealed-message.js';
import { encodeSealedMessage, sealedMessageBytes } from './sealed-message.js';

/** The lengths that an envelope may have: they hide what is inside. */
export const ENVELOPE_BYTES: readonly number[] = [512, 2_048, 8_192];

/** Sender identity and deviceId before the ciphertext of a first contact. */
export const FIRST_CONTACT_BYTES = ED25519_KEY_BYTES + DEVICE_ID_BYTES;

/** e; s and its tag; the tag of the payload (Noise rev 34, section 7.4, pattern X). */
export const NOISE_X_BYTES = X25519_BYTES + (X25519_BYTES + AEAD_TAG_BYTES) + AEAD_TAG_BYTES;

/** From whom and to whom an envelope goes. */
export interface EnvelopeAddress {
  readonly profile: string;
  /** The sender's device X25519 key pair: that of the binding in the message. */
  readonly s: KeyPair;
  /** The recipient's, after verifyPrekey. */
  readonly prekey: Prekey;
  /** Whether the recipient does not know this device yet: then the sender's name goes before the ciphertext. */
  readonly firstContact: boolean;
}

/**
 * The envelope, 512, 2,048 or 8,192 bytes. `zero-shared-secret` if the prekey is of low order: then anyone could read it.
 * @throws RangeError if the message has a wrong field, does not fit 8,192 bytes, or its binding is not that of `s`.
 */
export function sealEnvelope(
  context: CryptoContext & Pick<HandshakeOptions, 'random'>,
  { profile, s, prekey, firstContact }: EnvelopeAddress,
  message: SealedMessage,
): Uint8Array | 'zero-shared-secret' {
  const sender = decodeDeviceBinding(message.binding);
  if (typeof sender === 'string' || !equalBytes(sender.x25519, s.publicKey))
    throw new RangeError('the binding is not that of the sending key');
  const headBytes = firstContact ? FIRST_CONTACT_BYTES : 0;
  const envelope = new Uint8Array(envelopeBytes(headBytes, message));
  if (firstContact) {
    envelope.set(sender.identity);
    envelope.set(sender.deviceId, ED25519_KEY_BYTES);
  }
  const payload = encodeSealedMessage(message, envelope.length - headBytes - NOISE_X_BYTES);
  const handshake = new HandshakeState({
    ...context,
    pattern: 'X',
    suite: SUITE,
    initiator: true,
    prologue: envelopePrologue({ profile, sender, recipient: prekey, prekeyId: prekey.prekeyId }),
    s,
    rs: prekey.x25519,
  });
  try {
    // -> e, es, s, ss
    const written = handshake.writeMessage(payload, envelope.subarray(headBytes));
    return typeof written === 'string' ? written : envelope;
  } finally {
    handshake.destroy();
    payload.fill(0);
  }
}

function envelopeBytes(headBytes: number, message: SealedMessage): number {
  const needed = headBytes + NOISE_X_BYTES + sealedMessageBytes(message);
  const length = ENVELOPE_BYTES.find((bytes) => bytes >= needed);
  if (length === undefined) throw new RangeError(`${needed} bytes exceed the longest envelope`);
  return length;
}
