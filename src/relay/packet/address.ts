/*
 * An address as the packet path holds it: six 32-bit words in a Uint32Array, so that comparing is six comparisons and
 * storing allocates nothing.
 *
 * | word | content                                                                         |
 * |------|---------------------------------------------------------------------------------|
 * | 0-3  | IPv6 address as it lies in memory; IPv4 as ::ffff:a.b.c.d (RFC 4291, 2.5.5.2)   |
 * | 4    | port; 0 is no address at all                                                    |
 * | 5    | link: the UDP socket it came through, or FIRST_TCP_LINK plus the TCP connection |
 *
 * There is one form for one address, whatever the socket's family: a dual-stack socket and an IPv4 one agree.
 */
import { seenAddress, type SeenAddress } from '../../protocol/relay/address.js';
import { ipText } from '../../runtime/ip-address.js';

/** Words of one address. */
export const ADDRESS_WORDS = 6;
/** Position of the port. */
export const PORT_WORD = 4;
/** Position of the link. */
export const LINK_WORD = 5;
/** Links from here on are TCP connections. */
export const FIRST_TCP_LINK = 256;

/** Whether words lie in memory with their lowest byte first. */
function isLittleEndian(): boolean {
  return new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
}

/** Word 2 of an IPv4-mapped address, in the byte order of this machine. */
export const MAPPED_WORD = new DataView(Uint8Array.of(0, 0, 0xff, 0xff).buffer).getUint32(
  0,
  isLittleEndian(),
);

/** A new address of zeros, which is no address. */
export const newAddress = (): Uint32Array => new Uint32Array(ADDRESS_WORDS);

/** Whether the address at `at` is IPv4. */
export const isIpv4 = (words: Uint32Array, at = 0): boolean =>
  words[at] === 0 && words[at + 1] === 0 && words[at + 2] === MAPPED_WORD;

/** Whether both are the same address and port through the same link. Allocates nothing. */
export function sameAddress(a: Uint32Array, aAt: number, b: Uint32Array, bAt: number): boolean {
  return (
    a[aAt + 3] === b[bAt + 3] &&
    a[aAt + 4] === b[bAt + 4] &&
    a[aAt + 5] === b[bAt + 5] &&
    a[aAt] === b[bAt] &&
    a[aAt + 1] === b[bAt + 1] &&
    a[aAt + 2] === b[bAt + 2]
  );
}

/** Copies the six words. Allocates nothing. */
export function copyAddress(
  from: Uint32Array,
  fromAt: number,
  to: Uint32Array,
  toAt: number,
): void {
  for (let i = 0; i < ADDRESS_WORDS; i++) to[toAt + i] = from[fromAt + i] ?? 0;
}

/** The 16 bytes of the IP address, a view of `words`. */
export const ipBytes = (words: Uint32Array, at = 0): Uint8Array =>
  new Uint8Array(words.buffer, words.byteOffset + at * 4, 16);

/** Writes IP (16 bytes), port and link. */
export function setAddress(
  words: Uint32Array,
  ip: Uint8Array,
  { port, link }: { readonly port: number; readonly link: number },
): void {
  ipBytes(words).set(ip);
  words[PORT_WORD] = port;
  words[LINK_WORD] = link;
}

/** The address as frames write it. The port must not be 0. */
export const seenOf = (words: Uint32Array, at = 0): SeenAddress =>
  seenAddress(ipBytes(words, at), words[at + PORT_WORD] ?? 0);

/** Which source an address counts for: itself, or its /64 (RFC 6177: what one subscriber gets at least). */
export const sourceOf = (words: Uint32Array, at = 0): string =>
  isIpv4(words, at)
    ? ipText(ipBytes(words, at))
    : Buffer.from(ipBytes(words, at).subarray(0, 8)).toString('hex');
