/*
 * Messages on the `file` channel of a session. Integers are big-endian.
 *
 *   GRANT   01 | text 1 to 2,048                 the sender's grant, first in a session and whenever it is renewed
 *   OFFER   02 | id 16 | manifest                id is random, for this offer alone; manifest.ts
 *   ACCEPT  03 | id 16 | wanted ceil(total / 8)  a bit for each chunk, the highest of the first byte for chunk 0
 *   CHUNK   04 | id 16 | index u32 | sealed      chunk-cipher.ts; chunks go in the order of their indexes
 *   DONE    05 | id 16                           the receiver has verified and kept the whole file
 *   END     06 | id 16 | reason u8               either side; end-reason.ts
 */
import { concat, readU32, readU8, u32, u8 } from '../../protocol/bytes.js';
import { AEAD_TAG_BYTES } from '../../protocol/crypto-backend.js';
import { MAX_GRANT_TOKEN_BYTES } from '../../protocol/lease/grant.js';
import { CHUNK_HEADER_BYTES } from './chunk-layout.js';
import { endCode, endReason, type EndReason } from './end-reason.js';

export const OFFER_ID_BYTES = 16;
const KIND = { grant: 1, offer: 2, accept: 3, chunk: 4, done: 5, end: 6 } as const;
const BODY_AT = 1 + OFFER_ID_BYTES;

/** A message. Arrays that were decoded are views of its bytes. */
export type FileMessage =
  | { readonly type: 'grant'; readonly token: Uint8Array }
  | { readonly type: 'offer'; readonly id: Uint8Array; readonly manifest: Uint8Array }
  | { readonly type: 'accept'; readonly id: Uint8Array; readonly wanted: Uint8Array }
  | {
      readonly type: 'chunk';
      readonly id: Uint8Array;
      readonly index: number;
      readonly sealed: Uint8Array;
    }
  | { readonly type: 'done'; readonly id: Uint8Array }
  | { readonly type: 'end'; readonly id: Uint8Array; readonly reason: EndReason };

/** Why bytes are no message. A closed list: each is a metric label, none is ever sent back. */
export type FileMessageRefusal = 'file-kind' | 'file-length' | 'file-reason';

/** The bytes of a message other than a chunk. @throws RangeError if an id has not 16 bytes. */
export function encodeFileMessage(message: Exclude<FileMessage, { type: 'chunk' }>): Uint8Array {
  const kind = u8(KIND[message.type]);
  if (message.type === 'grant') return concat([kind, message.token]);
  if (message.id.length !== OFFER_ID_BYTES) throw new RangeError('the id of an offer has 16 bytes');
  return concat([kind, message.id, bodyOf(message)]);
}

function bodyOf(message: Exclude<FileMessage, { type: 'chunk' | 'grant' }>): Uint8Array {
  switch (message.type) {
    case 'offer':
      return message.manifest;
    case 'accept':
      return message.wanted;
    case 'end':
      return u8(endCode(message.reason));
    case 'done':
      return new Uint8Array();
  }
}

/** A chunk's message with `length` bytes of room for plaintext and a tag behind its header: it is sealed in its place. */
export function emptyChunkMessage(id: Uint8Array, index: number, length: number): Uint8Array {
  const message = new Uint8Array(CHUNK_HEADER_BYTES + length + AEAD_TAG_BYTES);
  message.set(concat([u8(KIND.chunk), id, u32(index)]));
  return message;
}

/** The message, or why the bytes are none. Never throws, never copies. */
export function decodeFileMessage(bytes: Uint8Array): FileMessage | FileMessageRefusal {
  const kind = readU8(bytes, 0);
  if (kind === KIND.grant) return decodeGrant(bytes.subarray(1));
  if (kind < KIND.grant || kind > KIND.end) return 'file-kind';
  if (bytes.length < BODY_AT) return 'file-length';
  return decodeWithId(kind, bytes.subarray(1, BODY_AT), bytes.subarray(BODY_AT));
}

function decodeGrant(token: Uint8Array): FileMessage | FileMessageRefusal {
  const fits = token.length > 0 && token.length <= MAX_GRANT_TOKEN_BYTES;
  return fits ? { type: 'grant', token } : 'file-length';
}

function decodeWithId(
  kind: number,
  id: Uint8Array,
  body: Uint8Array,
): FileMessage | FileMessageRefusal {
  switch (kind) {
    case KIND.offer:
      return { type: 'offer', id, manifest: body };
    case KIND.accept:
      return { type: 'accept', id, wanted: body };
    case KIND.chunk:
      return decodeChunk(id, body);
    case KIND.end:
      return decodeEnd(id, body);
    default:
      return body.length === 0 ? { type: 'done', id } : 'file-length';
  }
}

function decodeChunk(id: Uint8Array, body: Uint8Array): FileMessage | FileMessageRefusal {
  if (body.length <= 4 + AEAD_TAG_BYTES) return 'file-length';
  return { type: 'chunk', id, index: readU32(body, 0), sealed: body.subarray(4) };
}

function decodeEnd(id: Uint8Array, body: Uint8Array): FileMessage | FileMessageRefusal {
  if (body.length !== 1) return 'file-length';
  const reason = endReason(readU8(body, 0));
  return reason === undefined ? 'file-reason' : { type: 'end', id, reason };
}
