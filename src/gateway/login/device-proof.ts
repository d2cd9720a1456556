/*
 * The first thing that an endpoint must show: a device binding that its identity key signed, and the device key's
 * signature over this login. Nothing here looks at what is stored, so an account that does not exist, one that is
 * locked and a wrong signature cost the same work and get the same answer.
 */
import type { Login } from '../../messages/signaling.js';
import type { CryptoBackend } from '../../protocol/crypto-backend.js';
import { accountDigest, formatFingerprint } from '../../protocol/identity/account.js';
import {
  DEVICE_BINDING_BYTES,
  decodeDeviceBinding,
  verifyBindingBeforeHandshake,
  type DeviceBinding,
} from '../../protocol/identity/device-binding.js';
import { loginSigningInput } from '../../protocol/identity/login.js';
import type { LoginFacts } from '../rooms.js';
import type { LoginFailure } from './outcomes.js';

/** Why a device is not believed. */
export type DeviceProofRefusal = Extract<
  LoginFailure,
  'WrongHost' | 'WrongChannel' | 'InvalidBinding' | 'InvalidSignature'
>;

/** What is known of the connection on which the login came. */
export interface LoginSetting {
  /** The challenge that this connection was given. */
  readonly challenge: Uint8Array;
  readonly facts: LoginFacts;
  /** Names under which clients reach this gateway. */
  readonly hosts: readonly string[];
  readonly nowMs: number;
}

/** A device that has proven itself. */
export interface ProvenDevice {
  /** `sp1...` */
  readonly account: string;
  /** 16 bytes as base64url. */
  readonly device: string;
  /** The binding, and its bytes. */
  readonly keys: DeviceBinding;
  readonly binding: Uint8Array;
}

/** A stand-in for a binding that is none: its signature verifies under no key that anybody has. */
const NO_BINDING = Uint8Array.from({ length: DEVICE_BINDING_BYTES }, (_, at) => (at < 137 ? 1 : 2));
/** Refusals that come before a binding's signature was looked at. */
const UNVERIFIED: readonly string[] = [
  'binding-length',
  'binding-version',
  'binding-dates',
  'binding-weak-identity-key',
  'binding-weak-device-key',
];
/** What the store knows of revocations is asked later: nothing is looked up for a stranger. */
const NOT_ASKED_YET = { isRevoked: () => false };

/** The device that signed `login` on this connection, or why it is not believed. Two signatures are verified in any case. */
export function checkDeviceProof(
  backend: CryptoBackend,
  login: Login,
  setting: LoginSetting,
): ProvenDevice | DeviceProofRefusal {
  const bytes = Uint8Array.from(Buffer.from(login.device, 'base64url'));
  const keys = checkBinding(backend, bytes, setting.nowMs);
  const exporter = exporterOf(login, setting.facts);
  const signed = loginSigningInput({
    host: login.host,
    challenge: setting.challenge,
    exporter: exporter ?? 'none',
  });
  const signature = Buffer.from(login.signature, 'base64url');
  const signer = keys?.ed25519 ?? NO_BINDING.subarray(49, 81);
  const holds = backend.ed25519Verify(signer, signed, signature);
  if (!setting.hosts.some((host) => host.toLowerCase() === login.host)) return 'WrongHost';
  if (exporter === undefined) return 'WrongChannel';
  if (keys === undefined) return 'InvalidBinding';
  if (!holds) return 'InvalidSignature';
  return {
    account: formatFingerprint(accountDigest(backend, keys.identity)),
    device: Buffer.from(keys.deviceId).toString('base64url'),
    keys,
    binding: bytes,
  };
}

function checkBinding(
  backend: CryptoBackend,
  bytes: Uint8Array,
  nowMs: number,
): DeviceBinding | undefined {
  const layout = decodeDeviceBinding(bytes);
  const identity = typeof layout === 'string' ? NO_BINDING.subarray(1, 33) : layout.identity;
  const checked = verifyBindingBeforeHandshake(backend, bytes, {
    fingerprint: accountDigest(backend, identity),
    nowMs,
    revocations: NOT_ASKED_YET,
  });
  if (typeof checked !== 'string') return checked;
  if (UNVERIFIED.includes(checked))
    backend.ed25519Verify(identity, NO_BINDING.subarray(0, 137), NO_BINDING.subarray(137));
  return undefined;
}

/**
 * What the signature must cover beside the challenge: the exporter of this connection, or nothing behind a trusted
 * proxy. Undefined: the login claims another kind of channel than the one on which it came.
 */
function exporterOf(
  { binding }: Login,
  { viaTrustedProxy, exporter }: LoginFacts,
): Uint8Array | 'none' | undefined {
  if (viaTrustedProxy) return binding === 0 ? 'none' : undefined;
  return binding === 1 ? exporter : undefined;
}
