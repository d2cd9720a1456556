/** Random bytes that `uuidv7` needs. */
export const UUID_RANDOM_BYTES = 10;

/**
 * A UUID that sorts by time (RFC 9562, 5.7): 48 bits of Unix milliseconds, version, 74 random bits.
 * @throws RangeError when `random` is not 10 bytes or the time does not fit.
 */
export function uuidv7(unixMs: number, random: Uint8Array): string {
  if (random.length !== UUID_RANDOM_BYTES)
    throw new RangeError(`need ${UUID_RANDOM_BYTES} random bytes`);
  if (!Number.isInteger(unixMs) || unixMs < 0 || unixMs >= 2 ** 48)
    throw new RangeError('time out of range');
  const bytes = new Uint8Array(16);
  new DataView(bytes.buffer).setUint32(0, Math.floor(unixMs / 0x10000));
  new DataView(bytes.buffer).setUint16(4, unixMs % 0x10000);
  bytes.set(random, 6);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x70; // Version 7.
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80; // Variant 10.
  return toHex(bytes).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** Lower-case hexadecimal. */
export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
