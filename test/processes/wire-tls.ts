/*
 * What anybody can read of a TLS connection (RFC 8446, 5.1): type and length of each record, and the name of the server in
 * a ClientHello (RFC 6066, 3).
 */

const HEADER_BYTES = 5;
const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
const SERVER_NAME = 0;
/** change_cipher_spec, alert, handshake, application_data. */
const TYPES: readonly number[] = [20, 21, 22, 23];

/** Types of the records in what one side said, and how many bytes behind them are none. */
export function recordsOf(bytes: Buffer): {
  readonly types: readonly number[];
  readonly rest: number;
} {
  const types: number[] = [];
  let at = 0;
  while (at + HEADER_BYTES <= bytes.length && TYPES.includes(bytes[at]!)) {
    const end = at + HEADER_BYTES + bytes.readUInt16BE(at + 3);
    // A connection that was cut may end in the middle of a record.
    types.push(bytes[at]!);
    at = Math.min(end, bytes.length);
  }
  return { types, rest: bytes.length - at };
}

/** The names in the clear of the ClientHello with which `bytes` begin; none if they begin with something else. */
export function serverNames(bytes: Buffer): string[] {
  if (bytes[0] !== HANDSHAKE || bytes[HEADER_BYTES] !== CLIENT_HELLO) return [];
  // Record, handshake, version and random; then session id, suites and compression methods, each behind its length.
  let at = HEADER_BYTES + 4 + 2 + 32;
  at += 1 + bytes[at]!;
  at += 2 + bytes.readUInt16BE(at);
  at += 1 + bytes[at]!;
  const end = at + 2 + bytes.readUInt16BE(at);
  for (at += 2; at < end; at += 4 + bytes.readUInt16BE(at + 2))
    if (bytes.readUInt16BE(at) === SERVER_NAME)
      return [bytes.toString('latin1', at + 9, at + 9 + bytes.readUInt16BE(at + 7))];
  return [];
}
