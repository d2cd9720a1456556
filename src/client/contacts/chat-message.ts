/*
 * A message on the `chat` channel.
 *
 *    0    1   kind   1 text
 *    1   16   id     random; a message that is sent again in another session keeps it
 *   17    n   text   UTF-8, 1 to 65,536 bytes
 *
 *    0    1   kind   2 grant for calls: here, since it must not wait behind a file
 *    1    n   token  1 to 2,048 bytes: the sender's grant, before its first call frame and whenever it is renewed
 */
import { concat, u8 } from '../../protocol/bytes.js';
import { toBase64url } from '../../protocol/lease/base64url.js';
import { MAX_GRANT_TOKEN_BYTES } from '../../protocol/lease/grant.js';

const TEXT = 1;
const GRANT = 2;
const TEXT_AT = 17;
const MAX_TEXT_BYTES = 65_536;
/** More messages than one session has under way: a repeat comes soon after the first or not at all. */
const MAX_REMEMBERED = 1_024;

export const MESSAGE_ID_BYTES = 16;

/** A text and the name of its message. */
export interface ChatMessage {
  readonly id: Uint8Array;
  readonly text: string;
}

/** Why bytes are no chat message. A closed list: each is a metric label. */
export type ChatRefusal = 'chat-length' | 'chat-kind' | 'chat-not-unicode';

/** The bytes. @throws RangeError for an empty or too long text or one that is no Unicode. */
export function encodeChatMessage({ id, text }: ChatMessage): Uint8Array {
  const utf8 = new TextEncoder().encode(text);
  if (id.length !== MESSAGE_ID_BYTES) throw new RangeError('a message id has 16 bytes');
  if (utf8.length === 0 || utf8.length > MAX_TEXT_BYTES || !text.isWellFormed())
    throw new RangeError('a message is 1 to 65,536 bytes of Unicode text');
  return concat([u8(TEXT), id, utf8]);
}

/** The message, or why the bytes are none. Never throws. */
export function decodeChatMessage(bytes: Uint8Array): ChatMessage | ChatRefusal {
  if (bytes.length <= TEXT_AT || bytes.length > TEXT_AT + MAX_TEXT_BYTES) return 'chat-length';
  if (bytes[0] !== TEXT) return 'chat-kind';
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
      bytes.subarray(TEXT_AT),
    );
    return { id: bytes.slice(1, TEXT_AT), text };
  } catch {
    return 'chat-not-unicode';
  }
}

/** The bytes that show a grant. */
export const encodeCallGrant = (token: Uint8Array): Uint8Array => concat([u8(GRANT), token]);

/** The token that a message shows, a view; undefined if it shows none. Never throws. */
export function decodeCallGrant(bytes: Uint8Array): Uint8Array | undefined {
  const isGrant = bytes[0] === GRANT && bytes.length > 1;
  return isGrant && bytes.length <= 1 + MAX_GRANT_TOKEN_BYTES ? bytes.subarray(1) : undefined;
}

/** The ids of the last 1,024 messages of one contact: one that was sent again after a lost session is shown once. */
export class ShownMessages {
  readonly #ids = new Set<string>();

  /** Whether the message is new; from then on it is not. */
  isNew(id: Uint8Array): boolean {
    const name = toBase64url(id);
    if (this.#ids.has(name)) return false;
    this.#ids.add(name);
    const [oldest] = this.#ids;
    if (this.#ids.size > MAX_REMEMBERED && oldest !== undefined) this.#ids.delete(oldest);
    return true;
  }
}
