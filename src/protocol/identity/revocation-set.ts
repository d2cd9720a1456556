import { toHex } from '../bytes.js';
import type { SignedRevocation } from './revocation.js';

/**
 * Only an account's own key can revoke its devices, so an honest account never gets there; the bound keeps a hostile
 * one from filling the memory of those who listen to it (128 KiB each).
 */
export const MAX_REVOCATIONS_PER_ACCOUNT = 1_024;

/** What became of a revocation. */
export type RevocationAdded = 'added' | 'known' | 'account-closed';

/**
 * The revocations that somebody has seen. Nothing ever leaves it. An account with more than 1,024 is closed: every
 * device of it counts as revoked, since forgetting one would bring a lost device back.
 */
export class RevocationSet {
  readonly #accounts = new Map<string, Map<string, Uint8Array>>();

  /** Keeps a copy of a revocation that verifyRevocation gave: each device of each account once. */
  add({ identity, deviceId, bytes }: SignedRevocation): RevocationAdded {
    const key = toHex(identity);
    const devices = this.#accounts.get(key) ?? new Map<string, Uint8Array>();
    this.#accounts.set(key, devices);
    if (devices.has(toHex(deviceId))) return 'known';
    // The one that closes the account is kept as well, so that it stays closed when the set is read back from disk.
    if (isClosed(devices)) return 'account-closed';
    devices.set(toHex(deviceId), bytes.slice());
    return isClosed(devices) ? 'account-closed' : 'added';
  }

  /** Whether this device of this account was ever revoked, or the account is closed. Another account's word never counts. */
  isRevoked(identity: Uint8Array, deviceId: Uint8Array): boolean {
    const devices = this.#accounts.get(toHex(identity));
    return devices !== undefined && (isClosed(devices) || devices.has(toHex(deviceId)));
  }

  /** The signed bytes of an account's revocations, oldest first: what travels with its bindings, and what is stored. */
  of(identity: Uint8Array): readonly Uint8Array[] {
    return [...(this.#accounts.get(toHex(identity))?.values() ?? [])];
  }
}

const isClosed = (devices: ReadonlyMap<string, Uint8Array>) =>
  devices.size > MAX_REVOCATIONS_PER_ACCOUNT;
