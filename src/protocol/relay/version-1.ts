/*
 * The bodies of version 1, as others built it (wire formats, A). Integers are big-endian.
 *   01 LEASE_PRESENT  role u8 (0 client, 1 server) | length u16 | PASETO text
 *   02 LEASE_ACK      expires u64 (unix ms) | soft u32 (kbps) | hard u32 (kbps)
 *   03 LEASE_REJECT   reason u16
 *   04 LEASE_RENEW    empty
 *   10 FORWARD        opaque
 * Our relay counts 01 and 04 and answers neither: a presentation without a proof of possession can be replayed by
 * whoever saw it, and an answer to a spoofed question falls on a stranger. No setting changes that.
 */
import { readU16, readU32, readU64, readU8, u16, u32, u64, u8 } from '../bytes.js';
import {
  encodeFrame,
  headerRefusal,
  lengthRefusal,
  MAX_RELAY_FRAME_BYTES,
  readHeader,
  RELAY_HEADER_BYTES,
  RelayType,
  type FrameHeader,
  type HeaderFields,
  type RelayFrameRefusal,
} from './header.js';

/** The two sides of a session, as leases name them. */
export type Role = 'client' | 'server';

/** Each role on the wire. */
export const ROLE_CODES: Readonly<Record<Role, number>> = { client: 0, server: 1 };

/** Why a relay of version 1 rejects a lease. The first six of our own list (reasons.ts) are the same. */
export const REJECT_CODES = {
  expired: 1,
  'invalid-signature': 2,
  'wrong-relay': 3,
  'session-full': 4,
  banned: 5,
  'rate-limited': 6,
} as const;

/** One of REJECT_CODES. */
export type RejectReason = keyof typeof REJECT_CODES;

/** What remains of 1,500 bytes for the token. */
export const MAX_PRESENTED_TOKEN_BYTES = MAX_RELAY_FRAME_BYTES - RELAY_HEADER_BYTES - 3;

const ACK_BYTES = RELAY_HEADER_BYTES + 16;
const REJECT_BYTES = RELAY_HEADER_BYTES + 2;

/** 01: a lease without proof of its key. */
export interface LeasePresent extends FrameHeader {
  readonly type: 'lease-present';
  readonly role: Role;
  /** A view of the frame: text of a PASETO, not looked at. */
  readonly token: Uint8Array;
}

/** 02: the lease holds. */
export interface LeaseAck extends FrameHeader {
  readonly type: 'lease-ack';
  readonly expiresMs: bigint;
  readonly softKbps: number;
  readonly hardKbps: number;
}

/** 03: it does not. */
export interface LeaseReject extends FrameHeader {
  readonly type: 'lease-reject';
  readonly reason: RejectReason;
}

/** 04: asks for more time. */
export interface LeaseRenew extends FrameHeader {
  readonly type: 'lease-renew';
}

/** 10: bytes for the other side. */
export interface Forward extends FrameHeader {
  readonly type: 'forward';
  /** A view of the frame. */
  readonly payload: Uint8Array;
}

/** The role of a code on the wire; undefined if there is none. */
export function roleOf(code: number): Role | undefined {
  if (code === ROLE_CODES.client) return 'client';
  return code === ROLE_CODES.server ? 'server' : undefined;
}

/** @throws RangeError if the token is empty or longer than 1,477 bytes. */
export function encodeLeasePresent(
  header: HeaderFields,
  { role, token }: Pick<LeasePresent, 'role' | 'token'>,
): Uint8Array {
  if (token.length === 0 || token.length > MAX_PRESENTED_TOKEN_BYTES)
    throw new RangeError(`a token has 1 to ${MAX_PRESENTED_TOKEN_BYTES} bytes`);
  return encodeFrame(RelayType.leasePresent, header, [
    u8(ROLE_CODES[role]),
    u16(token.length),
    token,
  ]);
}

