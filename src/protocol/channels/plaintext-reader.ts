import {
  CALL_HEADER_BYTES,
  CONTROL_HEADER_BYTES,
  FRAME,
  frameBytes,
  HEADER_BYTES,
  readU16,
  readU48,
  refusePlaintext,
  reliableChannel,
  RELIABLE_CHANNELS,
  SEGMENT_HEADER_BYTES,
  type PlaintextRefusal,
  type ReliableChannel,
} from './frame.js';
import type { ReceivedPackets } from './received-packets.js';
import type { Segment, SegmentReceiver } from './segment-receiver.js';
import type { SegmentSender } from './segment-sender.js';
import type { Transmission } from './transmission.js';

/** Where the frames of a plaintext go. */
export interface Inbox {
  readonly received: ReceivedPackets;
  readonly receivers: Readonly<Record<ReliableChannel, SegmentReceiver>>;
  readonly senders: Readonly<Record<ReliableChannel, SegmentSender>>;
  readonly transmission: Transmission;
  message(channel: 'control' | 'call', bytes: Uint8Array): void;
  acknowledged(channel: ReliableChannel, id: number): void;
}

/**
 * Judges every frame of `bytes` first, then carries them out: a plaintext that is refused changed nothing, unless its
 * own segments contradict each other: then those before the contradiction count. Keeps nothing of `bytes`.
 */
export function readFrames(
  bytes: Uint8Array,
  nowMs: number,
  inbox: Inbox,
): PlaintextRefusal | undefined {
  const refusal = refusePlaintext(bytes) ?? refuseNow(bytes, inbox);
  if (refusal) return refusal;
  if (bytes[0] === 1) {
    const packet = readU48(bytes, 1);
    inbox.received.add(packet, packet - readU16(bytes, 7), nowMs);
  }
  let contradiction: PlaintextRefusal | undefined;
  for (const [type, at] of framesOf(bytes))
    contradiction ??= carryOut(type, bytes, at, { nowMs, inbox });
  return contradiction;
}

/** Why what is whole cannot be taken now: it contradicts what was sent or received before. */
function refuseNow(bytes: Uint8Array, inbox: Inbox): PlaintextRefusal | undefined {
  const refusal = bytes[0] === 1 ? inbox.received.refuse(readU48(bytes, 1)) : undefined;
  if (refusal) return refusal;
  for (const [type, at] of framesOf(bytes)) {
    const frame = refuseFrame(type, bytes, at, inbox);
    if (frame) return frame;
  }
  return undefined;
}

function refuseFrame(
  type: number,
  bytes: Uint8Array,
  at: number,
  inbox: Inbox,
): PlaintextRefusal | undefined {
  if (type === FRAME.segment) {
    const segment = segmentAt(bytes, at);
    return inbox.receivers[channelAt(bytes, at)].refuse(segment);
  }
  if (type !== FRAME.ack) return undefined;
  if (readU48(bytes, at + 3) >= inbox.transmission.packets.next) return 'ack-of-unsent';
  const true_ = RELIABLE_CHANNELS.every((channel, i) =>
    inbox.senders[channel].accepts(readU48(bytes, at + 9 + 6 * i)),
  );
  return true_ ? undefined : 'ack-of-unsent';
}

function carryOut(
  type: number,
  bytes: Uint8Array,
  at: number,
  { nowMs, inbox }: { nowMs: number; inbox: Inbox },
): PlaintextRefusal | undefined {
  switch (type) {
    case FRAME.ack:
      inbox.transmission.acknowledge(bytes, at, nowMs);
      RELIABLE_CHANNELS.forEach((channel, i) => {
        inbox.senders[channel].consumed(readU48(bytes, at + 9 + 6 * i), (id) => {
          inbox.acknowledged(channel, id);
        });
      });
      return undefined;
    case FRAME.control:
      inbox.message('control', dataAt(bytes, at + CONTROL_HEADER_BYTES));
      return undefined;
    case FRAME.call:
      inbox.message('call', dataAt(bytes, at + CALL_HEADER_BYTES));
      return undefined;
    case FRAME.segment:
      return inbox.receivers[channelAt(bytes, at)].accept(segmentAt(bytes, at));
    default:
      return undefined;
  }
}

/** Type and place of each frame. */
function* framesOf(bytes: Uint8Array): Generator<readonly [number, number]> {
  if (bytes[HEADER_BYTES] === FRAME.call) {
    yield [FRAME.call, HEADER_BYTES];
    return;
  }
  let at = HEADER_BYTES;
  while (at < bytes.length && bytes[at] !== FRAME.padding) {
    yield [bytes[at] ?? 0, at];
    const length = frameBytes(bytes, at);
    if (typeof length === 'string') return;
    at += length;
  }
}

const channelAt = (bytes: Uint8Array, at: number): ReliableChannel =>
  reliableChannel(bytes[at + 1] ?? 0);

function segmentAt(bytes: Uint8Array, at: number): Segment {
  const from = at + SEGMENT_HEADER_BYTES;
  return {
    sequence: readU48(bytes, at + 2),
    index: readU16(bytes, at + 8),
    total: readU16(bytes, at + 10),
    data: bytes.subarray(from, from + readU16(bytes, at + 12)),
  };
}

/** A copy of the data whose length stands in the two bytes before `from`; `slice` of Node's Buffer would be a view. */
const dataAt = (bytes: Uint8Array, from: number): Uint8Array =>
  new Uint8Array(bytes.subarray(from, from + readU16(bytes, from - 2)));
