/*
 * Handshake datagram (wire formats, B), 512 bytes in all. Integers are big-endian.
 *   16 bytes  header          counter 0, receiver index (0 in message 1), kind 01 to 03, epoch 0, zero
 *   16 bytes  token           from the sealed offer; compared before any curve operation
 *   4 bytes   sender index    the receiver index that the sender wants in what it gets
 *   2 bytes   length          of the Noise message
 *   n bytes   Noise message
 *   rest      zeros
 */
import {
  DatagramKind,
  HANDSHAKE_DATAGRAM_BYTES,
  HEADER_BYTES,
  decodeHeader,
  emptyHeader,
  encodeHeader,
  readU32,
  writeU32,
  type DatagramRefusal,
} from './datagram.js';

export const TOKEN_BYTES = 16;
const SENDER_INDEX_AT = HEADER_BYTES + TOKEN_BYTES;
const LENGTH_AT = SENDER_INDEX_AT + 4;
const MESSAGE_AT = LENGTH_AT + 2;

/** The longest Noise message that a handshake datagram holds. */
export const MAX_NOISE_MESSAGE_BYTES = HANDSHAKE_DATAGRAM_BYTES - MESSAGE_AT;

/** One of the three messages of XX. Arrays that come from `decodeHandshakeDatagram` are views of the datagram. */
export interface HandshakeDatagram {
  readonly kind: 1 | 2 | 3;
  readonly receiverIndex: number;
  readonly token: Uint8Array;
  readonly senderIndex: number;
  readonly message: Uint8Array;
}

/** Why bytes are not a handshake datagram. A closed list: each is a metric label, none is ever sent back. */
export type HandshakeDatagramRefusal =
  DatagramRefusal | 'not-a-handshake' | 'bad-noise-length' | 'padding-not-zero';

/**
 * The 512 bytes of `datagram`, in a new array that belongs to the caller.
 * @throws RangeError if the token is not 16 bytes or the Noise message does not fit: the caller's mistake.
 */
export function encodeHandshakeDatagram(datagram: HandshakeDatagram): Uint8Array {
  const { kind, receiverIndex, token, senderIndex, message } = datagram;
  if (token.length !== TOKEN_BYTES) throw new RangeError('a token is 16 bytes');
  if (message.length > MAX_NOISE_MESSAGE_BYTES)
    throw new RangeError(`a Noise message of ${message.length} bytes exceeds 474`);
  const bytes = new Uint8Array(HANDSHAKE_DATAGRAM_BYTES);
  encodeHeader({ ...emptyHeader(), kind, receiverIndex }, bytes);
  bytes.set(token, HEADER_BYTES);
  writeU32(bytes, SENDER_INDEX_AT, senderIndex);
  bytes[LENGTH_AT] = message.length >>> 8;
  bytes[LENGTH_AT + 1] = message.length;
  bytes.set(message, MESSAGE_AT);
  return bytes;
}

/** Never throws and never copies: anyone may send these bytes. The token is not compared here. */
export function decodeHandshakeDatagram(
  bytes: Uint8Array,
): HandshakeDatagram | HandshakeDatagramRefusal {
  const header = emptyHeader();
  const refusal = decodeHeader(bytes, header);
  if (refusal !== undefined) return refusal;
  const kind = handshakeKind(header.kind);
  if (kind === undefined) return 'not-a-handshake';
  const length = ((bytes[LENGTH_AT] ?? 0) << 8) | (bytes[LENGTH_AT + 1] ?? 0);
  if (length > MAX_NOISE_MESSAGE_BYTES) return 'bad-noise-length';
  for (let at = MESSAGE_AT + length; at < bytes.length; at++)
    if (bytes[at] !== 0) return 'padding-not-zero';
  return {
    kind,
    receiverIndex: header.receiverIndex,
    token: bytes.subarray(HEADER_BYTES, SENDER_INDEX_AT),
    senderIndex: readU32(bytes, SENDER_INDEX_AT),
    message: bytes.subarray(MESSAGE_AT, MESSAGE_AT + length),
  };
}

function handshakeKind(kind: number): 1 | 2 | 3 | undefined {
  return kind === DatagramKind.message1 ||
    kind === DatagramKind.message2 ||
    kind === DatagramKind.message3
    ? kind
    : undefined;
}
