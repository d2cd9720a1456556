/*
 * What proofs, farewells and cookies are made over (wire formats, B): an ASCII label, a zero byte, then the fields.
 *   PROVE   "sallyport relay prove v1"  header 20 | nonce 16 | cookie 32 | seq u64 | role u8 | relay id | SHA-256(PASETO) 32
 *   BYE     "sallyport relay bye v1"    header 20 | relay id | jti 16 | seq u64
 *   cookie  "sallyport cookie v1"       epoch u64 | family u8 | address 16 | port u16 | session 16 | nonce 16
 * The relay id is text of variable length and goes after its length (u16); all others have a fixed length.
 */
import { ascii, concat, labelled, u64, u8 } from '../bytes.js';
import { encodeSeenAddress, type SeenAddress } from './address.js';
import { COOKIE_BYTES, NONCE_BYTES } from './admission.js';
import { exactly, RELAY_HEADER_BYTES, SESSION_ID_BYTES } from './header.js';
import { ROLE_CODES, type Role } from './version-1.js';

/** Length of one epoch of cookies, by the relay's monotonic clock. A cookie is valid in its own epoch and in the next. */
export const COOKIE_EPOCH_MS = 30_000;

/** What a PROVE is signed over. */
export interface ProveSigned {
  /** The 20 bytes as sent, flags and all. */
  readonly header: Uint8Array;
  readonly nonce: Uint8Array;
  readonly cookie: Uint8Array;
  readonly seq: bigint;
  readonly role: Role;
  /** NAMESPACE/POOL/ORDINAL of the relay that the proof is for. */
  readonly relayId: string;
  /** SHA-256 of the PASETO text. */
  readonly tokenHash: Uint8Array;
}

/** The bytes that the lease's key signs for a PROVE. @throws RangeError if a field has not its length. */
export const proveSigningInput = (signed: ProveSigned): Uint8Array =>
  labelled('sallyport relay prove v1', [
    exactly(RELAY_HEADER_BYTES, 'header', signed.header),
    exactly(NONCE_BYTES, 'nonce', signed.nonce),
    exactly(COOKIE_BYTES, 'cookie', signed.cookie),
    u64(signed.seq),
    u8(ROLE_CODES[signed.role]),
    { variable: ascii(signed.relayId) },
    exactly(32, 'token hash', signed.tokenHash),
  ]);

/** What a BYE is signed over. */
export interface ByeSigned {
  readonly header: Uint8Array;
  readonly relayId: string;
  /** The 16 bytes of the claim `jti`, not its text. */
  readonly jti: Uint8Array;
  readonly seq: bigint;
}

/** The bytes that the lease's key signs for a BYE. @throws RangeError if a field has not its length. */
export const byeSigningInput = ({ header, relayId, jti, seq }: ByeSigned): Uint8Array =>
  labelled('sallyport relay bye v1', [
    exactly(RELAY_HEADER_BYTES, 'header', header),
    { variable: ascii(relayId) },
    exactly(16, 'jti', jti),
    u64(seq),
  ]);

/** What a cookie is for. */
export interface CookieFor {
  readonly epoch: bigint;
  readonly seen: SeenAddress;
  readonly session: Uint8Array;
  readonly nonce: Uint8Array;
}

/** Made once: every HELLO pays for a cookie, a stranger's as well. */
const COOKIE_LABEL = labelled('sallyport cookie v1', []);

/** The bytes whose HMAC-SHA-256 under the relay's boot secret is the cookie. @throws RangeError if a field has not its length. */
export const cookieInput = ({ epoch, seen, session, nonce }: CookieFor): Uint8Array =>
  concat([
    COOKIE_LABEL,
    u64(epoch),
    encodeSeenAddress(seen),
    exactly(SESSION_ID_BYTES, 'session', session),
    exactly(NONCE_BYTES, 'nonce', nonce),
  ]);

/** The epoch of cookies at a reading of the relay's monotonic clock. */
export const cookieEpoch = (monotonicMs: number): bigint =>
  BigInt(Math.floor(monotonicMs / COOKIE_EPOCH_MS));
