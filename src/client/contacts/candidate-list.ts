/*
 * Candidates: addresses at which an endpoint may be reached, as they stand in offers.
 *
 *    0    1   n   number of candidates, at most 8
 *    1  19n   each as protocol/relay/address.ts writes it: family u8, address 16, port u16
 */
import { concat, readU8, u8 } from '../../protocol/bytes.js';
import {
  decodeSeenAddress,
  encodeSeenAddress,
  SEEN_ADDRESS_BYTES,
  type SeenAddress,
} from '../../protocol/relay/address.js';

export const MAX_CANDIDATES = 8;

/** The bytes of at most eight candidates; those behind the eighth are left out. */
export function encodeCandidates(candidates: readonly SeenAddress[]): Uint8Array {
  const sent = candidates.slice(0, MAX_CANDIDATES);
  return concat([u8(sent.length), ...sent.map(encodeSeenAddress)]);
}

/** The candidates that fill `bytes` from `offset` to its end, or undefined if they do not. Never throws. */
export function decodeCandidates(
  bytes: Uint8Array,
  offset: number,
): readonly SeenAddress[] | undefined {
  const count = readU8(bytes, offset);
  if (count > MAX_CANDIDATES) return undefined;
  if (bytes.length !== offset + 1 + count * SEEN_ADDRESS_BYTES) return undefined;
  const candidates: SeenAddress[] = [];
  for (let i = 0; i < count; i++) {
    const candidate = decodeSeenAddress(bytes, offset + 1 + i * SEEN_ADDRESS_BYTES);
    if (candidate === undefined) return undefined;
    candidates.push(candidate);
  }
  return candidates;
}

/**
 * Whether a datagram may be sent to what a peer named: a single host, and one of this machine only when this endpoint is
 * itself bound to the loopback. A peer must not make this endpoint knock at its own machine's doors.
 */
export function mayTry({ family, address }: SeenAddress, isLoopbackAllowed: boolean): boolean {
  const first = readU8(address, 0);
  if (family === 4) return first === 127 ? isLoopbackAllowed : first !== 0 && first < 224;
  const isLoopback = address.subarray(0, 15).every((byte) => byte === 0);
  if (isLoopback) return isLoopbackAllowed && readU8(address, 15) === 1;
  const isLinkLocal = first === 0xfe && (readU8(address, 1) & 0xc0) === 0x80;
  return first !== 0xff && !isLinkLocal;
}
