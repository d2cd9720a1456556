/*
 * Leaving a relay (wire formats, B). Behind the header of 20 bytes; integers are big-endian.
 *   23 MOVE  nonce 16 of the newest PROVE | deadline u64 (unix ms)   exactly 44: the relay drains
 *   24 BYE   seq u64 | signature 64                                 exactly 92: the endpoint gives its lease up
 * MOVE is not authenticated: it is a hint that costs whoever believes a forged one a lease at another relay.
 */
import { readU64, u64 } from '../bytes.js';
import { NONCE_BYTES, SIGNATURE_BYTES, type WithNonce } from './admission.js';
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

export const MOVE_FRAME_BYTES = 44;
export const BYE_FRAME_BYTES = 92;

/** 23: until when the relay goes on forwarding. */
export interface Move extends FrameHeader, WithNonce {
  readonly type: 'move';
  readonly deadlineMs: bigint;
}

/** 24: the lease is not used any more. */
export interface Bye extends FrameHeader {
  readonly type: 'bye';
  readonly seq: bigint;
  /** Ed25519 with the lease's key over `byeSigningInput`, 64 bytes, a view of the frame. */
  readonly signature: Uint8Array;
}

/** @throws RangeError if the nonce has not 16 bytes. */
export const encodeMove = (
  header: HeaderFields,
  { nonce, deadlineMs }: Pick<Move, 'nonce' | 'deadlineMs'>,
): Uint8Array =>
  encodeFrame(RelayType.move, header, [exactly(NONCE_BYTES, 'nonce', nonce), u64(deadlineMs)]);

/** Reads a MOVE. Never throws, never copies. */
export function decodeMove(bytes: Uint8Array): Move | RelayFrameRefusal {
  const refusal = headerRefusal(bytes, RelayType.move) ?? lengthRefusal(bytes, MOVE_FRAME_BYTES);
  if (refusal !== undefined) return refusal;
  const end = RELAY_HEADER_BYTES + NONCE_BYTES;
  return {
    type: 'move',
    ...readHeader(bytes),
    nonce: bytes.subarray(RELAY_HEADER_BYTES, end),
    deadlineMs: readU64(bytes, end),
  };
}

/** @throws RangeError if the signature has not 64 bytes. */
export const encodeBye = (
  header: HeaderFields,
  { seq, signature }: Pick<Bye, 'seq' | 'signature'>,
): Uint8Array =>
  encodeFrame(RelayType.bye, header, [u64(seq), exactly(SIGNATURE_BYTES, 'signature', signature)]);

/** Reads a BYE. Never throws, never copies; says nothing about the signature. */
export function decodeBye(bytes: Uint8Array): Bye | RelayFrameRefusal {
  const refusal = headerRefusal(bytes, RelayType.bye) ?? lengthRefusal(bytes, BYE_FRAME_BYTES);
  if (refusal !== undefined) return refusal;
  return {
    type: 'bye',
    ...readHeader(bytes),
    seq: readU64(bytes, RELAY_HEADER_BYTES),
    signature: bytes.subarray(RELAY_HEADER_BYTES + 8),
  };
}
