/*
 * What two sessions tell each other in the control channel. Integers are big-endian.
 *   01 ask epoch      type u8, epoch u32   the sender's present epoch; repeated until confirmed
 *   02 confirm epoch  type u8, epoch u32   the receiver holds that epoch as its present one
 *   03 challenge      type u8, 8 bytes     random, fresh for one path
 *   04 answer         type u8, 8 bytes     the same bytes, on the path on which the challenge came
 *   05 close          type u8, reason u8   the sender erases its keys
 * Every message is idempotent: the control channel may lose, repeat and reorder them.
 */
import { readU32, writeU32 } from './datagram.js';

export const PATH_CHALLENGE_BYTES = 8;

/** Why a session was closed, as told to the peer. */
export const CloseReason = { done: 0, superseded: 1, revoked: 2, failed: 3 } as const;
export type CloseReason = (typeof CloseReason)[keyof typeof CloseReason];

/** A message of the session itself. Arrays that come from `decodeControlMessage` are views of its input. */
export type ControlMessage =
  | { readonly type: 'ask-epoch' | 'confirm-epoch'; readonly epoch: number }
  | { readonly type: 'challenge' | 'answer'; readonly bytes: Uint8Array }
  | { readonly type: 'close'; readonly reason: CloseReason };

/** Why bytes are not a control message. A closed list: each is a metric label. */
export type ControlRefusal = 'empty-control' | 'unknown-control' | 'bad-control-length';

const TYPES = { 'ask-epoch': 1, 'confirm-epoch': 2, challenge: 3, answer: 4, close: 5 } as const;
const LENGTHS: Readonly<Record<number, number>> = { 1: 5, 2: 5, 3: 9, 4: 9, 5: 2 };

/**
 * The bytes of `message`, in a new array that belongs to the caller.
 * @throws RangeError if a challenge or answer is not 8 bytes.
 */
export function encodeControlMessage(message: ControlMessage): Uint8Array {
  const type = TYPES[message.type];
  const bytes = new Uint8Array(LENGTHS[type] ?? 0);
  bytes[0] = type;
  if ('epoch' in message) {
    writeU32(bytes, 1, message.epoch);
  } else if ('reason' in message) {
    bytes[1] = message.reason;
  } else {
    if (message.bytes.length !== PATH_CHALLENGE_BYTES)
      throw new RangeError('a path challenge is 8 bytes');
    bytes.set(message.bytes, 1);
  }
  return bytes;
}

/** Never throws and never copies. A close reason from the future reads as `failed`: the session is over either way. */
export function decodeControlMessage(bytes: Uint8Array): ControlMessage | ControlRefusal {
  const type = bytes[0];
  if (type === undefined) return 'empty-control';
  const length = LENGTHS[type];
  if (length === undefined) return 'unknown-control';
  if (bytes.length !== length) return 'bad-control-length';
  if (type === TYPES['ask-epoch']) return { type: 'ask-epoch', epoch: readU32(bytes, 1) };
  if (type === TYPES['confirm-epoch']) return { type: 'confirm-epoch', epoch: readU32(bytes, 1) };
  if (type === TYPES.challenge) return { type: 'challenge', bytes: bytes.subarray(1) };
  if (type === TYPES.answer) return { type: 'answer', bytes: bytes.subarray(1) };
  return { type: 'close', reason: closeReason(bytes[1] ?? CloseReason.failed) };
}

/** Whether the message in `bytes` is about the way that it takes, and says nothing of which one its sender uses. */
export const isAboutPath = (bytes: Uint8Array): boolean =>
  bytes[0] === TYPES.challenge || bytes[0] === TYPES.answer;

function closeReason(code: number): CloseReason {
  return Object.values(CloseReason).find((reason) => reason === code) ?? CloseReason.failed;
}
