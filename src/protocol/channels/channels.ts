/*
 * The channels of one session: control, input, call, chat and file, in this order of precedence. Takes messages and
 * gives plaintexts of session datagrams, and the reverse; sealing them and moving them is done by others. Chat, file
 * and input messages arrive once, whole and in order; call frames and control messages at most once, as they come.
 *
 * Who drives it asks `nextPlaintext` until it gives 0, then waits until `nextDeadlineMs` or the next arrival. Replay is
 * the session's business: a plaintext comes here once.
 */
import {
  CALL_HEADER_BYTES,
  CONTROL_HEADER_BYTES,
  HEADER_BYTES,
  MAX_SEGMENTS,
  reliableChannel,
  RELIABLE_CHANNELS,
  SEGMENT_DATA_BYTES,
  type PlaintextRefusal,
  type ReliableChannel,
} from './frame.js';
import { CALL_SIZES, MAX_PLAINTEXT_BYTES, type CallMode } from './plaintext-size.js';
import { PlaintextBuilder } from './plaintext-builder.js';
import { readFrames, type Inbox } from './plaintext-reader.js';
import { ReceivedPackets } from './received-packets.js';
import { SegmentReceiver } from './segment-receiver.js';
import { SegmentSender } from './segment-sender.js';
import { Transmission } from './transmission.js';

/** Every channel of a session. */
export type Channel = 'control' | 'call' | ReliableChannel;

/** What the channels tell their owner. They may be called from `onPlaintext` and `resume`, and may call `send`. */
export interface ChannelEvents {
  /** A message came. `bytes` belong to who is told. */
  message(channel: Channel, bytes: Uint8Array): void;
  /** The peer's application has message `id` of `channel`, and all before it. */
  acknowledged(channel: ReliableChannel, id: number): void;
  /** `channel` was full and takes messages again. */
  writable(channel: ReliableChannel): void;
}

/** Settings of a session's channels. */
export interface ChannelsSettings {
  /** Which lengths call frames have (plaintext-size.ts). */
  readonly callMode: CallMode;
}

/** The channel holds as much as it may: wait for `writable`. */
export class ChannelFullError extends Error {
  readonly code = 'ERR_CHANNEL_FULL';
  constructor(readonly channel: Channel) {
    super(`the ${channel} channel is full: wait until it is writable`);
  }
}

/** Segments that a receiver sets aside for each channel (about 1.2 kB each), and so the most that a sender sends ahead. */
const WINDOW_SEGMENTS = { chat: 256, file: 16_384, input: 256 } as const;
/** A channel that holds this many bytes takes no more, and is writable again at half of it. */
const BUFFER_BYTES = { chat: 1 << 20, file: 1 << 23, input: 1 << 16 } as const;
/** A long fat path needs more of a file: what it carries in a round trip, and as much again while a loss is repaired. */
const MAX_FILE_BUFFER_BYTES = 3 << 23;
const FILE_BUFFER_TRIPS = 3;
/** Rings that grew are looked at this often, and halved when little of them is in use. */
const SHRINK_EVERY_MS = 1_000;
const MAX_CONTROL_MESSAGES = 256;
/** Older call frames than these are no longer worth hearing. */
const MAX_CALL_FRAMES = 32;

/** The longest message of a channel, in bytes; of a call frame, in codec mode `mode`. */
export function maxMessageBytes(channel: Channel, mode: CallMode): number {
  if (channel === 'control') return MAX_PLAINTEXT_BYTES - HEADER_BYTES - CONTROL_HEADER_BYTES;
  if (channel === 'call') return CALL_SIZES[mode][2] - HEADER_BYTES - CALL_HEADER_BYTES;
  return MAX_SEGMENTS[channel] * SEGMENT_DATA_BYTES;
}

export class Channels {
  readonly #events: ChannelEvents;
  readonly #settings: ChannelsSettings;
  readonly #senders: Readonly<Record<ReliableChannel, SegmentSender>>;
  readonly #inbox: Inbox;
  readonly #transmission: Transmission;
  readonly #builder: PlaintextBuilder;
  readonly #control: Uint8Array[] = [];
  readonly #calls: Uint8Array[] = [];
  readonly #full = new Set<ReliableChannel>();
  #droppedCallFrames = 0;
  #lookAtMs = -Infinity;
  #isLarge = false;

