import { nodeBackend } from '../src/crypto/node.backend.js';
import { concat } from '../src/protocol/bytes.js';
import { accountDigest } from '../src/protocol/identity/account.js';
import type { DeviceKeys } from '../src/protocol/identity/device-binding.js';
import { signDeviceBinding } from '../src/protocol/identity/device-binding.js';
import type { Prekey } from '../src/protocol/identity/prekey.js';
import { signPrekey } from '../src/protocol/identity/prekey.js';
import { RevocationSet } from '../src/protocol/identity/revocation-set.js';
import { signRevocation } from '../src/protocol/identity/revocation.js';
import { KeyStore, type CryptoContext } from '../src/protocol/key-store.js';

/** 2026-09-01T12:00:00Z. */
export const NOON_MS = 1_788_264_000_000;
const DAY_MS = 86_400_000;

/** The bytes of hexadecimal digits; spaces may stand between fields. */
export const hex = (digits: string): Uint8Array => Buffer.from(digits.replace(/\s/g, ''), 'hex');

/** 32 bytes that are the same in every run, told apart by `seed`. */
export const bytesOf = (seed: number, length = 32): Uint8Array => new Uint8Array(length).fill(seed);

/** The node back end with a new key store. */
export const aContext = (): CryptoContext => ({ backend: nodeBackend, keys: new KeyStore() });

/** The X25519 pair of a private key. */
export function keyPairOf(privateKey: Uint8Array) {
  const publicKey = new Uint8Array(32);
  nodeBackend.x25519PublicKey(privateKey, publicKey);
  return { privateKey, publicKey };
}

/** An account with one enrolled device; `seed` tells accounts apart. */
export function anAccount(seed: number, changes: Partial<DeviceKeys> = {}) {
  const identitySeed = bytesOf(seed);
  const deviceSeed = bytesOf(seed + 1);
  const s = keyPairOf(bytesOf(seed + 2));
  const keys: DeviceKeys = {
    identity: nodeBackend.ed25519PublicKey(identitySeed),
    deviceId: bytesOf(seed + 3, 16),
    ed25519: nodeBackend.ed25519PublicKey(deviceSeed),
    x25519: s.publicKey,
    notBeforeMs: NOON_MS - DAY_MS,
    notAfterMs: NOON_MS + 365 * DAY_MS,
    serial: 1n,
    ...changes,
  };
  return {
    identitySeed,
    deviceSeed,
    s,
    keys,
    identity: keys.identity,
    deviceId: keys.deviceId,
    binding: signDeviceBinding(nodeBackend, identitySeed, keys),
    revocation: (deviceId: Uint8Array = keys.deviceId) =>
      signRevocation(nodeBackend, identitySeed, {
        identity: keys.identity,
        deviceId,
        serial: 2n,
        timeMs: NOON_MS,
      }),
  };
}

/** One account, its device and everything that its owner holds. */
export type Account = ReturnType<typeof anAccount>;

/** What a peer expects who knows `account`, before anything was revoked. */
export const expecting = (account: Account) => ({
  fingerprint: accountDigest(nodeBackend, account.identity),
  staticKey: account.s.publicKey,
  nowMs: NOON_MS,
  revocations: new RevocationSet(),
});

/** A prekey of the account's device, its private half, and its signed bytes. */
export function aPrekey(account: Account, changes: Partial<Prekey> = {}) {
  const keyPair = keyPairOf(bytesOf(0x77));
  const prekey: Prekey = {
    identity: account.identity,
    deviceId: account.deviceId,
    prekeyId: 7,
    x25519: keyPair.publicKey,
    notBeforeMs: NOON_MS - 3_600_000,
    notAfterMs: NOON_MS + 3_600_000,
    ...changes,
  };
  return { keyPair, prekey, bytes: signPrekey(nodeBackend, account.deviceSeed, prekey) };
}

/** `bytes` with `change` written over them at `offset`. */
export const patched = (bytes: Uint8Array, offset: number, change: Uint8Array): Uint8Array =>
  concat([bytes.subarray(0, offset), change, bytes.subarray(offset + change.length)]);

/** `bytes` with one bit of the byte at `offset` turned. */
export const withBitTurned = (bytes: Uint8Array, offset: number): Uint8Array =>
  patched(bytes, offset, Uint8Array.of((bytes[offset] ?? 0) ^ 1));
