import { FRAME, SEGMENT_DATA_BYTES, SEGMENT_HEADER_BYTES, writeU16, writeU48 } from './frame.js';
import { mayHalve, moveRing } from './ring.js';

/** Slots of the rings at first: 74 kB of a message. They double when they are full, up to the window. */
const FIRST_SLOTS = 64;

/** A message of ours until the peer's application has it. */
interface Outgoing {
  readonly id: number;
  readonly bytes: Uint8Array;
  readonly total: number;
  firstSequence: number;
}

const UNSENT = 0;
const SENT = 1;
const LOST = 2;
const ARRIVED = 3;

/** The sending half of one reliable channel: cuts messages into segments, and repeats those that were lost. */
export class SegmentSender {
  readonly #code: number;
  readonly #window: number;
  /** Messages in order; those before `#uncut` are cut, those before `#head` are done and dropped. */
  readonly #queue: (Outgoing | undefined)[] = [];
  #head = 0;
  #uncut = 0;
  #cutSegments = 0;
  #slots = FIRST_SLOTS;
  #messages: (Outgoing | undefined)[] = emptySlots(FIRST_SLOTS);
  #states = new Uint8Array(FIRST_SLOTS);
  /** Sequence numbers to repeat. Up to twice the window: some arrive while they wait and are skipped only at the front. */
  #lost = new Float64Array(FIRST_SLOTS);
  #lostHead = 0;
  #lostCount = 0;
  #base = 0;
  #next = 0;
  #nextId = 0;
  #bufferedBytes = 0;

  /** `code` is the channel's on the wire; `window`, a power of two, is how many segments the peer sets aside. */
  constructor(code: number, window: number) {
    this.#code = code;
    this.#window = window;
  }

  /** Bytes of messages that the peer's application does not have yet. */
  get bufferedBytes(): number {
    return this.#bufferedBytes;
  }

  /** Whether a segment may go now. */
  get hasSegment(): boolean {
    this.#skipArrived();
    return this.#lostCount > 0 || this.#mayCut();
  }

  /** Whether the peer still has to confirm anything that was sent. */
  get isWaiting(): boolean {
    return this.#base < this.#next;
  }

