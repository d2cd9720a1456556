/*
 * Session datagram (wire formats, B), inside FORWARD and on the direct path. Integers are big-endian.
 *   8 bytes   counter         per direction, from 0, never reset; 2^64 - 1 is never sent
 *   4 bytes   receiver index  chosen by the receiver for this session
 *   1 byte    kind            01, 02, 03 handshake messages, 04 transport
 *   1 byte    key epoch       number of rekeys of this direction, mod 256
 *   2 bytes   zero
 *   n bytes   ciphertext      channel and type are inside it
 *   16 bytes  tag             over the 16 bytes before the ciphertext as associated data
 * Nonce: 4 zero bytes, then the counter little-endian (Noise rev 34, 12.3). The counter is two 32-bit halves: a JS
 * number is exact to 2^53 only, and a bigint per datagram would be garbage for the collector.
 */
import { AEAD_TAG_BYTES } from '../crypto-backend.js';

/** What a datagram carries. There is no kind for plaintext and none is negotiated. */
export const DatagramKind = { message1: 1, message2: 2, message3: 3, transport: 4 } as const;

export const HEADER_BYTES = 16;

/** The largest plaintext of one datagram: 1,232 bytes of UDP payload less 20 of relay header, 16 of header and 16 of tag. */
export const MAX_PLAINTEXT_BYTES = 1180;

/** The largest session datagram, header and tag included. */
export const MAX_DATAGRAM_BYTES = HEADER_BYTES + MAX_PLAINTEXT_BYTES + AEAD_TAG_BYTES;

/** Every handshake datagram is as long as this, so that an answer is never larger than its question. */
export const HANDSHAKE_DATAGRAM_BYTES = 512;

const MIN_TRANSPORT_BYTES = HEADER_BYTES + AEAD_TAG_BYTES;
export const MAX_U32 = 0xffff_ffff;

/** Why bytes are not a session datagram. A closed list: each is a metric label, none is ever sent back. */
export type DatagramRefusal =
  | 'too-short'
  | 'too-long'
  | 'unknown-kind'
  | 'reserved-not-zero'
  | 'bad-handshake-size'
  | 'bad-handshake-header'
  | 'counter-limit';

/** The first 16 bytes of a datagram. Mutable, so that one object serves every datagram of a session. */
export interface DatagramHeader {
  counterHigh: number;
  counterLow: number;
  receiverIndex: number;
  kind: number;
  keyEpoch: number;
}

/** A header to decode into. */
export const emptyHeader = (): DatagramHeader => ({
  counterHigh: 0,
  counterLow: 0,
  receiverIndex: 0,
  kind: 0,
  keyEpoch: 0,
});

/** The 32-bit integer at `at`, without a DataView: this runs for every datagram. Bytes past the end count as zero. */
export function readU32(bytes: Uint8Array, at: number): number {
  return (
    (((bytes[at] ?? 0) << 24) |
      ((bytes[at + 1] ?? 0) << 16) |
      ((bytes[at + 2] ?? 0) << 8) |
      (bytes[at + 3] ?? 0)) >>>
    0
  );
}

/** Writes `value` as four bytes at `at`. */
export function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

/** Writes the 16 bytes of `header` to the start of `out`. */
export function encodeHeader(header: Readonly<DatagramHeader>, out: Uint8Array): void {
  writeU32(out, 0, header.counterHigh);
  writeU32(out, 4, header.counterLow);
  writeU32(out, 8, header.receiverIndex);
  out[12] = header.kind;
  out[13] = header.keyEpoch;
  out[14] = 0;
  out[15] = 0;
}

/**
 * Reads the header into `header` and gives why the bytes are no session datagram, or undefined if they are one.
 * Nothing here is authenticated yet. Never throws, copies or allocates; on a refusal `header` is meaningless.
 */
export function decodeHeader(
  bytes: Uint8Array,
  header: DatagramHeader,
): DatagramRefusal | undefined {
  if (bytes.length < MIN_TRANSPORT_BYTES) return 'too-short';
  if (bytes.length > MAX_DATAGRAM_BYTES) return 'too-long';
  readHeader(bytes, header);
  if (bytes[14] !== 0 || bytes[15] !== 0) return 'reserved-not-zero';
  if (header.kind === DatagramKind.transport) return refuseCounter(header);
  if (header.kind < DatagramKind.message1 || header.kind > DatagramKind.message3)
    return 'unknown-kind';
  return refuseHandshakeHeader(bytes, header);
}

function readHeader(bytes: Uint8Array, header: DatagramHeader): void {
  header.counterHigh = readU32(bytes, 0);
  header.counterLow = readU32(bytes, 4);
  header.receiverIndex = readU32(bytes, 8);
  header.kind = bytes[12] ?? 0;
  header.keyEpoch = bytes[13] ?? 0;
}

/** REKEY encrypts under the nonce 2^64 - 1 (Noise rev 34, 4.2): no datagram may share it. */
function refuseCounter({ counterHigh, counterLow }: DatagramHeader): DatagramRefusal | undefined {
  return counterHigh === MAX_U32 && counterLow === MAX_U32 ? 'counter-limit' : undefined;
}

function refuseHandshakeHeader(
  bytes: Uint8Array,
  header: DatagramHeader,
): DatagramRefusal | undefined {
  if (bytes.length !== HANDSHAKE_DATAGRAM_BYTES) return 'bad-handshake-size';
  const blank = (header.counterHigh | header.counterLow | header.keyEpoch) === 0;
  const addressed = header.kind !== DatagramKind.message1 || header.receiverIndex === 0;
  return blank && addressed ? undefined : 'bad-handshake-header';
}
