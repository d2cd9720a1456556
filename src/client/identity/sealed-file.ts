/*
 * A file that only a passphrase opens. Integers are big-endian.
 *
 *    0   8  "SPSEALED"
 *    8   1  version    always 1
 *    9   1  kind       1 identity, 2 contacts and what else an endpoint remembers
 *   10   1  log2 N     scrypt (RFC 7914), section 2: 17 in new files
 *   11   1  r          8 in new files
 *   12   1  p          1 in new files
 *   13  16  salt       random; the same in both files of one identity
 *   29  12  nonce      random, a new one for each write
 *   41   n  ciphertext and its tag 16: ChaCha20-Poly1305 (RFC 8439), associated data are bytes 0 to 40
 *
 *   file key  scrypt(passphrase in NFKC and UTF-8, salt, N, r, p), 32 bytes
 *   key       HKDF-BLAKE2s(ikm file key, salt "sallyport sealed file v1", info kind u8), 32 bytes
 *
 * A random nonce of 96 bits under one key is good for 2^32 writes (NIST SP 800-38D, section 8.3, reckons the same for
 * GCM); a file that is written once a second for a century is below that. Who can write to the folder can put an older
 * file back: nothing here shows that.
 */
import { ascii, concat, equalBytes, readU8, u8 } from '../../protocol/bytes.js';
import { AEAD_KEY_BYTES, AEAD_NONCE_BYTES, AEAD_TAG_BYTES } from '../../protocol/crypto-backend.js';
import { hkdf } from '../../protocol/hkdf.js';
import type { CryptoContext } from '../../protocol/key-store.js';

const MAGIC = ascii('SPSEALED');
const VERSION = 1;
const COST_AT = 10;
const SALT_AT = 13;
const NONCE_AT = 29;
const HEADER_BYTES = 41;
const KEY_SALT = ascii('sallyport sealed file v1');

export const SALT_BYTES = 16;
export const FILE_KEY_BYTES = 32;

/** What a sealed file is for, and the byte that says it. */
export const SEALED_KINDS = { identity: 1, memory: 2 } as const;
export type SealedKind = keyof typeof SEALED_KINDS;

/** What scrypt costs: 128 * N * r bytes of memory, and time in proportion to N * r * p. */
export interface ScryptCost {
  readonly log2N: number;
  readonly r: number;
  readonly p: number;
}

/** OWASP's choice for scrypt: 128 MiB, and some 0.4 s on a laptop. */
export const COST: ScryptCost = { log2N: 17, r: 8, p: 1 };

/** Less is too cheap to guess; more could be a file that somebody left to fill our memory (1 GiB at 2^20). */
const LOG2_N = { least: 15, most: 20 };

/** Why bytes are no sealed file. A closed list. */
export type SealedFileRefusal =
  'sealed-length' | 'sealed-magic' | 'sealed-version' | 'sealed-kind' | 'sealed-cost';

/** A sealed file as views of the bytes given. */
export interface SealedFile {
  readonly kind: SealedKind;
  readonly cost: ScryptCost;
  readonly salt: Uint8Array;
  readonly bytes: Uint8Array;
}

/** Where a file belongs and what opens it. */
export interface SealedFor {
  readonly kind: SealedKind;
  readonly cost: ScryptCost;
  /** 16 bytes. */
  readonly salt: Uint8Array;
  /** 32 bytes, of the passphrase (file-key.ts). */
  readonly fileKey: Uint8Array;
}

/** The file; `nonce` is 12 random bytes that were never used before. The plaintext stays the caller's to erase. */
export function sealFile(
  context: CryptoContext,
  { kind, cost, salt, fileKey }: SealedFor,
  nonce: Uint8Array,
  plaintext: Uint8Array,
): Uint8Array {
  if (salt.length !== SALT_BYTES || nonce.length !== AEAD_NONCE_BYTES)
    throw new RangeError('a salt has 16 bytes and a nonce 12');
  const { log2N, r, p } = cost;
  const code = SEALED_KINDS[kind];
  const header = concat([MAGIC, Uint8Array.of(VERSION, code, log2N, r, p), salt, nonce]);
  const file = new Uint8Array(HEADER_BYTES + plaintext.length + AEAD_TAG_BYTES);
  file.set(header);
  withKey(context, { fileKey, kind }, (key) => {
    const aead = context.backend.aead('ChaChaPoly');
    aead.seal(key, nonce, header, plaintext, file.subarray(HEADER_BYTES));
  });
  return file;
}

/** The parts of a sealed file, or why the bytes are none. Nothing is proven before `openFile`. Never throws. */
export function decodeSealedFile(bytes: Uint8Array): SealedFile | SealedFileRefusal {
  if (bytes.length < HEADER_BYTES + AEAD_TAG_BYTES) return 'sealed-length';
  if (!equalBytes(bytes.subarray(0, MAGIC.length), MAGIC)) return 'sealed-magic';
  if (bytes[8] !== VERSION) return 'sealed-version';
  const kind = kindOf(bytes[9]);
  if (kind === undefined) return 'sealed-kind';
  const cost = costOf(bytes);
  if (cost === undefined) return 'sealed-cost';
  return { kind, cost, salt: bytes.subarray(SALT_AT, NONCE_AT), bytes };
}

function costOf(bytes: Uint8Array): ScryptCost | undefined {
  const log2N = readU8(bytes, COST_AT);
  const r = readU8(bytes, COST_AT + 1);
  const p = readU8(bytes, COST_AT + 2);
  const isBounded = log2N >= LOG2_N.least && log2N <= LOG2_N.most;
  return isBounded && r === COST.r && p === COST.p ? { log2N, r, p } : undefined;
}

/** The plaintext, which belongs to the caller, who erases it; undefined for a wrong key or changed bytes. */
export function openFile(
  context: CryptoContext,
  { kind, bytes }: SealedFile,
  fileKey: Uint8Array,
): Uint8Array | undefined {
  const plaintext = new Uint8Array(bytes.length - HEADER_BYTES - AEAD_TAG_BYTES);
  const opened = withKey(context, { fileKey, kind }, (key) =>
    context.backend
      .aead('ChaChaPoly')
      .open(
        key,
        bytes.subarray(NONCE_AT, HEADER_BYTES),
        bytes.subarray(0, HEADER_BYTES),
        bytes.subarray(HEADER_BYTES),
        plaintext,
      ),
  );
  return opened ? plaintext : undefined;
}

function withKey<Result>(
  context: CryptoContext,
  { fileKey, kind }: Pick<SealedFor, 'fileKey' | 'kind'>,
  use: (key: Uint8Array) => Result,
): Result {
  const key = context.keys.take(AEAD_KEY_BYTES);
  try {
    const info = u8(SEALED_KINDS[kind]);
    hkdf(context, { hash: 'BLAKE2s', salt: KEY_SALT, ikm: fileKey, info }, key);
    return use(key);
  } finally {
    context.keys.erase(key);
  }
}

function kindOf(code: number | undefined): SealedKind | undefined {
  if (code === SEALED_KINDS.identity) return 'identity';
  return code === SEALED_KINDS.memory ? 'memory' : undefined;
}