  /** How long the frame of the next segment is. Only while `hasSegment`. */
  get frameBytes(): number {
    if (this.#lostCount > 0) {
      const sequence = this.#lost[this.#lostHead] ?? 0;
      const message = present(this.#messages[sequence & (this.#slots - 1)]);
      return SEGMENT_HEADER_BYTES + segmentLength(message, sequence - message.firstSequence);
    }
    return (
      SEGMENT_HEADER_BYTES + segmentLength(present(this.#queue[this.#uncut]), this.#cutSegments)
    );
  }

  /** Takes `bytes`, which must not change until they are acknowledged, and gives the message's number. */
  enqueue(bytes: Uint8Array): number {
    const total = Math.max(1, Math.ceil(bytes.length / SEGMENT_DATA_BYTES));
    const id = this.#nextId++;
    this.#queue.push({ id, bytes, total, firstSequence: -1 });
    this.#bufferedBytes += bytes.length;
    return id;
  }

  /** Writes the next segment's frame to `out` at `at` and gives its sequence number. Only while `hasSegment`. */
  write(out: Uint8Array, at: number): number {
    const sequence = this.#lostCount > 0 ? this.#takeLost() : this.#cut();
    const slot = sequence & (this.#slots - 1);
    const message = present(this.#messages[slot]);
    const index = sequence - message.firstSequence;
    const length = segmentLength(message, index);
    const from = index * SEGMENT_DATA_BYTES;
    out[at] = FRAME.segment;
    out[at + 1] = this.#code;
    writeU48(out, at + 2, sequence);
    writeU16(out, at + 8, index);
    writeU16(out, at + 10, message.total);
    writeU16(out, at + 12, length);
    out.set(message.bytes.subarray(from, from + length), at + SEGMENT_HEADER_BYTES);
    this.#states[slot] = SENT;
    return sequence;
  }

  /** A packet with this segment arrived. */
  arrived(sequence: number): void {
    if (sequence >= this.#base) this.#states[sequence & (this.#slots - 1)] = ARRIVED;
  }

  /** A packet with this segment is taken for lost: it goes again, unless another copy arrived or waits already. */
  lost(sequence: number): void {
    const slot = sequence & (this.#slots - 1);
    if (sequence < this.#base || this.#states[slot] !== SENT) return;
    this.#states[slot] = LOST;
    if (this.#lostCount === this.#lost.length) this.#resizeLost(2 * this.#lost.length);
    this.#lost[(this.#lostHead + this.#lostCount++) & (this.#lost.length - 1)] = sequence;
  }

  /** Whether `consumed` can be true: the peer cannot have what was not sent. */
  accepts(consumed: number): boolean {
    return consumed <= this.#next;
  }

  /** The peer's application has all segments before `consumed`. Calls `done` with each message that is complete. */
  consumed(consumed: number, done: (id: number) => void): void {
    if (consumed <= this.#base) return;
    for (let sequence = this.#base; sequence < consumed; sequence++) {
      const slot = sequence & (this.#slots - 1);
      const message = present(this.#messages[slot]);
      this.#messages[slot] = undefined;
      this.#states[slot] = UNSENT;
      this.#base = sequence + 1;
      if (sequence === message.firstSequence + message.total - 1) this.#finish(message, done);
    }
    this.#dropFinished();
  }

  /** Whether a ring is larger than at first: then `shrink` is worth calling from time to time. */
  get isLarge(): boolean {
    return this.#slots > FIRST_SLOTS || this.#lost.length > FIRST_SLOTS;
  }

  /** Halves the rings of which little is in use. */
  shrink(): void {
    if (mayHalve(this.#slots, FIRST_SLOTS, this.#next - this.#base)) this.#resize(this.#slots / 2);
    if (mayHalve(this.#lost.length, FIRST_SLOTS, this.#lostCount))
      this.#resizeLost(this.#lost.length / 2);
  }

  #finish(message: Outgoing, done: (id: number) => void): void {
    this.#bufferedBytes -= message.bytes.length;
    this.#queue[this.#head++] = undefined;
    done(message.id);
  }

  /** Cuts the finished front off the queue when it is the greater part: each message moves once on average. */
  #dropFinished(): void {
    if (this.#head < 64 || this.#head * 2 < this.#queue.length) return;
    this.#queue.splice(0, this.#head);
    this.#uncut -= this.#head;
    this.#head = 0;
  }

  #mayCut(): boolean {
    return this.#uncut < this.#queue.length && this.#next < this.#base + this.#window;
  }

  #cut(): number {
    const message = present(this.#queue[this.#uncut]);
    if (this.#next - this.#base >= this.#slots) this.#resize(2 * this.#slots);
    const sequence = this.#next++;
    if (this.#cutSegments === 0) message.firstSequence = sequence;
    this.#messages[sequence & (this.#slots - 1)] = message;
    this.#cutSegments++;
    if (this.#cutSegments === message.total) {
      this.#uncut++;
      this.#cutSegments = 0;
    }
    return sequence;
  }

  #resize(slots: number): void {
    const range = { from: this.#base, to: this.#next };
    this.#slots = slots;
    this.#messages = moveRing(this.#messages, emptySlots<Outgoing>(slots), range);
    this.#states = moveRing(this.#states, new Uint8Array(slots), range);
  }

  #resizeLost(slots: number): void {
    const range = { from: this.#lostHead, to: this.#lostHead + this.#lostCount };
    this.#lost = moveRing(this.#lost, new Float64Array(slots), range);
    this.#lostHead &= slots - 1;
  }

  /** What was taken for lost and arrived after all need not go again. */
  #skipArrived(): void {
    while (this.#lostCount > 0) {
      const sequence = this.#lost[this.#lostHead] ?? 0;
      if (sequence >= this.#base && this.#states[sequence & (this.#slots - 1)] === LOST) return;
      this.#takeLost();
    }
  }

  #takeLost(): number {
    const sequence = this.#lost[this.#lostHead] ?? 0;
    this.#lostHead = (this.#lostHead + 1) & (this.#lost.length - 1);
    this.#lostCount--;
    return sequence;
  }
}

const emptySlots = <Value>(slots: number): (Value | undefined)[] =>
  new Array<Value | undefined>(slots).fill(undefined);

function segmentLength(message: Outgoing, index: number): number {
  return index < message.total - 1
    ? SEGMENT_DATA_BYTES
    : message.bytes.length - index * SEGMENT_DATA_BYTES;
}

/** Every slot between `#base` and `#next` has its message: anything else is a mistake in this file. */
function present(message: Outgoing | undefined): Outgoing {
  if (message === undefined) throw new Error('a segment without its message');
  return message;
}
