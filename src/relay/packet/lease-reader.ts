/*
 * Leases and proofs, verified. A lease text that was judged once is known again by its hash: the same holder proves
 * several times with it, and someone who floods with one forged text pays for it once.
 */
import { createPublicKey, hash, verify, type KeyObject } from 'node:crypto';
import { fromBase64urlText } from '../../protocol/lease/base64url.js';
import { openLease, refusedReasonFor, type LeaseClaims } from '../../protocol/lease/lease.js';
import type { RefusedReason } from '../../protocol/relay/reasons.js';
import type { RelayLeaseKey } from './packet-messages.js';

/** Whose primitives verify here: those of Node, by the name that the back ends of other programs have. */
export const CRYPTO_BACKEND = 'node';

/** Texts remembered; about 1 KB each. */
const MAX_REMEMBERED = 4_096;

/** A lease that verified; whether it holds now is for `judgeLease`. */
export interface ReadLease {
  readonly claims: LeaseClaims;
  readonly kid: string;
  readonly key: RelayLeaseKey;
}

/** What a text was found to be, with its SHA-256, which the proof is over. */
export interface LeaseReading {
  readonly tokenHash: Uint8Array;
  readonly lease: ReadLease | RefusedReason;
  /** Whether the answer was remembered. */
  readonly remembered: boolean;
}

/** Reads lease texts under the keys of the permitted gateways. */
export class LeaseReader {
  #keys: ReadonlyMap<string, RelayLeaseKey> = new Map();
  readonly #remembered = new Map<string, ReadLease | RefusedReason>();

  /** Replaces the keys; everything remembered is forgotten. */
  setKeys(keys: readonly RelayLeaseKey[]): void {
    this.#keys = new Map(keys.map((key) => [key.kid, key]));
    this.#remembered.clear();
  }

  /** Whether a key of this id is in use. */
  hasKey(kid: string): boolean {
    return this.#keys.has(kid);
  }

  /** Reads and verifies, or remembers. `token` is not kept. Never throws. */
  read(token: Uint8Array): LeaseReading {
    const tokenHash = hash('sha256', token, 'buffer');
    const name = tokenHash.toString('base64');
    const known = this.#remembered.get(name);
    if (known !== undefined) return { tokenHash, lease: known, remembered: true };
    const opened = openLease(token, (kid) => this.#keys.get(kid), verifyEd25519);
    const lease = typeof opened === 'string' ? refusedReasonFor(opened) : opened;
    this.#remember(name, lease);
    return { tokenHash, lease, remembered: false };
  }

  #remember(name: string, lease: ReadLease | RefusedReason): void {
    for (const oldest of this.#remembered.keys()) {
      if (this.#remembered.size < MAX_REMEMBERED) break;
      this.#remembered.delete(oldest);
    }
    this.#remembered.set(name, lease);
  }
}

/** Whether `signature` of `message` verifies under the Ed25519 key (RFC 8032). Never throws, whatever the lengths. */
export function verifyEd25519(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  const key = keyObject(publicKey);
  return key !== undefined && verify(null, message, key, signature);
}

function keyObject(publicKey: Uint8Array): KeyObject | undefined {
  if (publicKey.length !== 32) return undefined;
  const x = Buffer.from(publicKey).toString('base64url');
  try {
    return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  } catch {
    return undefined;
  }
}

/** The bytes of a claim that `openLease` found to be base64url. @throws Error if it is not: it was not judged. */
export function claimBytes(claim: string): Uint8Array {
  const bytes = fromBase64urlText(claim);
  if (!bytes) throw new Error('a claim is not base64url');
  return bytes;
}
