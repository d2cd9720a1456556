/*
 * Relay header, version 1. Every frame between an endpoint and a relay begins with it. Integers are big-endian.
 *   1 byte    magic         57
 *   1 byte    version       01
 *   1 byte    type          see RelayType; 20 and above are ours
 *   1 byte    flags         written as 0, forwarded unchanged, never judged
 *   16 bytes  session id    never all zero
 *   n bytes   body          at most 1,500 bytes with the header
 */
import { allZero, readU32, readU8 } from '../bytes.js';

export const RELAY_MAGIC = 0x57;
export const RELAY_VERSION = 1;
export const RELAY_HEADER_BYTES = 20;
export const SESSION_ID_BYTES = 16;
/** One Ethernet frame, as version 1 has it. */
export const MAX_RELAY_FRAME_BYTES = 1500;

const SESSION_OFFSET = 4;

/** The types of frames. */
export const RelayType = {
  leasePresent: 0x01,
  leaseAck: 0x02,
  leaseReject: 0x03,
  leaseRenew: 0x04,
  forward: 0x10,
  hello: 0x20,
  cookie: 0x21,
  prove: 0x22,
  move: 0x23,
  bye: 0x24,
  proved: 0x25,
  refused: 0x26,
} as const;

/** One of the types of frames, as the number on the wire. */
export type RelayTypeCode = (typeof RelayType)[keyof typeof RelayType];

/** Why bytes are not a frame. A closed list: each is a metric label, none is ever sent back. */
export const RELAY_FRAME_REFUSALS = [
  'too-short',
  'too-long',
  'bad-magic',
  'unknown-version',
  'unknown-type',
  'nil-session',
  'bad-role',
  'bad-token-length',
  'bad-padding',
  'bad-address',
  'unknown-reason',
] as const;

/** One of RELAY_FRAME_REFUSALS. */
export type RelayFrameRefusal = (typeof RELAY_FRAME_REFUSALS)[number];

/** What the writer of a frame says in its header. */
export interface HeaderFields {
  /** 16 bytes. */
  readonly session: Uint8Array;
  /** 0 unless given. */
  readonly flags?: number;
}

/** What a reader finds in a header; `session` and `header` are views of the frame. */
export interface FrameHeader {
  readonly session: Uint8Array;
  readonly flags: number;
  /** All 20 bytes: what proofs are signed over. */
  readonly header: Uint8Array;
}

const KNOWN = new Set<number>(Object.values(RelayType));

/** Whether `code` is the type of a frame that this version knows. */
export const isRelayType = (code: number): code is RelayTypeCode => KNOWN.has(code);

/**
 * The type of the frame of `length` bytes at `offset`, known or not (0 to 255), or a negative number if there is no
 * frame of version 1: `frameRefusal` names it. Allocates nothing and does not look at the session: it runs once per
 * packet. The caller vouches that `offset + length` is inside of `bytes`.
 */
export function frameType(bytes: Uint8Array, offset: number, length: number): number {
  if (length < RELAY_HEADER_BYTES) return -1;
  if (length > MAX_RELAY_FRAME_BYTES) return -2;
  if (readU8(bytes, offset) !== RELAY_MAGIC) return -3;
  if (readU8(bytes, offset + 1) !== RELAY_VERSION) return -4;
  return readU8(bytes, offset + 2);
}

/** What a negative answer of `frameType` means. @throws RangeError if `code` is not one. */
export function frameRefusal(code: number): RelayFrameRefusal {
  const refusal = RELAY_FRAME_REFUSALS[-code - 1];
  if (refusal === undefined || code < -4)
    throw new RangeError(`${code} is not an answer of frameType`);
  return refusal;
}

/** The `word`th (0 to 3) of the four 32-bit words of the session id of the frame at `offset`. Allocates nothing. */
export const sessionWord = (bytes: Uint8Array, offset: number, word: 0 | 1 | 2 | 3): number =>
  readU32(bytes, offset + SESSION_OFFSET + 4 * word);

/** Whether the session id of the frame at `offset` is all zero. Allocates nothing. */
export const isNilSession = (bytes: Uint8Array, offset: number): boolean =>
  allZero(bytes, offset + SESSION_OFFSET, offset + RELAY_HEADER_BYTES);

/** Why the frame that fills `bytes` cannot be read as one of `type`, as far as its header tells; undefined if it can. */
export function headerRefusal(
  bytes: Uint8Array,
  type: RelayTypeCode,
): RelayFrameRefusal | undefined {
  const found = frameType(bytes, 0, bytes.length);
  if (found < 0) return frameRefusal(found);
  if (found !== type) return 'unknown-type';
  return isNilSession(bytes, 0) ? 'nil-session' : undefined;
}

/** The header of the frame that fills `bytes`, as views of it; the caller has judged it with `headerRefusal`. */
export const readHeader = (bytes: Uint8Array): FrameHeader => ({
  session: bytes.subarray(SESSION_OFFSET, RELAY_HEADER_BYTES),
  flags: readU8(bytes, 3),
  header: bytes.subarray(0, RELAY_HEADER_BYTES),
});

/**
 * A frame in a new array that belongs to the caller: header, then the fields of the body one after the other.
 * @throws RangeError if the session id has not 16 bytes or is all zero, or the frame is longer than 1,500 bytes.
 */
export function encodeFrame(
  type: RelayTypeCode,
  { session, flags = 0 }: HeaderFields,
  fields: readonly Uint8Array[],
): Uint8Array {
  if (session.length !== SESSION_ID_BYTES || allZero(session, 0, SESSION_ID_BYTES))
    throw new RangeError('a session id has 16 bytes and is not all zero');
  const length = fields.reduce((sum, field) => sum + field.length, RELAY_HEADER_BYTES);
  if (length > MAX_RELAY_FRAME_BYTES)
    throw new RangeError(`a frame of ${length} bytes exceeds ${MAX_RELAY_FRAME_BYTES}`);
  const frame = new Uint8Array(length);
  frame.set([RELAY_MAGIC, RELAY_VERSION, type, flags]);
  frame.set(session, SESSION_OFFSET);
  let at = RELAY_HEADER_BYTES;
  for (const field of fields) {
    frame.set(field, at);
    at += field.length;
  }
  return frame;
}

/** `field` itself. @throws RangeError if it has not `length` bytes: the caller's mistake. */
export function exactly(length: number, name: string, field: Uint8Array): Uint8Array {
  if (field.length !== length)
    throw new RangeError(`${name} has ${field.length} bytes instead of ${length}`);
  return field;
}

/** Why a frame of fixed size has another; undefined if it has that size. */
export function lengthRefusal(bytes: Uint8Array, length: number): RelayFrameRefusal | undefined {
  if (bytes.length < length) return 'too-short';
  return bytes.length > length ? 'too-long' : undefined;
}
