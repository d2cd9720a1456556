/** RFC 4648, section 6, in lower case and without padding. */
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';

/** Lower-case base32 of `bytes`, whose number must be a multiple of 5: then no bit is left over. @throws RangeError */
export function toBase32(bytes: Uint8Array): string {
  if (bytes.length % 5 !== 0) throw new RangeError(`${bytes.length} bytes are no multiple of 5`);
  let text = '';
  for (let at = 0; at < bytes.length; at += 5) {
    let bits = 0n;
    for (const byte of bytes.subarray(at, at + 5)) bits = (bits << 8n) | BigInt(byte);
    for (let shift = 35n; shift >= 0n; shift -= 5n)
      text += ALPHABET.charAt(Number((bits >> shift) & 31n));
  }
  return text;
}

/** The bytes of lower-case base32 of a multiple of 8 characters; undefined for anything else, capitals included. */
export function fromBase32(text: string): Uint8Array | undefined {
  if (text.length % 8 !== 0) return undefined;
  const bytes = new Uint8Array((text.length / 8) * 5);
  let bits = 0;
  let held = 0;
  let at = 0;
  for (const character of text) {
    const value = ALPHABET.indexOf(character);
    if (value < 0) return undefined;
    bits = ((bits << 5) | value) & 0xfff;
    held += 5;
    if (held >= 8) bytes[at++] = bits >>> (held -= 8);
  }
  return bytes;
}
