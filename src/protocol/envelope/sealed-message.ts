/*
 * What is inside an envelope: the Noise payload. Integers are big-endian.
 *
 *    0     1   kind          1 offer, 2 candidates, 3 chat invitation
 *    1    16   message id    random
 *   17     8   time          unix ms, at most 2^53 - 1
 *   25   201   binding       of the sender's device (identity/device-binding.ts)
 *  226     1   r             number of revocations, at most 16
 *  227  128r   revocations   of the sender's account (identity/revocation.ts)
 *    .     2   n             length of the body
 *    .     n   body
 *    .     .   zeros         to the end: the envelope has one of three lengths
 */
import { u16, u64 } from '../bytes.js';
import { DEVICE_BINDING_BYTES } from '../identity/device-binding.js';
import { fieldOf } from '../identity/fields.js';
import { REVOCATION_BYTES } from '../identity/revocation.js';
import { readTimeMs, timeField } from '../identity/validity.js';

const ID_AT = 1;
const TIME_AT = 17;
const BINDING_AT = 25;
const COUNT_AT = BINDING_AT + DEVICE_BINDING_BYTES;
const REVOCATIONS_AT = COUNT_AT + 1;
const LENGTH_BYTES = 2;

export const MESSAGE_ID_BYTES = 16;

/** 2 KiB of revocations: more of them follow inside the session. */
export const MAX_REVOCATIONS_INSIDE = 16;

/** What envelopes are for, and the byte that says it. */
export const ENVELOPE_KINDS = { offer: 1, candidates: 2, 'chat-invitation': 3 } as const;

/** What an envelope is for. */
export type EnvelopeKind = keyof typeof ENVELOPE_KINDS;

/** What one device says to another before they have a session. */
export interface SealedMessage {
  readonly kind: EnvelopeKind;
  /** 16 random bytes: a recipient takes each once. */
  readonly id: Uint8Array;
  readonly timeMs: number;
  /** The 201 signed bytes of the sender's device binding. */
  readonly binding: Uint8Array;
  /** Signed revocations of the sender's account, 128 bytes each, at most 16. */
  readonly revocations: readonly Uint8Array[];
  readonly body: Uint8Array;
}

/** Why an opened payload is no message. A closed list. */
export type SealedMessageRefusal =
  'message-length' | 'message-kind' | 'message-time' | 'message-padding';

/** How many bytes the message takes before the zeros. */
export const sealedMessageBytes = ({ revocations, body }: SealedMessage): number =>
  REVOCATIONS_AT + revocations.length * REVOCATION_BYTES + LENGTH_BYTES + body.length;

/**
 * The payload, zeros up to `length` bytes included, in a new array of the caller.
 * @throws RangeError if a field has a wrong length or range, or all of it does not fit.
 */
export function encodeSealedMessage(message: SealedMessage, length: number): Uint8Array {
  const { kind, id, timeMs, binding, revocations, body } = message;
  if (revocations.length > MAX_REVOCATIONS_INSIDE)
    throw new RangeError(`${revocations.length} revocations exceed ${MAX_REVOCATIONS_INSIDE}`);
  if (sealedMessageBytes(message) > length)
    throw new RangeError(`${sealedMessageBytes(message)} bytes exceed ${length}`);
  const bytes = new Uint8Array(length);
  bytes[0] = ENVELOPE_KINDS[kind];
  bytes.set(fieldOf('message id', id, MESSAGE_ID_BYTES), ID_AT);
  bytes.set(u64(timeField(timeMs)), TIME_AT);
  bytes.set(fieldOf('binding', binding, DEVICE_BINDING_BYTES), BINDING_AT);
  bytes[COUNT_AT] = revocations.length;
  let at = REVOCATIONS_AT;
  for (const revocation of revocations) {
    bytes.set(fieldOf('revocation', revocation, REVOCATION_BYTES), at);
    at += REVOCATION_BYTES;
  }
  bytes.set(u16(body.length), at);
  bytes.set(body, at + LENGTH_BYTES);
  return bytes;
}

/** The message as views of `bytes`, or why they are none. Neither binding nor revocations are judged. Never throws. */
export function decodeSealedMessage(bytes: Uint8Array): SealedMessage | SealedMessageRefusal {
  if (bytes.length < REVOCATIONS_AT + LENGTH_BYTES) return 'message-length';
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const kind = kindOf(view.getUint8(0));
  if (kind === undefined) return 'message-kind';
  const timeMs = readTimeMs(view, TIME_AT);
  if (timeMs === undefined) return 'message-time';
  const tail = decodeTail(bytes, view);
  if (typeof tail === 'string') return tail;
  return {
    kind,
    id: bytes.subarray(ID_AT, TIME_AT),
    timeMs,
    binding: bytes.subarray(BINDING_AT, COUNT_AT),
    ...tail,
  };
}

function decodeTail(
  bytes: Uint8Array,
  view: DataView,
): Pick<SealedMessage, 'revocations' | 'body'> | SealedMessageRefusal {
  const count = view.getUint8(COUNT_AT);
  const lengthAt = REVOCATIONS_AT + count * REVOCATION_BYTES;
  const bodyAt = lengthAt + LENGTH_BYTES;
  if (count > MAX_REVOCATIONS_INSIDE || bodyAt > bytes.length) return 'message-length';
  const bodyEnd = bodyAt + view.getUint16(lengthAt);
  if (bodyEnd > bytes.length) return 'message-length';
  if (bytes.subarray(bodyEnd).some((byte) => byte !== 0)) return 'message-padding';
  const revocations = Array.from({ length: count }, (_, i) =>
    bytes.subarray(
      REVOCATIONS_AT + i * REVOCATION_BYTES,
      REVOCATIONS_AT + (i + 1) * REVOCATION_BYTES,
    ),
  );
  return { revocations, body: bytes.subarray(bodyAt, bodyEnd) };
}

function kindOf(byte: number): EnvelopeKind | undefined {
  switch (byte) {
    case ENVELOPE_KINDS.offer:
      return 'offer';
    case ENVELOPE_KINDS.candidates:
      return 'candidates';
    case ENVELOPE_KINDS['chat-invitation']:
      return 'chat-invitation';
    default:
      return undefined;
  }
}
