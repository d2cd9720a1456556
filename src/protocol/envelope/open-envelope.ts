import { equalBytes } from '../bytes.js';
import { ED25519_KEY_BYTES } from '../crypto-backend.js';
import { accountDigest } from '../identity/account.js';
import type {
  BindingExpectation,
  BindingRefusal,
  DeviceBinding,
} from '../identity/device-binding.js';
import { verifyDeviceBinding } from '../identity/device-binding.js';
import type { RevocationRefusal, SignedRevocation } from '../identity/revocation.js';
import { verifyRevocation } from '../identity/revocation.js';
import type { CryptoContext } from '../key-store.js';
import type { KeyPair } from '../noise/handshake-state.js';
import { HandshakeState } from '../noise/handshake-state.js';
import { SUITE } from '../noise/suites.js';
import type { DeviceName } from './prologue.js';
import { envelopePrologue } from './prologue.js';
import { ENVELOPE_BYTES, FIRST_CONTACT_BYTES, NOISE_X_BYTES } from './seal-envelope.js';
import type { EnvelopeKind, SealedMessage, SealedMessageRefusal } from './sealed-message.js';
import { decodeSealedMessage } from './sealed-message.js';
import type { SeenIds, SeenRefusal } from './seen-ids.js';

/** Made daily, destroyed after 48 h: never more than three at a time (wire formats, B). */
const MAX_HELD_PREKEYS = 3;

/** Why an envelope is refused: one reason for each rule, a metric label, never sent back. */
export type EnvelopeRefusal =
  | 'envelope-length'
  | 'envelope-unopenable'
  | 'envelope-other-sender'
  | 'revocation-other-identity'
  | SealedMessageRefusal
  | SeenRefusal
  | RevocationRefusal
  | BindingRefusal;

/** A prekey of ours that still lives, and the ids of what came to it. */
export interface HeldPrekey {
  readonly prekeyId: number;
  readonly keyPair: KeyPair;
  readonly seen: SeenIds;
}

/** Where an envelope came in: for whom it is, and who must have sent it. */
export interface EnvelopeArrival {
  readonly profile: string;
  readonly recipient: DeviceName;
  readonly prekeys: readonly HeldPrekey[];
  /** Whose rendezvous token it was addressed to. */
  readonly from: DeviceName | 'first-contact';
}

/** An accepted envelope. Every array is a view of one buffer: copy what is to be kept, then `erase`. */
export interface OpenedEnvelope {
  readonly kind: EnvelopeKind;
  readonly id: Uint8Array;
  readonly timeMs: number;
  readonly sender: DeviceBinding;
  /** Verified, and of the sender's account: to be added to the revocations that are kept. */
  readonly revocations: readonly SignedRevocation[];
  readonly body: Uint8Array;
  /** Overwrites everything that was inside. */
  erase(): void;
}

/**
 * Opens an envelope with one of the prekeys, judges everything in it, and remembers its id; or says which rule it
 * breaks, and nothing has changed. Never throws on bytes of any length.
 * @throws RangeError if there are more than three prekeys or a name of ours has a wrong length.
 */
export function openEnvelope(
  context: CryptoContext,
  bytes: Uint8Array,
  arrival: EnvelopeArrival,
  now: Pick<BindingExpectation, 'nowMs' | 'revocations'>,
): OpenedEnvelope | EnvelopeRefusal {
  if (arrival.prekeys.length > MAX_HELD_PREKEYS)
    throw new RangeError(`${arrival.prekeys.length} prekeys exceed ${MAX_HELD_PREKEYS}`);
  if (!ENVELOPE_BYTES.includes(bytes.length)) return 'envelope-length';
  const unsealed = unseal(context, bytes, arrival);
  if (unsealed === undefined) return 'envelope-unopenable';
  const opened = judge(context, unsealed, now);
  if (typeof opened === 'string') unsealed.payload.fill(0);
  return opened;
}

