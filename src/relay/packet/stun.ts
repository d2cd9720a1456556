/*
 * STUN Binding (RFC 8489), stateless and without authentication: it tells a client the address that it is seen from.
 *
 * | offset | bytes | field                                          |
 * |--------|-------|------------------------------------------------|
 * | 0      | 2     | type: 0001 request, 0101 success, 0111 error   |
 * | 2      | 2     | length of what follows the header, times of 4  |
 * | 4      | 4     | magic cookie 2112a442                          |
 * | 8      | 12    | transaction id                                 |
 * | 20     | n     | attributes: type u16, length u16, value, zeros |
 *
 * An answer is never longer than its question (our clients pad with the PADDING attribute, RFC 5780, 7.6, or any other
 * that need not be understood); plain requests of 20 bytes are answered only where the settings allow it.
 */
import { crc32 } from './crc32.js';
import { isIpv4, ipBytes, PORT_WORD } from './address.js';

const HEADER_BYTES = 20;
const MAGIC = 0x2112a442;
const BINDING_REQUEST = 0x0001;
const BINDING_SUCCESS = 0x0101;
const BINDING_ERROR = 0x0111;
const XOR_MAPPED_ADDRESS = 0x0020;
const ERROR_CODE = 0x0009;
const UNKNOWN_ATTRIBUTES = 0x000a;
const FINGERPRINT = 0x8028;
/** RFC 8489, 14.7. */
const FINGERPRINT_XOR = 0x5354554e;
const FINGERPRINT_BYTES = 8;
/** Attributes below this have to be understood (RFC 8489, 14). */
const FIRST_OPTIONAL = 0x8000;
/**
 * Those that have to be understood and that a server without credentials may leave alone: USERNAME, MESSAGE-INTEGRITY,
 * REALM, NONCE, MESSAGE-INTEGRITY-SHA256, USERHASH, PASSWORD-ALGORITHM (RFC 8489, 14), PADDING (RFC 5780, 7.6).
 */
const UNDERSTOOD = new Set([0x0006, 0x0008, 0x0014, 0x0015, 0x001c, 0x001e, 0x001d, 0x0026]);
/** More unknown ones than a client has reason to send are not listed. */
const MAX_UNKNOWN_LISTED = 8;

/** Whether the datagram is STUN by its first bytes: two zero bits (RFC 8489, 5) and the magic cookie. */
export const isStun = (bytes: Uint8Array, at: number, length: number): boolean =>
  length >= HEADER_BYTES &&
  ((bytes[at] ?? 0) & 0xc0) === 0 &&
  bytes[at + 4] === 0x21 &&
  bytes[at + 5] === 0x12 &&
  bytes[at + 6] === 0xa4 &&
  bytes[at + 7] === 0x42;

/** What a Binding request asks; `transaction` is a view of it. */
export interface BindingRequest {
  readonly transaction: Uint8Array;
  /** Whether it ended with a FINGERPRINT, which the answer then does too. */
  readonly fingerprint: boolean;
  /** Attributes that have to be understood and are not. */
  readonly unknown: readonly number[];
}

/** Reads a Binding request; undefined if it is none or its FINGERPRINT is wrong. Never throws. */
export function readBindingRequest(bytes: Uint8Array): BindingRequest | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (!isRequest(view)) return undefined;
  const unknown: number[] = [];
  let fingerprint = false;
  for (let at = HEADER_BYTES; at < bytes.length;) {
    const type = view.getUint16(at);
    const end = at + 4 + ((view.getUint16(at + 2) + 3) & ~3);
    // FINGERPRINT is the last attribute, and it is right or the datagram is none (RFC 8489, 14.7).
    if (end > bytes.length || fingerprint) return undefined;
    fingerprint = type === FINGERPRINT;
    if (fingerprint && !isFingerprint(view, at)) return undefined;
    if (isUnknown(type)) unknown.push(type);
    at = end;
  }
  return listed(bytes, fingerprint, unknown);
}

