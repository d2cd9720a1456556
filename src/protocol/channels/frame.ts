/*
 * The plaintext of a session datagram. Integers are big-endian.
 *
 *   1 byte    form            0 unnumbered, 1 numbered: numbered plaintexts are acknowledged
 *   6 bytes   packet number   uint48, from 0, one more for each numbered plaintext; zero if unnumbered
 *   2 bytes   span            packet number less the oldest one that the sender still waits for; zero if unnumbered
 *   n bytes   frames, one after the other; zeros from the last one to the end
 *
 * ACK       01 | delay uint16, in 10 us, from the arrival of `largest` to this frame | largest uint48
 *              | consumed uint48 of chat, of file, of input: the first segment not yet given to the application
 *              | count uint8 | run uint16: received packets directly below `largest`
 *              | count times: gap uint8 (missing packets, from 1), run uint16 (received packets below them, from 1)
 * CONTROL   02 | length uint16 | data                     never sent again by this layer
 * SEGMENT   03 | channel uint8 (1 chat, 2 file, 3 input) | sequence uint48 | index uint16 | total uint16
 *              | length uint16 | data                     numbered plaintexts only
 * CALL      04 | sequence uint32 | length uint16 | data   unnumbered, the only frame of its plaintext
 * PING      05                                            numbered plaintexts only: asks for an ACK
 *
 * A message is cut into `total` segments with consecutive sequence numbers; all but the last hold SEGMENT_DATA_BYTES.
 */
import { isCallSize, isPlaintextSize, MAX_PLAINTEXT_BYTES } from './plaintext-size.js';

/** Why a plaintext is not accepted. A closed list: each is a metric label, none is ever sent back. */
export type PlaintextRefusal =
  | 'size'
  | 'form'
  | 'packet-number'
  | 'frame-type'
  | 'truncated'
  | 'padding'
  | 'ack-ranges'
  | 'ack-of-unsent'
  | 'channel'
  | 'segment-index'
  | 'segment-length'
  | 'segment-inconsistent'
  | 'segment-conflict'
  | 'beyond-window'
  | 'too-old'
  | 'duplicate';

export const FRAME = { padding: 0, ack: 1, control: 2, segment: 3, call: 4, ping: 5 } as const;

export const HEADER_BYTES = 9;
export const ACK_FIXED_BYTES = 30;
export const ACK_RANGE_BYTES = 3;
/** `count` is one byte. */
export const MAX_ACK_RANGES = 255;
export const CONTROL_HEADER_BYTES = 3;
export const SEGMENT_HEADER_BYTES = 14;
export const CALL_HEADER_BYTES = 7;
export const ACK_DELAY_UNITS_PER_MS = 100;

/** What every segment of a message but its last one holds: the rest of a full plaintext. */
export const SEGMENT_DATA_BYTES = MAX_PLAINTEXT_BYTES - HEADER_BYTES - SEGMENT_HEADER_BYTES;

/** The channels that repeat what is lost, in the order of their codes from 1 and of `consumed` in an ACK. */
export const RELIABLE_CHANNELS = ['chat', 'file', 'input'] as const;
export type ReliableChannel = (typeof RELIABLE_CHANNELS)[number];

/** The channel with this code. @throws RangeError if there is none: `refusePlaintext` let no such code pass. */
export function reliableChannel(code: number): ReliableChannel {
  const channel = RELIABLE_CHANNELS[code - 1];
  if (channel === undefined) throw new RangeError(`${code} is no channel`);
  return channel;
}

/** The longest message of each channel in segments: what a receiver may have to set aside for one. */
export const MAX_SEGMENTS: Readonly<Record<ReliableChannel, number>> = {
  chat: 64,
  file: 1024,
  input: 1,
};

export const readU16 = (bytes: Uint8Array, at: number): number =>
  ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);

export const readU32 = (bytes: Uint8Array, at: number): number =>
  readU16(bytes, at) * 0x10000 + readU16(bytes, at + 2);

/** Exact: 48 bits fit a number. */
export const readU48 = (bytes: Uint8Array, at: number): number =>
  readU16(bytes, at) * 0x1_0000_0000 + readU32(bytes, at + 2);

export function writeU16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}

export function writeU32(bytes: Uint8Array, at: number, value: number): void {
  writeU16(bytes, at, value >>> 16);
  writeU16(bytes, at + 2, value & 0xffff);
}

