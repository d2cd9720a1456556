/*
 * Body of a `candidates` envelope: what is new about a session that was offered. Integers are big-endian.
 *
 *    0    1   version     always 1
 *    1   16   sid         of the session
 *   17    2   r           length of the relay id; 0: no other relay
 *   19    r   relay id    the sender has a lease there and asks the peer to get one: the present relay drains
 *    .    .   candidates  candidate-list.ts, to the end
 */
import { ascii, concat, readU16, u16, u8 } from '../../protocol/bytes.js';
import type { SeenAddress } from '../../protocol/relay/address.js';
import { decodeCandidates, encodeCandidates } from './candidate-list.js';
import { readRelayId } from './relay-id.js';

const VERSION = 1;
const SESSION_ID_BYTES = 16;
const RELAY_ID_AT = 19;

/** What is new about a session. */
export interface Candidates {
  readonly sessionId: Uint8Array;
  readonly relayId: string | undefined;
  readonly candidates: readonly SeenAddress[];
}

/** Why a body is none. A closed list: each is a metric label. */
export type CandidatesRefusal =
  'candidates-length' | 'candidates-version' | 'candidates-relay' | 'candidates-addresses';

/** The body. @throws RangeError if the session id has not 16 bytes. */
export function encodeCandidatesBody({ sessionId, relayId, candidates }: Candidates): Uint8Array {
  if (sessionId.length !== SESSION_ID_BYTES) throw new RangeError('a session id has 16 bytes');
  const rid = ascii(relayId ?? '');
  return concat([u8(VERSION), sessionId, u16(rid.length), rid, encodeCandidates(candidates)]);
}

/** What the body says, its arrays views of `bytes`, or why it is none. Never throws. */
export function decodeCandidatesBody(bytes: Uint8Array): Candidates | CandidatesRefusal {
  if (bytes.length < RELAY_ID_AT) return 'candidates-length';
  if (bytes[0] !== VERSION) return 'candidates-version';
  const relayEnd = RELAY_ID_AT + readU16(bytes, 17);
  if (relayEnd >= bytes.length) return 'candidates-length';
  const rid = bytes.subarray(RELAY_ID_AT, relayEnd);
  const relayId = rid.length === 0 ? undefined : readRelayId(rid);
  if (rid.length > 0 && relayId === undefined) return 'candidates-relay';
  const candidates = decodeCandidates(bytes, relayEnd);
  if (candidates === undefined) return 'candidates-addresses';
  return { sessionId: bytes.subarray(1, 1 + SESSION_ID_BYTES), relayId, candidates };
}
