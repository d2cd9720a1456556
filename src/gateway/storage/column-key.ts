/*
 * One sealed column, version 1: AES-256-GCM (NIST SP 800-38D). What belongs to the row is authenticated with it, so that
 * a sealed secret cannot be moved to another row.
 *   1 byte    version    always 1
 *   8 bytes   key id     names the key in the key file
 *   12 bytes  nonce      random; a key seals far fewer than 2^32 secrets
 *   n bytes   ciphertext
 *   16 bytes  tag
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';

/** One data key. */
export interface ColumnKey {
  /** 8 bytes as hex. */
  readonly id: string;
  /** 32 bytes. */
  readonly key: Uint8Array;
}

/** The keys of one gateway: the first one seals, all of them open. */
export type ColumnKeys = readonly [ColumnKey, ...ColumnKey[]];

/** Why a sealed column does not open. */
export type ColumnRefusal = 'unknown-version' | 'too-short' | 'unknown-key' | 'damaged';

/** The row that a sealed secret belongs to. */
export interface ColumnOwner {
  readonly account: string;
  readonly factor: string;
}

const VERSION = 1;
const KEY_ID_BYTES = 8;
/** Length of the nonce. */
export const COLUMN_NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEY_BYTES = 32;
const NONCE_AT = 1 + KEY_ID_BYTES;
const CIPHERTEXT_AT = NONCE_AT + COLUMN_NONCE_BYTES;
const ALGORITHM = 'aes-256-gcm';

/** `secret` sealed with the first key. `nonce` is random and never used again. @throws RangeError for a wrong length */
export function sealColumn(
  [{ id, key }]: ColumnKeys,
  owner: ColumnOwner,
  secret: Uint8Array,
  nonce: Uint8Array,
): Uint8Array {
  if (key.length !== KEY_BYTES) throw new RangeError('a column key has 32 bytes');
  if (nonce.length !== COLUMN_NONCE_BYTES) throw new RangeError('a nonce has 12 bytes');
  const cipher = createCipheriv(ALGORITHM, key, nonce);
  cipher.setAAD(belonging(owner));
  const ciphertext = Buffer.concat([cipher.update(secret), cipher.final()]);
  const head = [Buffer.from([VERSION]), Buffer.from(id, 'hex'), nonce];
  return Uint8Array.from(Buffer.concat([...head, ciphertext, cipher.getAuthTag()]));
}

/** The secret in `sealed`, or why it does not open. Never throws. */
export function openColumn(
  keys: readonly ColumnKey[],
  owner: ColumnOwner,
  sealed: Uint8Array,
): Uint8Array | ColumnRefusal {
  if (sealed.length < CIPHERTEXT_AT + TAG_BYTES) return 'too-short';
  if (sealed[0] !== VERSION) return 'unknown-version';
  const found = keys.find(({ id }) => id === keyIdOf(sealed));
  if (found === undefined) return 'unknown-key';
  const decipher = createDecipheriv(
    ALGORITHM,
    found.key,
    sealed.subarray(NONCE_AT, CIPHERTEXT_AT),
    { authTagLength: TAG_BYTES },
  );
  decipher.setAAD(belonging(owner));
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
  const opened = decipher.update(sealed.subarray(CIPHERTEXT_AT, -TAG_BYTES));
  try {
    return Uint8Array.from(Buffer.concat([opened, decipher.final()]));
  } catch {
    return 'damaged';
  }
}

/** Whether `sealed` was sealed with another key than the one that seals now. */
export function isSealedWithOldKey([newest]: ColumnKeys, sealed: Uint8Array): boolean {
  return keyIdOf(sealed) !== newest.id;
}

const keyIdOf = (sealed: Uint8Array): string =>
  Buffer.from(sealed.subarray(1, NONCE_AT)).toString('hex');

/** Neither part holds the separator: an account is `sp1...`, a factor base64url. */
function belonging({ account, factor }: ColumnOwner): Buffer {
  return Buffer.from(`sallyport column v1\0${account}\0${factor}`, 'utf8');
}
