/*
 * Body of an `offer` envelope: everything that the responder needs for a session. Integers are big-endian.
 *
 *    0    1   version     always 1
 *    1   32   session seed  random: the Ed25519 seed of spk; sid = 16 bytes of SHA-256("sallyport session v1", 0, spk)
 *   33   16   token       random: of the handshake datagrams; for one handshake within 60 s
 *   49    1   call mode   0 narrowband, 1 wideband, 2 video
 *   50    2   r           length of the relay id, 1 to 323
 *   52    r   relay id    ASCII, NAMESPACE/POOL/ORDINAL; where it is, and its pins, the responder asks his own gateway
 *    .    .   candidates  candidate-list.ts, to the end; none when the offerer shows no address
 *
 * Both peers hold the seed, so both can sign lease requests for this session and nobody else can.
 */
import { ascii, concat, readU16, readU8, u16, u8 } from '../../protocol/bytes.js';
import type { CallMode } from '../../protocol/channels/plaintext-size.js';
import type { SeenAddress } from '../../protocol/relay/address.js';
import { decodeCandidates, encodeCandidates } from './candidate-list.js';
import { readRelayId } from './relay-id.js';

const VERSION = 1;
const RELAY_ID_AT = 52;
const CALL_MODES: readonly CallMode[] = ['narrowband', 'wideband', 'video'];

export const SESSION_SEED_BYTES = 32;
export const TOKEN_BYTES = 16;

/** What an offer says. */
export interface Offer {
  /** 32 bytes, a secret of the two peers. */
  readonly sessionSeed: Uint8Array;
  readonly token: Uint8Array;
  readonly callMode: CallMode;
  readonly relayId: string;
  readonly candidates: readonly SeenAddress[];
}

/** Why a body is no offer. A closed list: each is a metric label. */
export type OfferRefusal =
  'offer-length' | 'offer-version' | 'offer-call-mode' | 'offer-relay' | 'offer-candidates';

/** The body. @throws RangeError if a field has a wrong length. */
export function encodeOffer({
  sessionSeed,
  token,
  callMode,
  relayId,
  candidates,
}: Offer): Uint8Array {
  if (sessionSeed.length !== SESSION_SEED_BYTES || token.length !== TOKEN_BYTES)
    throw new RangeError('a session seed has 32 bytes and a token 16');
  return concat([
    u8(VERSION),
    sessionSeed,
    token,
    u8(CALL_MODES.indexOf(callMode)),
    u16(relayId.length),
    ascii(relayId),
    encodeCandidates(candidates),
  ]);
}

/** The offer, its arrays views of `bytes`, or why it is none. Never throws. */
export function decodeOffer(bytes: Uint8Array): Offer | OfferRefusal {
  if (bytes.length < RELAY_ID_AT) return 'offer-length';
  if (bytes[0] !== VERSION) return 'offer-version';
  const callMode = CALL_MODES[readU8(bytes, 49)];
  if (callMode === undefined) return 'offer-call-mode';
  const relayEnd = RELAY_ID_AT + readU16(bytes, 50);
  if (relayEnd >= bytes.length) return 'offer-length';
  const relayId = readRelayId(bytes.subarray(RELAY_ID_AT, relayEnd));
  if (relayId === undefined) return 'offer-relay';
  const candidates = decodeCandidates(bytes, relayEnd);
  if (candidates === undefined) return 'offer-candidates';
  const [sessionSeed, token] = [bytes.subarray(1, 33), bytes.subarray(33, 49)];
  return { sessionSeed, token, callMode, relayId, candidates };
}
