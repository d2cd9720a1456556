/*
 * What an offer says of a file. It travels inside the session's encryption only: it holds the key of the chunks.
 *
 *     0    1   version      always 1
 *     1   32   file key     random, for this offer alone
 *    33    8   size         bytes of the file, at most 2^35
 *    41    1   n            length of the name, 1 to 255
 *    42  255   name         n bytes of UTF-8, then zeros, so that its length does not show
 *   297  32t   hashes       SHA-256 of each chunk with its padding; t follows from the size (chunk-layout.ts)
 */
import { allZero, ascii, concat, readU64, readU8, toHex, u64, u8 } from '../../protocol/bytes.js';
import type { CryptoBackend } from '../../protocol/crypto-backend.js';
import { chunkLayout, isFileSize, type ChunkLayout } from './chunk-layout.js';

const VERSION = 1;
const KEY_AT = 1;
const SIZE_AT = 33;
const NAME_LENGTH_AT = 41;
const NAME_AT = 42;
const HASHES_AT = 297;
const MAX_NAME_BYTES = 255;
export const FILE_KEY_BYTES = 32;
export const CHUNK_HASH_BYTES = 32;

/** What an offer says. Arrays that were decoded are views of its bytes. */
export interface Manifest {
  readonly fileKey: Uint8Array;
  /** As the sender wrote it: only `safeFileName` of it may come near a disk. */
  readonly name: string;
  readonly layout: ChunkLayout;
  /** One behind the other. */
  readonly hashes: Uint8Array;
}

/** Why bytes are no manifest. A closed list: each is a metric label. */
export type ManifestRefusal =
  'manifest-version' | 'manifest-length' | 'manifest-size' | 'manifest-name';

/** The bytes. @throws RangeError for a name of more than 255 bytes, or a number of hashes that is not the layout's. */
export function encodeManifest({ fileKey, name, layout, hashes }: Manifest): Uint8Array {
  const utf8 = new TextEncoder().encode(name);
  if (utf8.length === 0 || utf8.length > MAX_NAME_BYTES)
    throw new RangeError('a name has 1 to 255 bytes');
  if (fileKey.length !== FILE_KEY_BYTES || hashes.length !== layout.total * CHUNK_HASH_BYTES)
    throw new RangeError('a key of 32 bytes and a hash for each chunk are needed');
  const rest = new Uint8Array(MAX_NAME_BYTES - utf8.length);
  const head = [u8(VERSION), fileKey, u64(BigInt(layout.size)), u8(utf8.length), utf8, rest];
  return concat([...head, hashes]);
}

/** What the bytes say, or why they are no manifest. Never throws; nothing is allocated by what they claim. */
export function decodeManifest(bytes: Uint8Array): Manifest | ManifestRefusal {
  if (bytes.length < HASHES_AT) return 'manifest-length';
  if (readU8(bytes, 0) !== VERSION) return 'manifest-version';
  const size = Number(readU64(bytes, SIZE_AT));
  if (!isFileSize(size)) return 'manifest-size';
  const layout = chunkLayout(size);
  if (bytes.length !== HASHES_AT + layout.total * CHUNK_HASH_BYTES) return 'manifest-length';
  const name = readName(bytes);
  if (name === undefined) return 'manifest-name';
  const fileKey = bytes.subarray(KEY_AT, KEY_AT + FILE_KEY_BYTES);
  return { fileKey, name, layout, hashes: bytes.subarray(HASHES_AT) };
}

function readName(bytes: Uint8Array): string | undefined {
  const end = NAME_AT + readU8(bytes, NAME_LENGTH_AT);
  if (end === NAME_AT || !allZero(bytes, end, HASHES_AT)) return undefined;
  try {
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    return decoder.decode(bytes.subarray(NAME_AT, end));
  } catch {
    return undefined;
  }
}

/** The hash of chunk `index`, a view. */
export const chunkHash = (hashes: Uint8Array, index: number): Uint8Array =>
  hashes.subarray(index * CHUNK_HASH_BYTES, (index + 1) * CHUNK_HASH_BYTES);

/**
 * What a file is by its content alone, 32 bytes: the same for the same bytes in another offer, under another name and
 * another key, so that a transfer goes on after both sides have forgotten everything.
 */
export function contentId(
  backend: CryptoBackend,
  { layout, hashes }: Pick<Manifest, 'layout' | 'hashes'>,
): Uint8Array {
  const id = new Uint8Array(32);
  const label = [ascii('sallyport file content v1'), new Uint8Array(1)];
  backend.hash('SHA256', [...label, u64(BigInt(layout.size)), hashes], id);
  return id;
}

/** What the part of a file is called on the disk: one for each sender and content. */
export function partKey(
  backend: CryptoBackend,
  fingerprint: string,
  manifest: Pick<Manifest, 'layout' | 'hashes'>,
): string {
  const hash = new Uint8Array(32);
  backend.hash('SHA256', [ascii(fingerprint), contentId(backend, manifest)], hash);
  return toHex(hash.subarray(0, 16));
}