/** Reads a LEASE_PRESENT. Never throws, never copies. */
export function decodeLeasePresent(bytes: Uint8Array): LeasePresent | RelayFrameRefusal {
  const refusal = headerRefusal(bytes, RelayType.leasePresent);
  if (refusal !== undefined) return refusal;
  const start = RELAY_HEADER_BYTES + 3;
  if (bytes.length < start) return 'too-short';
  const role = roleOf(readU8(bytes, RELAY_HEADER_BYTES));
  if (role === undefined) return 'bad-role';
  const length = readU16(bytes, RELAY_HEADER_BYTES + 1);
  if (length === 0 || start + length !== bytes.length) return 'bad-token-length';
  return { type: 'lease-present', ...readHeader(bytes), role, token: bytes.subarray(start) };
}

/** @throws RangeError as encodeFrame does. */
export const encodeLeaseAck = (
  header: HeaderFields,
  { expiresMs, softKbps, hardKbps }: Pick<LeaseAck, 'expiresMs' | 'softKbps' | 'hardKbps'>,
): Uint8Array =>
  encodeFrame(RelayType.leaseAck, header, [u64(expiresMs), u32(softKbps), u32(hardKbps)]);

/** Reads a LEASE_ACK. Never throws, never copies. */
export function decodeLeaseAck(bytes: Uint8Array): LeaseAck | RelayFrameRefusal {
  const refusal = headerRefusal(bytes, RelayType.leaseAck) ?? lengthRefusal(bytes, ACK_BYTES);
  if (refusal !== undefined) return refusal;
  return {
    type: 'lease-ack',
    ...readHeader(bytes),
    expiresMs: readU64(bytes, RELAY_HEADER_BYTES),
    softKbps: readU32(bytes, RELAY_HEADER_BYTES + 8),
    hardKbps: readU32(bytes, RELAY_HEADER_BYTES + 12),
  };
}

/** @throws RangeError as encodeFrame does. */
export const encodeLeaseReject = (header: HeaderFields, reason: RejectReason): Uint8Array =>
  encodeFrame(RelayType.leaseReject, header, [u16(REJECT_CODES[reason])]);

/** Reads a LEASE_REJECT. Never throws, never copies. */
export function decodeLeaseReject(bytes: Uint8Array): LeaseReject | RelayFrameRefusal {
  const refusal = headerRefusal(bytes, RelayType.leaseReject) ?? lengthRefusal(bytes, REJECT_BYTES);
  if (refusal !== undefined) return refusal;
  const reason = REJECT_NAMES[readU16(bytes, RELAY_HEADER_BYTES) - 1];
  if (reason === undefined) return 'unknown-reason';
  return { type: 'lease-reject', ...readHeader(bytes), reason };
}

/** In the order of their codes, which begin at 1. */
const REJECT_NAMES: readonly RejectReason[] = [
  'expired',
  'invalid-signature',
  'wrong-relay',
  'session-full',
  'banned',
  'rate-limited',
];

/** @throws RangeError as encodeFrame does. */
export const encodeLeaseRenew = (header: HeaderFields): Uint8Array =>
  encodeFrame(RelayType.leaseRenew, header, []);

/** Reads a LEASE_RENEW. Never throws, never copies. */
export function decodeLeaseRenew(bytes: Uint8Array): LeaseRenew | RelayFrameRefusal {
  const refusal =
    headerRefusal(bytes, RelayType.leaseRenew) ?? lengthRefusal(bytes, RELAY_HEADER_BYTES);
  return refusal ?? { type: 'lease-renew', ...readHeader(bytes) };
}

/** @throws RangeError as encodeFrame does: a payload has at most 1,480 bytes. */
export const encodeForward = (header: HeaderFields, payload: Uint8Array): Uint8Array =>
  encodeFrame(RelayType.forward, header, [payload]);

/** Reads a FORWARD. Never throws, never copies; what the payload is, the relay does not ask. */
export function decodeForward(bytes: Uint8Array): Forward | RelayFrameRefusal {
  const refusal = headerRefusal(bytes, RelayType.forward);
  if (refusal !== undefined) return refusal;
  return { type: 'forward', ...readHeader(bytes), payload: bytes.subarray(RELAY_HEADER_BYTES) };
}
