/*
 * base64url without padding (RFC 4648, section 5), strictly: one text for given bytes. Characters outside of the
 * alphabet, `=`, a rest of one character, and bits behind the last byte that are not zero are refused.
 */
import { readU8 } from '../bytes.js';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const NO_DIGIT = 64;

const DIGITS = Uint8Array.from({ length: 256 }, (_, code) => {
  const at = ALPHABET.indexOf(String.fromCharCode(code));
  return at < 0 ? NO_DIGIT : at;
});

/** The text of `bytes`. Not for secrets: strings cannot be erased. */
export function toBase64url(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 3) {
    const left = Math.min(3, bytes.length - at);
    const bits = (readU8(bytes, at) << 16) | (readU8(bytes, at + 1) << 8) | readU8(bytes, at + 2);
    for (let digit = 0; digit <= left; digit++)
      text += ALPHABET.charAt((bits >>> (18 - 6 * digit)) & 63);
  }
  return text;
}

/** The bytes whose text is the ASCII in `text`, in a new array; undefined if it is the text of none. Never throws. */
export function fromBase64url(text: Uint8Array): Uint8Array | undefined {
  if (text.length % 4 === 1) return undefined;
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4));
  let bits = 0;
  let held = 0;
  let at = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = DIGITS[readU8(text, i)] ?? NO_DIGIT;
    if (digit === NO_DIGIT) return undefined;
    bits = ((bits << 6) | digit) & 0xffff;
    held += 6;
    if (held >= 8) {
      held -= 8;
      bytes[at++] = bits >>> held;
    }
  }
  return (bits & ((1 << held) - 1)) === 0 ? bytes : undefined;
}

/** As fromBase64url, from a string; characters above one byte belong to no alphabet. */
export function fromBase64urlText(text: string): Uint8Array | undefined {
  const codes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7f) return undefined;
    codes[i] = code;
  }
  return fromBase64url(codes);
}