/** Whether the header is that of a Binding request, and the length its own. */
const isRequest = (view: DataView): boolean =>
  view.byteLength >= HEADER_BYTES &&
  view.getUint16(0) === BINDING_REQUEST &&
  view.getUint16(2) === view.byteLength - HEADER_BYTES &&
  view.byteLength % 4 === 0;

function listed(bytes: Uint8Array, fingerprint: boolean, all: readonly number[]): BindingRequest {
  const unknown = all.slice(0, MAX_UNKNOWN_LISTED);
  return { transaction: bytes.subarray(8, HEADER_BYTES), fingerprint, unknown };
}

const isUnknown = (type: number): boolean => type < FIRST_OPTIONAL && !UNDERSTOOD.has(type);

function isFingerprint(view: DataView, at: number): boolean {
  if (view.getUint16(at + 2) !== 4) return false;
  const before = new Uint8Array(view.buffer, view.byteOffset, at);
  return view.getUint32(at + 4) === (crc32(before) ^ FINGERPRINT_XOR) >>> 0;
}

/** The answer to `request` that came from the address at `at`: its address, or which attributes are unknown. */
export function bindingAnswer(request: BindingRequest, words: Uint32Array, at = 0): Uint8Array {
  const { unknown, transaction, fingerprint } = request;
  const body =
    unknown.length > 0 ? unknownAttributes(unknown) : mappedAddress(words, at, transaction);
  const extra = fingerprint ? FINGERPRINT_BYTES : 0;
  const answer = new Uint8Array(HEADER_BYTES + body.length + extra);
  const view = new DataView(answer.buffer);
  view.setUint16(0, unknown.length > 0 ? BINDING_ERROR : BINDING_SUCCESS);
  view.setUint16(2, body.length + extra);
  view.setUint32(4, MAGIC);
  answer.set(transaction, 8);
  answer.set(body, HEADER_BYTES);
  if (fingerprint) {
    const end = HEADER_BYTES + body.length;
    view.setUint16(end, FINGERPRINT);
    view.setUint16(end + 2, 4);
    view.setUint32(end + 4, crc32(answer.subarray(0, end)) ^ FINGERPRINT_XOR);
  }
  return answer;
}

/** XOR-MAPPED-ADDRESS (RFC 8489, 14.2). */
function mappedAddress(words: Uint32Array, at: number, transaction: Uint8Array): Uint8Array {
  const four = isIpv4(words, at);
  const ip = four ? ipBytes(words, at).subarray(12) : ipBytes(words, at);
  const attribute = new Uint8Array(8 + ip.length);
  const view = new DataView(attribute.buffer);
  view.setUint16(0, XOR_MAPPED_ADDRESS);
  view.setUint16(2, 4 + ip.length);
  view.setUint8(5, four ? 1 : 2);
  view.setUint16(6, (words[at + PORT_WORD] ?? 0) ^ (MAGIC >>> 16));
  const mask = Uint8Array.of(0x21, 0x12, 0xa4, 0x42, ...transaction);
  for (const [i, byte] of ip.entries()) attribute[8 + i] = byte ^ (mask[i] ?? 0);
  return attribute;
}

/** ERROR-CODE 420 without a phrase, and UNKNOWN-ATTRIBUTES (RFC 8489, 6.3.1, 14.8, 14.13). */
function unknownAttributes(unknown: readonly number[]): Uint8Array {
  const listed = (unknown.length * 2 + 3) & ~3;
  const body = new Uint8Array(8 + 4 + listed);
  const view = new DataView(body.buffer);
  view.setUint16(0, ERROR_CODE);
  view.setUint16(2, 4);
  view.setUint8(6, 4);
  view.setUint8(7, 20);
  view.setUint16(8, UNKNOWN_ATTRIBUTES);
  view.setUint16(10, unknown.length * 2);
  for (const [i, type] of unknown.entries()) view.setUint16(12 + 2 * i, type);
  return body;
}