  constructor(events: ChannelEvents, settings: ChannelsSettings) {
    this.#events = events;
    this.#settings = settings;
    const sender = (channel: ReliableChannel) =>
      new SegmentSender(RELIABLE_CHANNELS.indexOf(channel) + 1, WINDOW_SEGMENTS[channel]);
    this.#senders = { chat: sender('chat'), file: sender('file'), input: sender('input') };
    this.#transmission = new Transmission({
      arrived: (segment) => {
        this.#senderOf(segment).arrived(Math.floor(segment / 4));
      },
      lost: (segment) => {
        this.#senderOf(segment).lost(Math.floor(segment / 4));
      },
    });
    this.#inbox = this.#newInbox();
    this.#builder = new PlaintextBuilder({
      senders: this.#senders,
      transmission: this.#transmission,
      inbox: this.#inbox,
      control: this.#control,
      calls: this.#calls,
      callSizes: CALL_SIZES[settings.callMode],
    });
  }

  /** Call frames that waited until others took their place. */
  get droppedCallFrames(): number {
    return this.#droppedCallFrames;
  }

  /** Smoothed round-trip time in milliseconds; 333 before the first sample. */
  get roundTripMs(): number {
    return this.#transmission.roundTripMs;
  }

  /**
   * Takes a message; `bytes` must not change until it is acknowledged (call, control: until it went). Gives its number
   * within the channel, from 0, or -1 on control and call, which nobody acknowledges.
   * @throws RangeError if it is longer than `maxMessageBytes`. @throws ChannelFullError if the channel holds too much.
   */
  send(channel: Channel, bytes: Uint8Array): number {
    const limit = maxMessageBytes(channel, this.#settings.callMode);
    if (bytes.length > limit)
      throw new RangeError(`a message of ${bytes.length} bytes exceeds ${limit} on ${channel}`);
    if (channel === 'control') return this.#sendControl(bytes);
    if (channel === 'call') return this.#sendCall(bytes);
    if (!this.isWritable(channel)) throw new ChannelFullError(channel);
    const id = this.#senders[channel].enqueue(bytes);
    if (this.#senders[channel].bufferedBytes >= this.#bufferLimit(channel)) this.#full.add(channel);
    return id;
  }

  /** Whether `channel` takes a message now. */
  isWritable(channel: ReliableChannel): boolean {
    return !this.#full.has(channel);
  }

  /** Bytes of messages that the peer's application does not have yet. */
  bufferedBytes(channel: ReliableChannel): number {
    return this.#senders[channel].bufferedBytes;
  }

  /** Gives out no more messages of `channel`; the peer stops when the window is full. */
  pause(channel: ReliableChannel): void {
    this.#inbox.receivers[channel].pause();
  }

  /** Gives out what waits, and tells the peer. */
  resume(channel: ReliableChannel, nowMs: number): void {
    this.#inbox.receivers[channel].resume();
    this.#inbox.received.requestAck(nowMs);
  }

  /**
   * The session moved to another path: its rate and round-trip time are found anew. What is on its way still `arrives`,
   * or is `lost` and goes again at once.
   */
  pathChanged(onItsWay: 'arrives' | 'lost'): void {
    this.#transmission.pathChanged(onItsWay);
  }

  /** Takes an opened plaintext, of which nothing is kept. Gives why it was refused; then it changed nothing. */
  onPlaintext(bytes: Uint8Array, nowMs: number): PlaintextRefusal | undefined {
    return readFrames(bytes, nowMs, this.#inbox);
  }

  /** Writes the plaintext that goes now to the front of `out` (1,180 bytes or more) and gives its length; 0 if none does. */
  nextPlaintext(nowMs: number, out: Uint8Array): number {
    if (nowMs >= this.#lookAtMs) this.#shrink(nowMs);
    this.#transmission.onTime(nowMs, this.#builder.isUnconfirmed);
    return this.#builder.build(nowMs, out);
  }

  /** When `nextPlaintext` is worth asking if nothing is sent or comes before; `nowMs` or earlier if now, Infinity if never. */
  nextDeadlineMs(nowMs: number): number {
    const deadlineMs = this.#builder.nextDeadlineMs(nowMs);
    return this.#isLarge ? Math.min(deadlineMs, this.#lookAtMs) : deadlineMs;
  }

  #sendControl(bytes: Uint8Array): number {
    if (this.#control.length >= MAX_CONTROL_MESSAGES) throw new ChannelFullError('control');
    this.#control.push(bytes);
    return -1;
  }

  #sendCall(bytes: Uint8Array): number {
    if (this.#calls.length >= MAX_CALL_FRAMES) {
      this.#calls.shift();
      this.#droppedCallFrames++;
    }
    this.#calls.push(bytes);
    return -1;
  }

  #senderOf(segment: number): SegmentSender {
    return this.#senders[reliableChannel(segment % 4)];
  }

  #newInbox(): Inbox {
    const receiver = (channel: ReliableChannel) =>
      new SegmentReceiver(WINDOW_SEGMENTS[channel], (message) => {
        this.#events.message(channel, message);
      });
    return {
      received: new ReceivedPackets(),
      receivers: { chat: receiver('chat'), file: receiver('file'), input: receiver('input') },
      transmission: this.#transmission,
      senders: this.#senders,
      message: (channel, bytes) => {
        this.#events.message(channel, bytes);
      },
      acknowledged: (channel, id) => {
        this.#events.acknowledged(channel, id);
        this.#drained(channel);
      },
    };
  }

  #bufferLimit(channel: ReliableChannel): number {
    if (channel !== 'file') return BUFFER_BYTES[channel];
    const wanted = FILE_BUFFER_TRIPS * this.#transmission.path.inFlightLimit;
    return Math.min(MAX_FILE_BUFFER_BYTES, Math.max(BUFFER_BYTES.file, wanted));
  }

  /** What grew since the last look waits until somebody asks again: a keep-alive at the latest. */
  #shrink(nowMs: number): void {
    const { senders, receivers, transmission } = this.#inbox;
    const rings = [...Object.values(senders), ...Object.values(receivers), transmission.packets];
    for (const ring of rings) ring.shrink();
    this.#isLarge = rings.some(({ isLarge }) => isLarge);
    this.#lookAtMs = nowMs + SHRINK_EVERY_MS;
  }

  #drained(channel: ReliableChannel): void {
    if (this.#senders[channel].bufferedBytes * 2 > this.#bufferLimit(channel)) return;
    if (this.#full.delete(channel)) this.#events.writable(channel);
  }
}
