import { CONTROL_HEADER_BYTES, FRAME, HEADER_BYTES, writeU16 } from '../protocol/channels/frame.js';
import { paddedSize } from '../protocol/channels/plaintext-size.js';

/**
 * Writes an unnumbered plaintext with one control message to the front of `out` (256 bytes or more) and gives its length.
 * A message that belongs to one path goes so: what the channels put together goes on the path in use.
 */
export function writeControlPlaintext(payload: Uint8Array, out: Uint8Array): number {
  const end = HEADER_BYTES + CONTROL_HEADER_BYTES + payload.length;
  const size = paddedSize(end);
  out.fill(0, 0, size);
  out[HEADER_BYTES] = FRAME.control;
  writeU16(out, HEADER_BYTES + 1, payload.length);
  out.set(payload, HEADER_BYTES + CONTROL_HEADER_BYTES);
  return size;
}
