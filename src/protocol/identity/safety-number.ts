/*
 * Safety number: what two people read to each other to be sure that nobody stands between them. Defined exactly:
 *
 *   A, B     the two identity keys, the smaller one (as unsigned bytes) first
 *   h(0)     SHA-512("sallyport safety number v1", 0, A, B)
 *   h(i+1)   SHA-512(h(i), A, B), up to h(8191): 8,192 hashes in all
 *   group k  bytes 5k to 5k+4 of h(8191) as a big-endian number, modulo 100,000, five digits; k from 0 to 11
 *
 * 60 digits are 199 bits. Somebody in the middle shows each side another key of his own and needs both numbers equal:
 * about 2^99.6 trials (a collision), each of them 8,192 hashes, which is 2^112.6 hashes.
 */
import { labelled } from '../bytes.js';
import type { CryptoBackend } from '../crypto-backend.js';
import { ED25519_KEY_BYTES } from '../crypto-backend.js';
import { fieldOf } from './fields.js';

const ROUNDS = 8_192;
const GROUPS = 12;
const BYTES_PER_GROUP = 5;
const DIGITS_PER_GROUP = 5;

/**
 * The number of two accounts, the same for both: twelve groups of five digits with a space between them. It takes
 * 8,192 hashes, some 10 ms.
 * @throws RangeError if a key is not 32 bytes or both are the same.
 */
export function safetyNumber(backend: CryptoBackend, one: Uint8Array, other: Uint8Array): string {
  const order = compareBytes(
    fieldOf('an identity key', one, ED25519_KEY_BYTES),
    fieldOf('an identity key', other, ED25519_KEY_BYTES),
  );
  if (order === 0) throw new RangeError('both keys are the same account');
  const keys = order < 0 ? [one, other] : [other, one];
  const hash = new Uint8Array(64);
  backend.hash('SHA512', [labelled('sallyport safety number v1', keys)], hash);
  for (let round = 1; round < ROUNDS; round++)
    backend.hash('SHA512', [hash.slice(), ...keys], hash);
  return Array.from({ length: GROUPS }, (_, k) => groupOf(hash, k)).join(' ');
}

function groupOf(hash: Uint8Array, k: number): string {
  const bytes = hash.subarray(k * BYTES_PER_GROUP, (k + 1) * BYTES_PER_GROUP);
  const value = bytes.reduce((number, byte) => number * 256 + byte, 0);
  return String(value % 10 ** DIGITS_PER_GROUP).padStart(DIGITS_PER_GROUP, '0');
}

/** Below, at or above zero as `one` stands before, at or behind `other`, both of the same length. */
function compareBytes(one: Uint8Array, other: Uint8Array): number {
  for (const [i, byte] of one.entries()) {
    const difference = byte - (other[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
