/*
 * RIFT headers, as others send them inside FORWARD (wire formats, A). Our endpoints send datagrams of their own; these
 * let our relay and tools understand relays and clients of version 1. Integers are big-endian.
 * Transport, 18 bytes:                         Handshake, 30 bytes:
 *   2 bytes  magic      52 49                    2 bytes   magic      52 49
 *   2 bytes  version    00 01                    2 bytes   version    00 01
 *   4 bytes  alias      not zero                 16 bytes  session    begins with four zero bytes
 *   8 bytes  packet id                           8 bytes   packet id
 *   2 bytes  CRC-16/KERMIT of the 16 before      2 bytes   CRC-16/KERMIT of the 28 before
 * A packet whose bytes 4 to 7 are zero is a handshake if it has at least 30 bytes, else transport.
 */
import { allZero, concat, readU16, readU32, readU64, u16, u32, u64 } from '../bytes.js';
import { crc16Kermit } from './crc16.js';

export const RIFT_TRANSPORT_BYTES = 18;
export const RIFT_HANDSHAKE_BYTES = 30;

const RIFT_MAGIC = 0x5249;
const RIFT_VERSION = 1;
const FIRST_FOUR = [4, 8] as const;

/** Why bytes are not a RIFT packet. Closed: each is a metric label. */
export const RIFT_REFUSALS = ['too-short', 'bad-magic', 'unknown-version', 'bad-crc'] as const;

/** One of RIFT_REFUSALS. */
export type RiftRefusal = (typeof RIFT_REFUSALS)[number];

/** A sealed packet of a session that both sides know by a number. */
export interface RiftTransport {
  readonly kind: 'transport';
  readonly alias: number;
  readonly packetId: bigint;
  /** A view of the packet. */
  readonly payload: Uint8Array;
}

/** A packet of a handshake. */
export interface RiftHandshake {
  readonly kind: 'handshake';
  /** 16 bytes, a view of the packet. */
  readonly session: Uint8Array;
  readonly packetId: bigint;
  /** A view of the packet. */
  readonly payload: Uint8Array;
}

/** What the body of a FORWARD is in version 1: RIFT, or a sequence number and what follows. */
export type ForwardBody =
  | RiftTransport
  | RiftHandshake
  | { readonly kind: 'plain'; readonly sequence: bigint; readonly payload: Uint8Array };

const withCrc = (header: Uint8Array, payload: Uint8Array): Uint8Array =>
  concat([header, u16(crc16Kermit(header)), payload]);

/** @throws RangeError if the alias is 0: from 30 bytes on, others would read the packet as a handshake. */
export function encodeRiftTransport({
  alias,
  packetId,
  payload,
}: Omit<RiftTransport, 'kind'>): Uint8Array {
  if (alias === 0) throw new RangeError('alias 0 reads as a handshake');
  return withCrc(concat([u16(RIFT_MAGIC), u16(RIFT_VERSION), u32(alias), u64(packetId)]), payload);
}

/** @throws RangeError if the session has not 16 bytes or does not begin with four zero bytes. */
export function encodeRiftHandshake({
  session,
  packetId,
  payload,
}: Omit<RiftHandshake, 'kind'>): Uint8Array {
  if (session.length !== 16 || !allZero(session, 0, 4))
    throw new RangeError('the session of a handshake has 16 bytes, the first four of them zero');
  return withCrc(concat([u16(RIFT_MAGIC), u16(RIFT_VERSION), session, u64(packetId)]), payload);
}

/** Reads a RIFT packet. Never throws, never copies. */
export function decodeRift(bytes: Uint8Array): RiftTransport | RiftHandshake | RiftRefusal {
  if (bytes.length < RIFT_TRANSPORT_BYTES) return 'too-short';
  if (readU16(bytes, 0) !== RIFT_MAGIC) return 'bad-magic';
  if (readU16(bytes, 2) !== RIFT_VERSION) return 'unknown-version';
  const handshake = bytes.length >= RIFT_HANDSHAKE_BYTES && allZero(bytes, ...FIRST_FOUR);
  const length = handshake ? RIFT_HANDSHAKE_BYTES : RIFT_TRANSPORT_BYTES;
  if (readU16(bytes, length - 2) !== crc16Kermit(bytes, 0, length - 2)) return 'bad-crc';
  const rest = { packetId: readU64(bytes, length - 10), payload: bytes.subarray(length) };
  return handshake
    ? { kind: 'handshake', session: bytes.subarray(4, 20), ...rest }
    : { kind: 'transport', alias: readU32(bytes, 4), ...rest };
}

/** What a client or relay of version 1 sees in the body of a FORWARD. Never throws, never copies. Our relay never asks. */
export function decodeForwardBody(payload: Uint8Array): ForwardBody | RiftRefusal {
  if (payload.length >= 2 && readU16(payload, 0) === RIFT_MAGIC) return decodeRift(payload);
  if (payload.length < 8) return 'too-short';
  return { kind: 'plain', sequence: readU64(payload, 0), payload: payload.subarray(8) };
}