/** What Noise gave: genuine bytes of whoever owns `staticKey`, not yet judged. */
interface Unsealed {
  readonly payload: Uint8Array;
  readonly staticKey: Uint8Array;
  readonly from: DeviceName;
  readonly seen: SeenIds;
}

function unseal(
  context: CryptoContext,
  bytes: Uint8Array,
  { profile, recipient, prekeys, from }: EnvelopeArrival,
): Unsealed | undefined {
  const first = from === 'first-contact';
  const sender = first ? nameBefore(bytes) : from;
  const message = first ? bytes.subarray(FIRST_CONTACT_BYTES) : bytes;
  const payload = new Uint8Array(message.length - NOISE_X_BYTES);
  for (const { prekeyId, keyPair, seen } of prekeys) {
    const handshake = new HandshakeState({
      ...context,
      pattern: 'X',
      suite: SUITE,
      initiator: false,
      prologue: envelopePrologue({ profile, sender, recipient, prekeyId }),
      s: keyPair,
      random: refuseToWrite,
    });
    try {
      // -> e, es, s, ss
      const read = handshake.readMessage(message, payload);
      const staticKey = handshake.remoteStatic;
      if (typeof read === 'number' && staticKey) return { payload, staticKey, from: sender, seen };
    } finally {
      handshake.destroy();
    }
  }
  return undefined;
}

const nameBefore = (bytes: Uint8Array): DeviceName => ({
  identity: bytes.subarray(0, ED25519_KEY_BYTES),
  deviceId: bytes.subarray(ED25519_KEY_BYTES, FIRST_CONTACT_BYTES),
});

/** The responder of X writes no message, so it needs no ephemeral key. */
function refuseToWrite(): never {
  throw new RangeError('the recipient of an envelope writes nothing');
}

function judge(
  context: CryptoContext,
  { payload, staticKey, from, seen }: Unsealed,
  { nowMs, revocations: known }: Pick<BindingExpectation, 'nowMs' | 'revocations'>,
): OpenedEnvelope | EnvelopeRefusal {
  const message = decodeSealedMessage(payload);
  if (typeof message === 'string') return message;
  const unwelcome = seen.refusalOf(message.id, message.timeMs, nowMs);
  if (unwelcome !== undefined) return unwelcome;
  const revocations = verifyCarried(context, message, from);
  if (typeof revocations === 'string') return revocations;
  const sender = verifyDeviceBinding(context.backend, message.binding, {
    fingerprint: accountDigest(context.backend, from.identity),
    staticKey,
    nowMs,
    revocations: withCarried(known, revocations),
  });
  if (typeof sender === 'string') return sender;
  if (!isNamed(sender, from)) return 'envelope-other-sender';
  seen.add(message.id, message.timeMs);
  const { kind, id, timeMs, body } = message;
  return { kind, id, timeMs, sender, revocations, body, erase: () => payload.fill(0) };
}

function verifyCarried(
  { backend }: CryptoContext,
  { revocations }: SealedMessage,
  { identity }: DeviceName,
): readonly SignedRevocation[] | EnvelopeRefusal {
  const verified: SignedRevocation[] = [];
  for (const bytes of revocations) {
    const revocation = verifyRevocation(backend, bytes);
    if (typeof revocation === 'string') return revocation;
    if (!equalBytes(revocation.identity, identity)) return 'revocation-other-identity';
    verified.push(revocation);
  }
  return verified;
}

/** What is known already, and what the envelope itself says about its sender's devices. */
const withCarried = (
  known: BindingExpectation['revocations'],
  carried: readonly SignedRevocation[],
): BindingExpectation['revocations'] => ({
  isRevoked: (identity, deviceId) =>
    known.isRevoked(identity, deviceId) ||
    carried.some((revocation) => isNamed({ identity, deviceId }, revocation)),
});

const isNamed = (one: DeviceName, other: DeviceName) =>
  equalBytes(one.identity, other.identity) && equalBytes(one.deviceId, other.deviceId);
