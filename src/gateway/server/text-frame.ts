/*
 * A text message of a server in one WebSocket frame (RFC 6455, section 5.2):
 *
 *   offset  bytes  field
 *   0       1      0x81: FIN, opcode 1
 *   1       1      length up to 125; or 126: 2 bytes of length follow; or 127: 8 do
 *   2       0|2|8  length, big endian
 *   ...            UTF-8, not masked
 */

const FIN_AND_TEXT = 0x81;
const MAX_SHORT = 125;
const TWO_BYTES = 126;
const MAX_TWO_BYTES = 0xffff;
const EIGHT_BYTES = 127;

/** The frame of `text`, header and payload in one piece: one write instead of two. The caller owns the bytes. */
export function textFrame(text: string): Uint8Array {
  const length = Buffer.byteLength(text);
  const start = length <= MAX_SHORT ? 2 : length <= MAX_TWO_BYTES ? 4 : 10;
  const frame = Buffer.allocUnsafe(start + length);
  frame[0] = FIN_AND_TEXT;
  if (start === 2) frame[1] = length;
  else if (start === 4) {
    frame[1] = TWO_BYTES;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = EIGHT_BYTES;
    frame.writeBigUInt64BE(BigInt(length), 2);
  }
  frame.write(text, start);
  return frame;
}
