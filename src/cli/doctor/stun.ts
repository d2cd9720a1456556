/*
 * STUN Binding as a client (RFC 8489): what address this endpoint is seen from. Relays answer a request that is at least as
 * long as the answer, so it is filled up with PADDING (RFC 5780, 7.6).
 *
 *    0   2   type          0001 request, 0101 success
 *    2   2   length        of what follows the header
 *    4   4   magic cookie  2112a442
 *    8  12   transaction   random
 *   20   n   attributes    type u16, length u16, value, filled up to a multiple of four
 */
import { concat, equalBytes, readU16, u16 } from '../../protocol/bytes.js';
import { seenAddress, type SeenAddress } from '../../protocol/relay/address.js';

const HEADER_BYTES = 20;
const REQUEST = 0x0001;
const SUCCESS = 0x0101;
const PADDING = 0x0026;
const XOR_MAPPED_ADDRESS = 0x0020;
const MAGIC = Uint8Array.of(0x21, 0x12, 0xa4, 0x42);
export const TRANSACTION_BYTES = 12;

/** A request of `length` bytes. @throws RangeError unless it is a multiple of four from 24 on, and the transaction has 12 bytes. */
export function bindingRequest(transaction: Uint8Array, length: number): Uint8Array {
  if (transaction.length !== TRANSACTION_BYTES) throw new RangeError('a transaction has 12 bytes');
  if (length % 4 !== 0 || length < HEADER_BYTES + 4)
    throw new RangeError(`${length} bytes of STUN`);
  const padding = length - HEADER_BYTES - 4;
  const head = [u16(REQUEST), u16(length - HEADER_BYTES), MAGIC, transaction];
  return concat([...head, u16(PADDING), u16(padding), new Uint8Array(padding)]);
}

/** The address in the answer to `transaction`; undefined if the bytes are none. Never throws. */
export function seenIn(bytes: Uint8Array, transaction: Uint8Array): SeenAddress | undefined {
  const isAnswer =
    bytes.length >= HEADER_BYTES &&
    readU16(bytes, 0) === SUCCESS &&
    readU16(bytes, 2) === bytes.length - HEADER_BYTES &&
    equalBytes(bytes.subarray(4, 8), MAGIC) &&
    equalBytes(bytes.subarray(8, HEADER_BYTES), transaction);
  if (!isAnswer) return undefined;
  for (let at = HEADER_BYTES; at + 4 <= bytes.length;) {
    const [type, length] = [readU16(bytes, at), readU16(bytes, at + 2)];
    const value = bytes.subarray(at + 4, at + 4 + length);
    if (type === XOR_MAPPED_ADDRESS && value.length === length) return unmasked(value, transaction);
    at += 4 + ((length + 3) & ~3);
  }
  return undefined;
}

/** Family, port and address, each masked with the magic cookie, and IPv6 with the transaction as well (RFC 8489, 14.2). */
function unmasked(value: Uint8Array, transaction: Uint8Array): SeenAddress | undefined {
  const family = value[1];
  const length = family === 1 ? 4 : 16;
  if ((family !== 1 && family !== 2) || value.length !== 4 + length) return undefined;
  const port = readU16(value, 2) ^ readU16(MAGIC, 0);
  const mask = concat([MAGIC, transaction]);
  const address = value.slice(4).map((byte, i) => byte ^ (mask[i] ?? 0));
  return port === 0 ? undefined : seenAddress(address, port);
}
