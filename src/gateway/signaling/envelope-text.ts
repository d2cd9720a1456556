/*
 * Envelopes and tokens as base64url text. The gateway never decodes an envelope: it looks at the length, and in a first
 * contact at the sender who is named in front. Texts are canonical (RFC 4648, section 3.5): bits behind the last byte
 * are zero, so that one token has one text.
 */
import { concat } from '../../protocol/bytes.js';
import { ENVELOPE_BYTES, FIRST_CONTACT_BYTES } from '../../protocol/envelope/seal-envelope.js';
import { toBase64url } from '../../protocol/lease/base64url.js';
import type { Caller } from '../caller.js';

/** Last characters of texts whose last character stands for 2 bits (16 bytes) or 4 (512, 2,048, 8,192 bytes). */
const LAST_2_BITS = 'AQgw';
const LAST_4_BITS = 'AEIMQUYcgkosw048';

const textLength = (bytes: number) => Math.ceil((bytes * 4) / 3);
const ENVELOPE_LENGTHS = new Set(ENVELOPE_BYTES.map(textLength));
const NAMED_LENGTH = textLength(FIRST_CONTACT_BYTES);

/** Whether a text that fits the schema of envelopes stands for 512, 2,048 or 8,192 bytes. */
export const isEnvelopeText = (text: string): boolean =>
  ENVELOPE_LENGTHS.has(text.length) && LAST_4_BITS.includes(text.charAt(text.length - 1));

/** Whether a text that fits the schema of tokens is the one text of its 16 bytes. */
export const isTokenText = (text: string): boolean =>
  LAST_2_BITS.includes(text.charAt(text.length - 1));

/** Whether the envelope of a first contact names the device that sends it: 48 bytes are 64 characters. */
export const namesSender = (
  envelope: string,
  { identity, device }: Pick<Caller, 'identity' | 'device'>,
): boolean =>
  envelope.slice(0, NAMED_LENGTH) ===
  toBase64url(concat([identity, Buffer.from(device, 'base64url')]));
