/*
 * Ids that are hashes of keys, and what a lease request is signed over (wire formats, B): an ASCII label, a zero byte,
 * then the fields; text goes after its length (u16).
 *   kid       base64url of 16 bytes of SHA-256("sallyport lease key v1", public key 32)
 *   sid       16 bytes of SHA-256("sallyport session v1", spk 32)
 *   request   "sallyport lease request v1" | gateway name | rid | role u8 | sid 16 | cpk 32
 */
import { ascii, labelled, u8 } from '../bytes.js';
import { ROLE_CODES, type Role } from '../relay/version-1.js';
import { toBase64url } from './base64url.js';

const ID_BYTES = 16;
const KEY_BYTES = 32;

/** SHA-256 of `message`. */
export type Sha256 = (message: Uint8Array) => Uint8Array;

const sized = (length: number, name: string, bytes: Uint8Array): Uint8Array => {
  if (bytes.length !== length) throw new RangeError(`${name} has ${length} bytes`);
  return bytes;
};

/** The key id of a lease key, 22 characters. @throws RangeError if the key has not 32 bytes. */
export const leaseKeyId = (publicKey: Uint8Array, sha256: Sha256): string =>
  toBase64url(
    sha256(
      labelled('sallyport lease key v1', [sized(KEY_BYTES, 'a public key', publicKey)]),
    ).subarray(0, ID_BYTES),
  );

/** The session id that belongs to `spk`, 16 bytes. @throws RangeError if spk has not 32 bytes. */
export const sessionId = (spk: Uint8Array, sha256: Sha256): Uint8Array =>
  sha256(labelled('sallyport session v1', [sized(KEY_BYTES, 'spk', spk)])).slice(0, ID_BYTES);

/** What a lease is asked for. */
export interface LeaseRequest {
  /** NAMESPACE/NAME of the gateway: a request shown to another one is worth nothing. */
  readonly gateway: string;
  /** NAMESPACE/POOL/ORDINAL of the relay. */
  readonly rid: string;
  readonly role: Role;
  /** 16 bytes. */
  readonly sid: Uint8Array;
  /** 32 bytes: the public key made for this one lease. */
  readonly cpk: Uint8Array;
}

/** The bytes that the session's key spk signs. @throws RangeError if a field has not its length. */
export const leaseRequestSigningInput = ({
  gateway,
  rid,
  role,
  sid,
  cpk,
}: LeaseRequest): Uint8Array =>
  labelled('sallyport lease request v1', [
    { variable: ascii(gateway) },
    { variable: ascii(rid) },
    u8(ROLE_CODES[role]),
    sized(ID_BYTES, 'sid', sid),
    sized(KEY_BYTES, 'cpk', cpk),
  ]);
