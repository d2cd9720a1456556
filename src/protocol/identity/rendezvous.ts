/*
 * Rendezvous token: where a sender leaves something for one device of one contact. It changes every UTC day, is another
 * one in each direction, and only the two devices can compute it.
 *
 *   token = HKDF-SHA-256(ikm  X25519(own device key, peer device key),
 *                        salt "sallyport rendezvous v1",
 *                        info recipient's device X25519 key 32, UTC day u32), 16 bytes
 *   UTC day = whole days since 1970-01-01
 */
import { ascii, concat, u32 } from '../bytes.js';
import { X25519_BYTES } from '../crypto-backend.js';
import { hkdf } from '../hkdf.js';
import type { CryptoContext } from '../key-store.js';
import { fieldOf } from './fields.js';
import { timeField } from './validity.js';

const SALT = ascii('sallyport rendezvous v1');
const DAY_MS = 86_400_000;

/** Clocks differ and messages travel: for so long before and after midnight UTC a recipient listens on both days. */
const OVERLAP_MS = 10 * 60_000;

export const RENDEZVOUS_TOKEN_BYTES = 16;

/** The two device keys, and which way the token points. */
export interface RendezvousPair {
  readonly ownPrivateKey: Uint8Array;
  readonly ownPublicKey: Uint8Array;
  readonly peerPublicKey: Uint8Array;
  readonly recipient: 'own' | 'peer';
}

/**
 * The 16-byte token of one direction and one day. It is a secret of the two devices until it is used.
 * @returns undefined if the peer's key is of low order: then anyone could compute it.
 * @throws RangeError if a key is not 32 bytes or the day is no u32.
 */
export function rendezvousToken(
  context: CryptoContext,
  { ownPrivateKey, ownPublicKey, peerPublicKey, recipient }: RendezvousPair,
  day: number,
): Uint8Array | undefined {
  if (!Number.isInteger(day) || day < 0 || day > 0xffff_ffff)
    throw new RangeError(`${day} is no day`);
  fieldOf('the own key', ownPublicKey, X25519_BYTES);
  const { backend, keys } = context;
  const ikm = keys.take(X25519_BYTES);
  try {
    if (!backend.x25519(ownPrivateKey, peerPublicKey, ikm)) return undefined;
    const info = concat([recipient === 'own' ? ownPublicKey : peerPublicKey, u32(day)]);
    const token = new Uint8Array(RENDEZVOUS_TOKEN_BYTES);
    hkdf(context, { hash: 'SHA256', salt: SALT, ikm, info }, token);
    return token;
  } finally {
    keys.erase(ikm);
  }
}

/** The day whose token a sender addresses at `nowMs` (unix ms). @throws RangeError if that is no time. */
export const sendingDay = (nowMs: number): number => Number(timeField(nowMs) / BigInt(DAY_MS));

/**
 * The days whose tokens a recipient registers at `nowMs`, in order: today's, and from 23:50:00.000 to 00:10:00.000 UTC,
 * both included, also tomorrow's or yesterday's.
 * @throws RangeError if that is no time.
 */
export function listeningDays(nowMs: number): readonly number[] {
  const day = sendingDay(nowMs);
  const sinceMidnightMs = nowMs - day * DAY_MS;
  if (sinceMidnightMs <= OVERLAP_MS && day > 0) return [day - 1, day];
  return sinceMidnightMs >= DAY_MS - OVERLAP_MS ? [day, day + 1] : [day];
}
