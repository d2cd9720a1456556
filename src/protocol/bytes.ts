/*
 * Reading, writing and joining bytes. Integers are big-endian unless a name says otherwise (wire formats, B).
 */

/** A field of variable length: its length goes before it as two bytes. */
export interface Variable {
  readonly variable: Uint8Array;
}

const MAX_VARIABLE_BYTES = 0xffff;

/**
 * What every signature and hash of ours is over: the ASCII `label`, a zero byte, then the fields; fixed-length ones as
 * they are, variable ones after their length (wire formats, B).
 * @throws RangeError if a variable field is longer than 65,535 bytes.
 */
export function labelled(label: string, fields: readonly (Uint8Array | Variable)[]): Uint8Array {
  const parts: Uint8Array[] = [ascii(label), new Uint8Array(1)];
  for (const field of fields) {
    if (field instanceof Uint8Array) {
      parts.push(field);
    } else {
      if (field.variable.length > MAX_VARIABLE_BYTES)
        throw new RangeError(`a field of ${field.variable.length} bytes exceeds 65535`);
      parts.push(u16(field.variable.length), field.variable);
    }
  }
  return concat(parts);
}

/** `parts` one after the other, in a new array that belongs to the caller. */
export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** The bytes of `text`. @throws RangeError if a character is not ASCII. */
export function ascii(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7f) throw new RangeError('only ASCII is allowed here');
    bytes[i] = code;
  }
  return bytes;
}

/** One byte. */
export const u8 = (value: number): Uint8Array => Uint8Array.of(value);

/** Two bytes. */
export const u16 = (value: number): Uint8Array => Uint8Array.of(value >>> 8, value);

/** Four bytes. */
export function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

/** Eight bytes, exact to 2^64 - 1. */
export function u64(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value);
  return bytes;
}

/** The byte at `offset`; 0 outside of `bytes`: decoders check lengths first, none of these readers throws or allocates. */
export const readU8 = (bytes: Uint8Array, offset: number): number => bytes[offset] ?? 0;

/** Two bytes at `offset`. */
export const readU16 = (bytes: Uint8Array, offset: number): number =>
  (readU8(bytes, offset) << 8) | readU8(bytes, offset + 1);

/** Four bytes at `offset`. */
export const readU32 = (bytes: Uint8Array, offset: number): number =>
  ((readU16(bytes, offset) << 16) | readU16(bytes, offset + 2)) >>> 0;

/** Eight bytes at `offset`, exact to 2^64 - 1: a bigint, because a number ends at 2^53. */
export const readU64 = (bytes: Uint8Array, offset: number): bigint =>
  (BigInt(readU32(bytes, offset)) << 32n) | BigInt(readU32(bytes, offset + 4));

/** Whether every byte from `start` to before `end` is zero. */
export function allZero(bytes: Uint8Array, start: number, end: number): boolean {
  let seen = 0;
  for (let i = start; i < end; i++) seen |= readU8(bytes, i);
  return seen === 0;
}

/** Whether both are the same bytes, in a time that depends on their lengths only. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= readU8(a, i) ^ readU8(b, i);
  return difference === 0;
}

/**
 * The bytes of hexadecimal `text`, blanks between fields allowed. For constants and tests.
 * @throws RangeError if anything else is in it or a digit is missing.
 */
export function fromHex(text: string): Uint8Array {
  const digits = text.replaceAll(' ', '');
  if (!/^([0-9a-fA-F]{2})*$/.test(digits))
    throw new RangeError('pairs of hexadecimal digits are needed');
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

/** Lower-case hexadecimal. For tests and public values, never for secrets: strings cannot be erased. */
export const toHex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
