/*
 * How a file is cut. Everything follows from its size, so no count is on the wire that could lie:
 *
 *   padded   the size filled up by Padme, at least what one full datagram carries anyway
 *   chunk    128 KiB; doubled, up to 1 MiB, while there would be more than 8,192 of them
 *   total    padded / chunk, rounded up; the last chunk is as long as what is left
 */
import { padme } from '../../protocol/channels/plaintext-size.js';
import { SEGMENT_DATA_BYTES } from '../../protocol/channels/frame.js';
import { AEAD_TAG_BYTES } from '../../protocol/crypto-backend.js';
import type { ChunkSet } from './chunk-set.js';

/** Before the ciphertext of a chunk: kind, id of the offer, index (file-message.ts). */
export const CHUNK_HEADER_BYTES = 21;

/** File data goes in full datagrams, so that smaller files look like this one whatever is done. */
export const MIN_PADDED_BYTES = SEGMENT_DATA_BYTES - CHUNK_HEADER_BYTES - AEAD_TAG_BYTES;

const MIN_CHUNK_BYTES = 1 << 17;
/** A message of the channel takes 1,184,768 bytes. */
const MAX_CHUNK_BYTES = 1 << 20;
const CHUNKS_BEFORE_DOUBLING = 8_192;

/** 32,768 hashes are 1 MiB: the manifest of a larger file would not be one message. */
export const MAX_FILE_BYTES = 2 ** 35;

/** How a file of `size` bytes is cut. */
export interface ChunkLayout {
  readonly size: number;
  readonly paddedSize: number;
  readonly chunkBytes: number;
  readonly total: number;
}

/** The layout. @throws RangeError unless `size` is a whole number from 0 to MAX_FILE_BYTES: `isFileSize` asks before. */
export function chunkLayout(size: number): ChunkLayout {
  if (!isFileSize(size)) throw new RangeError(`${size} bytes are no size of a file`);
  const paddedSize = Math.max(MIN_PADDED_BYTES, padme(size));
  let chunkBytes = MIN_CHUNK_BYTES;
  while (chunkBytes < MAX_CHUNK_BYTES && paddedSize > chunkBytes * CHUNKS_BEFORE_DOUBLING)
    chunkBytes *= 2;
  return { size, paddedSize, chunkBytes, total: Math.ceil(paddedSize / chunkBytes) };
}

/** Whether a file may have this size. */
export const isFileSize = (size: number): boolean =>
  Number.isSafeInteger(size) && size >= 0 && size <= MAX_FILE_BYTES;

/** The length of chunk `index`, with its padding. */
export const chunkLength = (
  { paddedSize, chunkBytes, total }: ChunkLayout,
  index: number,
): number => (index < total - 1 ? chunkBytes : paddedSize - (total - 1) * chunkBytes);

/** How many bytes of chunk `index` are the file's; the others are padding. */
export const contentLength = (layout: ChunkLayout, index: number): number =>
  Math.max(0, Math.min(chunkLength(layout, index), layout.size - index * layout.chunkBytes));

/** How many bytes of the file the chunks of `set` hold. */
export function contentBytes(layout: ChunkLayout, set: ChunkSet): number {
  let bytes = 0;
  for (let at = set.next(); at !== undefined; at = set.next(at + 1))
    bytes += contentLength(layout, at);
  return bytes;
}
