/*
 * Admission to a relay (wire formats, B). Behind the header of 20 bytes; integers are big-endian.
 *   20 HELLO    nonce 16 | zeros                                                        exactly 512 in all
 *   21 COOKIE   nonce 16 | cookie 32 | family u8 | address 16 | port u16                 exactly 87
 *   22 PROVE    nonce 16 | cookie 32 | seq u64 | role u8 | length u16 | PASETO text | signature 64   144 to 1,232
 *   25 PROVED   nonce 16 | expires u64 (unix ms) | soft u32 (kbps) | hard u32 (kbps)     exactly 52
 *   26 REFUSED  nonce 16 | reason u16                                                    exactly 38
 * No answer is longer than its question: 512 asks for 87, and at least 144 for 52 or 38. The nonce is the endpoint's
 * and ties an answer to its question.
 */
import { allZero, readU16, readU32, readU64, readU8, u16, u32, u64, u8 } from '../bytes.js';
import { decodeSeenAddress, encodeSeenAddress, type SeenAddress } from './address.js';
import {
  encodeFrame,
  exactly,
  headerRefusal,
  lengthRefusal,
  readHeader,
  RELAY_HEADER_BYTES,
  RelayType,
  type FrameHeader,
  type HeaderFields,
  type RelayFrameRefusal,
} from './header.js';
import { REFUSED_CODES, refusedReasonOf, type RefusedReason } from './reasons.js';
import { ROLE_CODES, roleOf, type Role } from './version-1.js';

export const NONCE_BYTES = 16;
export const COOKIE_BYTES = 32;
export const SIGNATURE_BYTES = 64;
export const HELLO_FRAME_BYTES = 512;
export const COOKIE_FRAME_BYTES = 87;
export const PROVED_FRAME_BYTES = 52;
export const REFUSED_FRAME_BYTES = 38;
/** The 1,280-byte minimum MTU of IPv6 (RFC 8200, section 5) less 40 bytes of IPv6 and 8 of UDP. */
export const MAX_PROVE_FRAME_BYTES = 1232;

/** Where the fields of a PROVE begin, counted from the frame. */
const PROVE = { nonce: 20, cookie: 36, seq: 68, role: 76, length: 77, token: 79 } as const;
/** What a PROVE has besides its token. */
const PROVE_FIXED_BYTES = PROVE.token + SIGNATURE_BYTES;

/** The longest token that fits a PROVE. */
export const MAX_PROVED_TOKEN_BYTES = MAX_PROVE_FRAME_BYTES - PROVE_FIXED_BYTES;

const NONCE_END = RELAY_HEADER_BYTES + NONCE_BYTES;

/** All frames of admission carry the endpoint's nonce: 16 bytes, when read a view of the frame. */
export interface WithNonce {
  readonly nonce: Uint8Array;
}

/** 20: asks for a cookie. */
export interface Hello extends FrameHeader, WithNonce {
  readonly type: 'hello';
}

/** 21: proves to the relay that the endpoint receives at its address, and tells the endpoint that address. */
export interface Cookie extends FrameHeader, WithNonce {
  readonly type: 'cookie';
  /** 32 bytes, a view of the frame. */
  readonly cookie: Uint8Array;
  readonly seen: SeenAddress;
}

/** The fields of a PROVE, as written and as read; those of bytes are views of the frame when read. */
export interface ProveFields extends WithNonce {
  readonly cookie: Uint8Array;
  /** Grows with every new proof of one lease key. */
  readonly seq: bigint;
  readonly role: Role;
  /** Text of a PASETO, not looked at here. */
  readonly token: Uint8Array;
  /** Ed25519 with the lease's key over `proveSigningInput`. */
  readonly signature: Uint8Array;
}

/** 22: a lease, and the proof of its key. */
export interface Prove extends FrameHeader, ProveFields {
  readonly type: 'prove';
}

/** The fields of a PROVED. */
export interface ProvedFields extends WithNonce {
  readonly expiresMs: bigint;
  readonly softKbps: number;
  readonly hardKbps: number;
}

/** 25: the slot is held from the address that the proof came from. */
export interface Proved extends FrameHeader, ProvedFields {
  readonly type: 'proved';
}

/** 26: it is not, and why. Sent only after a valid cookie. */
export interface Refused extends FrameHeader, WithNonce {
  readonly type: 'refused';
  readonly reason: RefusedReason;
}

const nonceOf = (bytes: Uint8Array): Uint8Array => bytes.subarray(RELAY_HEADER_BYTES, NONCE_END);

/** @throws RangeError if the nonce has not 16 bytes. */
export const encodeHello = (header: HeaderFields, { nonce }: WithNonce): Uint8Array =>
  encodeFrame(RelayType.hello, header, [
    exactly(NONCE_BYTES, 'nonce', nonce),
    new Uint8Array(HELLO_FRAME_BYTES - NONCE_END),
  ]);

/** Reads a HELLO. Never throws, never copies. Padding that is not zero is refused: nothing travels in it. */
export function decodeHello(bytes: Uint8Array): Hello | RelayFrameRefusal {
  const refusal = headerRefusal(bytes, RelayType.hello) ?? lengthRefusal(bytes, HELLO_FRAME_BYTES);
  if (refusal !== undefined) return refusal;
  if (!allZero(bytes, NONCE_END, HELLO_FRAME_BYTES)) return 'bad-padding';
  return { type: 'hello', ...readHeader(bytes), nonce: nonceOf(bytes) };
}

