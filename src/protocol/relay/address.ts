/*
 * An address as a relay sees it, 19 bytes. One address has one form, so that bytes can be compared.
 *   1 byte    family   4 or 6
 *   16 bytes  address  family 4: four bytes, then twelve zeros; family 6: never an IPv4-mapped one
 *   2 bytes   port     not 0
 */
import { allZero, concat, readU16, readU8, u16, u8 } from '../bytes.js';

export const SEEN_ADDRESS_BYTES = 19;

/** Where datagrams come from: address and port of a socket. */
export interface SeenAddress {
  readonly family: 4 | 6;
  /** 16 bytes; of family 4 the first four count and the others are zero. */
  readonly address: Uint8Array;
  readonly port: number;
}

/** ::ffff:0:0/96 (RFC 4291, section 2.5.5.2). */
const isMapped = (bytes: Uint8Array, at: number): boolean =>
  allZero(bytes, at, at + 10) && readU16(bytes, at + 10) === 0xffff;

function isCanonical(family: number, bytes: Uint8Array, at: number): boolean {
  if (family === 4) return allZero(bytes, at + 4, at + 16);
  return family === 6 && !isMapped(bytes, at);
}

/**
 * The one form of an address of 4 or 16 bytes: IPv4-mapped ones become family 4.
 * @throws RangeError if there are 4 or 16 bytes not, or the port is not 1 to 65,535.
 */
export function seenAddress(bytes: Uint8Array, port: number): SeenAddress {
  if (!Number.isInteger(port) || port < 1 || port > 0xffff)
    throw new RangeError(`${port} is not a port`);
  if (bytes.length !== 4 && bytes.length !== 16)
    throw new RangeError(`an address has 4 or 16 bytes, not ${bytes.length}`);
  const mapped = bytes.length === 16 && isMapped(bytes, 0);
  const address = new Uint8Array(16);
  address.set(mapped ? bytes.subarray(12) : bytes);
  return { family: mapped || bytes.length === 4 ? 4 : 6, address, port };
}

/** @throws RangeError if `seen` is not in the one form that `seenAddress` gives. */
export function encodeSeenAddress({ family, address, port }: SeenAddress): Uint8Array {
  const inForm = address.length === 16 && isCanonical(family, address, 0);
  if (!inForm || port < 1 || port > 0xffff)
    throw new RangeError('the address is not in its one form');
  return concat([u8(family), address, u16(port)]);
}

/** The address at `offset`, its bytes a view; undefined if it is in another form. The caller has checked the length. */
export function decodeSeenAddress(bytes: Uint8Array, offset: number): SeenAddress | undefined {
  const family = readU8(bytes, offset);
  const port = readU16(bytes, offset + 17);
  if ((family !== 4 && family !== 6) || port === 0) return undefined;
  if (!isCanonical(family, bytes, offset + 1)) return undefined;
  return { family, address: bytes.subarray(offset + 1, offset + 17), port };
}