export function writeU48(bytes: Uint8Array, at: number, value: number): void {
  writeU16(bytes, at, Math.floor(value / 0x1_0000_0000));
  writeU32(bytes, at + 2, value >>> 0);
}

/**
 * Why `bytes` is not a plaintext, or undefined if every frame in it is whole and within its limits. Looks at the bytes
 * only; what depends on what was sent and received before is judged later.
 */
export function refusePlaintext(bytes: Uint8Array): PlaintextRefusal | undefined {
  if (bytes.length > MAX_PLAINTEXT_BYTES || bytes.length < HEADER_BYTES) return 'size';
  const numbered = bytes[0] === 1;
  if (!numbered && bytes[0] !== 0) return 'form';
  const packet = readU48(bytes, 1);
  const span = readU16(bytes, 7);
  if (numbered ? span > packet : packet + span > 0) return 'packet-number';
  if (bytes[HEADER_BYTES] === FRAME.call) return numbered ? 'form' : refuseCall(bytes);
  return isPlaintextSize(bytes.length) ? refuseFrames(bytes, numbered) : 'size';
}

function refuseCall(bytes: Uint8Array): PlaintextRefusal | undefined {
  if (!isCallSize(bytes.length)) return 'size';
  const end = HEADER_BYTES + CALL_HEADER_BYTES + readU16(bytes, HEADER_BYTES + 5);
  return end > bytes.length ? 'truncated' : refusePadding(bytes, end);
}

function refuseFrames(bytes: Uint8Array, numbered: boolean): PlaintextRefusal | undefined {
  let at = HEADER_BYTES;
  while (at < bytes.length && bytes[at] !== FRAME.padding) {
    const type = bytes[at];
    if (!numbered && (type === FRAME.segment || type === FRAME.ping)) return 'form';
    const length = frameBytes(bytes, at);
    if (typeof length === 'string') return length;
    at += length;
    if (at > bytes.length) return 'truncated';
  }
  return refusePadding(bytes, at);
}

/** Zeros only, so that one content has one encoding and padding carries nothing. */
function refusePadding(bytes: Uint8Array, from: number): PlaintextRefusal | undefined {
  let any = 0;
  for (let at = from; at < bytes.length; at++) any |= bytes[at] ?? 0;
  return any === 0 ? undefined : 'padding';
}

/** How long the frame at `at` is. A frame that `refusePlaintext` accepted is whole. */
export function frameBytes(bytes: Uint8Array, at: number): number | PlaintextRefusal {
  const room = bytes.length - at;
  switch (bytes[at]) {
    case FRAME.ack:
      return room < ACK_FIXED_BYTES ? 'truncated' : ackBytes(bytes, at);
    case FRAME.control:
      return room < CONTROL_HEADER_BYTES
        ? 'truncated'
        : CONTROL_HEADER_BYTES + readU16(bytes, at + 1);
    case FRAME.segment:
      return room < SEGMENT_HEADER_BYTES ? 'truncated' : segmentBytes(bytes, at);
    case FRAME.ping:
      return 1;
    default:
      return 'frame-type';
  }
}

/** Ranges go downwards from `largest` and never below packet 0. */
function ackBytes(bytes: Uint8Array, at: number): number | PlaintextRefusal {
  const count = bytes[at + 27] ?? 0;
  const end = at + ACK_FIXED_BYTES + count * ACK_RANGE_BYTES;
  if (end > bytes.length) return 'truncated';
  let lowest = readU48(bytes, at + 3) - readU16(bytes, at + 28);
  for (let range = at + ACK_FIXED_BYTES; range < end; range += ACK_RANGE_BYTES) {
    const run = readU16(bytes, range + 1);
    if (bytes[range] === 0 || run === 0) return 'ack-ranges';
    lowest -= (bytes[range] ?? 0) + run;
  }
  return lowest < 0 ? 'ack-ranges' : end - at;
}

function segmentBytes(bytes: Uint8Array, at: number): number | PlaintextRefusal {
  const channel = RELIABLE_CHANNELS[(bytes[at + 1] ?? 0) - 1];
  if (channel === undefined) return 'channel';
  const index = readU16(bytes, at + 8);
  const total = readU16(bytes, at + 10);
  const length = readU16(bytes, at + 12);
  if (index >= total || total > MAX_SEGMENTS[channel]) return 'segment-index';
  if (length > SEGMENT_DATA_BYTES) return 'segment-length';
  if (index < total - 1 && length !== SEGMENT_DATA_BYTES) return 'segment-length';
  return SEGMENT_HEADER_BYTES + length;
}