/** @throws RangeError if a field has not its length or the address is not in its one form. */
export const encodeCookie = (
  header: HeaderFields,
  { nonce, cookie, seen }: Pick<Cookie, 'nonce' | 'cookie' | 'seen'>,
): Uint8Array =>
  encodeFrame(RelayType.cookie, header, [
    exactly(NONCE_BYTES, 'nonce', nonce),
    exactly(COOKIE_BYTES, 'cookie', cookie),
    encodeSeenAddress(seen),
  ]);

/** Reads a COOKIE. Never throws, never copies. */
export function decodeCookie(bytes: Uint8Array): Cookie | RelayFrameRefusal {
  const refusal =
    headerRefusal(bytes, RelayType.cookie) ?? lengthRefusal(bytes, COOKIE_FRAME_BYTES);
  if (refusal !== undefined) return refusal;
  const seen = decodeSeenAddress(bytes, NONCE_END + COOKIE_BYTES);
  if (seen === undefined) return 'bad-address';
  const cookie = bytes.subarray(NONCE_END, NONCE_END + COOKIE_BYTES);
  return { type: 'cookie', ...readHeader(bytes), nonce: nonceOf(bytes), cookie, seen };
}

/** @throws RangeError if a field has not its length, or the token is empty or longer than 1,089 bytes. */
export function encodeProve(header: HeaderFields, fields: ProveFields): Uint8Array {
  const { nonce, cookie, seq, role, token, signature } = fields;
  if (token.length === 0 || token.length > MAX_PROVED_TOKEN_BYTES)
    throw new RangeError(`a token has 1 to ${MAX_PROVED_TOKEN_BYTES} bytes`);
  return encodeFrame(RelayType.prove, header, [
    exactly(NONCE_BYTES, 'nonce', nonce),
    exactly(COOKIE_BYTES, 'cookie', cookie),
    u64(seq),
    u8(ROLE_CODES[role]),
    u16(token.length),
    token,
    exactly(SIGNATURE_BYTES, 'signature', signature),
  ]);
}

/** Why `bytes` cannot be a PROVE by its length alone: the first check of a relay, before the cookie. */
export function proveLengthRefusal(bytes: Uint8Array): RelayFrameRefusal | undefined {
  if (bytes.length < PROVE_FIXED_BYTES + 1) return 'too-short';
  if (bytes.length > MAX_PROVE_FRAME_BYTES) return 'too-long';
  return readU16(bytes, PROVE.length) === bytes.length - PROVE_FIXED_BYTES
    ? undefined
    : 'bad-token-length';
}

/** Reads a PROVE. Never throws, never copies; says nothing about cookie, token and signature. */
export function decodeProve(bytes: Uint8Array): Prove | RelayFrameRefusal {
  const refusal = headerRefusal(bytes, RelayType.prove) ?? proveLengthRefusal(bytes);
  if (refusal !== undefined) return refusal;
  const role = roleOf(readU8(bytes, PROVE.role));
  if (role === undefined) return 'bad-role';
  const tokenEnd = bytes.length - SIGNATURE_BYTES;
  return {
    type: 'prove',
    ...readHeader(bytes),
    nonce: nonceOf(bytes),
    cookie: bytes.subarray(PROVE.cookie, PROVE.seq),
    seq: readU64(bytes, PROVE.seq),
    role,
    token: bytes.subarray(PROVE.token, tokenEnd),
    signature: bytes.subarray(tokenEnd),
  };
}

/** @throws RangeError if the nonce has not 16 bytes. */
export const encodeProved = (header: HeaderFields, fields: ProvedFields): Uint8Array =>
  encodeFrame(RelayType.proved, header, [
    exactly(NONCE_BYTES, 'nonce', fields.nonce),
    u64(fields.expiresMs),
    u32(fields.softKbps),
    u32(fields.hardKbps),
  ]);

/** Reads a PROVED. Never throws, never copies. */
export function decodeProved(bytes: Uint8Array): Proved | RelayFrameRefusal {
  const refusal =
    headerRefusal(bytes, RelayType.proved) ?? lengthRefusal(bytes, PROVED_FRAME_BYTES);
  if (refusal !== undefined) return refusal;
  return {
    type: 'proved',
    ...readHeader(bytes),
    nonce: nonceOf(bytes),
    expiresMs: readU64(bytes, NONCE_END),
    softKbps: readU32(bytes, NONCE_END + 8),
    hardKbps: readU32(bytes, NONCE_END + 12),
  };
}

/** @throws RangeError if the nonce has not 16 bytes. */
export const encodeRefused = (
  header: HeaderFields,
  { nonce, reason }: Pick<Refused, 'nonce' | 'reason'>,
): Uint8Array =>
  encodeFrame(RelayType.refused, header, [
    exactly(NONCE_BYTES, 'nonce', nonce),
    u16(REFUSED_CODES[reason]),
  ]);

/** Reads a REFUSED. Never throws, never copies. */
export function decodeRefused(bytes: Uint8Array): Refused | RelayFrameRefusal {
  const refusal =
    headerRefusal(bytes, RelayType.refused) ?? lengthRefusal(bytes, REFUSED_FRAME_BYTES);
  if (refusal !== undefined) return refusal;
  const reason = refusedReasonOf(readU16(bytes, NONCE_END));
  if (reason === undefined) return 'unknown-reason';
  return { type: 'refused', ...readHeader(bytes), nonce: nonceOf(bytes), reason };
}
