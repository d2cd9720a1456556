/** `bytes`, after making sure that the caller gave a field of `length` bytes. @throws RangeError */
export function fieldOf(name: string, bytes: Uint8Array, length: number): Uint8Array {
  if (bytes.length !== length)
    throw new RangeError(`${name} has ${bytes.length} bytes, not ${length}`);
  return bytes;
}
