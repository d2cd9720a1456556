/*
 * A WebAuthn credential as it is stored (column `secret` of a second factor; nothing in it is secret).
 *
 *   0   1  v           always 1
 *   1   1  flags       bit 0: a roaming security key
 *   2   2  idBytes     big-endian
 *   4   n  id          credential id
 *   .   2  keyBytes    big-endian
 *   .   n  key         COSE public key (RFC 9052, section 7)
 */
import { concat, readU16, u16, u8 } from '../../protocol/bytes.js';

const VERSION = 1;
const ROAMING = 1;

/** A security key or a platform authenticator of an account. */
export interface Credential {
  readonly id: Uint8Array;
  /** COSE key. */
  readonly publicKey: Uint8Array;
  /**
   * Whether it is a security key that is not part of the machine, as the endpoint said when it was enrolled: no
   * manufacturer has attested it.
   */
  readonly roaming: boolean;
}

/** The bytes of a credential, in an array of the caller. */
export const encodeCredential = ({ id, publicKey, roaming }: Credential): Uint8Array =>
  concat([
    u8(VERSION),
    u8(roaming ? ROAMING : 0),
    u16(id.length),
    id,
    u16(publicKey.length),
    publicKey,
  ]);

/** The credential as views of `bytes`; undefined if they are none. */
export function decodeCredential(bytes: Uint8Array): Credential | undefined {
  const idEnd = 4 + readU16(bytes, 2);
  const keyEnd = idEnd + 2 + readU16(bytes, idEnd);
  if (bytes[0] !== VERSION || bytes.length !== keyEnd) return undefined;
  return {
    id: bytes.subarray(4, idEnd),
    publicKey: bytes.subarray(idEnd + 2, keyEnd),
    roaming: ((bytes[1] ?? 0) & ROAMING) !== 0,
  };
}

/** Ways to reach an authenticator that is not part of the machine (WebAuthn level 3, 5.8.4). */
const ROAMING_TRANSPORTS: readonly string[] = ['usb', 'nfc', 'ble', 'smart-card'];

/** Whether these transports are those of a security key and of nothing else. */
export const isRoaming = (transports: readonly string[]): boolean =>
  transports.length > 0 && transports.every((name) => ROAMING_TRANSPORTS.includes(name));
