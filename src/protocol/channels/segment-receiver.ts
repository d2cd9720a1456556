import { SEGMENT_DATA_BYTES, type PlaintextRefusal } from './frame.js';
import { mayHalve, moveRing } from './ring.js';

/** One piece of a message as it came; `data` is a view of the plaintext. */
export interface Segment {
  readonly sequence: number;
  readonly index: number;
  readonly total: number;
  readonly data: Uint8Array;
}

/** Slots of the ring at first. It doubles when a segment comes from further ahead, up to the window. */
const FIRST_SLOTS = 64;

type Place = Pick<Segment, 'index' | 'total'>;

/**
 * The receiving half of one reliable channel: puts segments in order and gives out whole messages, each once. Holds at
 * most `window` segments and one unfinished message, whatever the peer sends.
 */
export class SegmentReceiver {
  readonly #window: number;
  readonly #deliver: (message: Uint8Array) => void;
  #waiting: (Segment | undefined)[] = emptySlots(FIRST_SLOTS);
  #next = 0;
  #newest = -1;
  #message: Uint8Array | undefined;
  #messageBytes = 0;
  #last: Place = { index: 0, total: 1 };
  #paused = false;

  /** `window` is a power of two; `deliver` gets messages that belong to it. */
  constructor(window: number, deliver: (message: Uint8Array) => void) {
    this.#window = window;
    this.#deliver = deliver;
  }

  /** The first segment that the application does not have. */
  get consumed(): number {
    return this.#next;
  }

  /** Why `segment` cannot be taken, or undefined. A repeated segment can: it changes nothing. Changes nothing. */
  refuse(segment: Segment): PlaintextRefusal | undefined {
    const { sequence } = segment;
    if (sequence < this.#next) return undefined;
    if (sequence >= this.#next + this.#window) return 'beyond-window';
    const held = this.#at(sequence);
    if (held) return sameSegment(held, segment) ? undefined : 'segment-conflict';
    const before = sequence === this.#next ? this.#last : this.#at(sequence - 1);
    const after = this.#at(sequence + 1);
    const fits = (!before || follows(before, segment)) && (!after || follows(segment, after));
    return fits ? undefined : 'segment-inconsistent';
  }

  /** Takes a segment and gives out the messages that it completes, or says why not. */
  accept(segment: Segment): PlaintextRefusal | undefined {
    const refusal = this.refuse(segment);
    const { sequence } = segment;
    if (refusal || sequence < this.#next || this.#at(sequence)) return refusal;
    if (sequence === this.#next && !this.#paused) {
      this.#consume(segment);
      this.#consumeWaiting();
      return undefined;
    }
    while (sequence - this.#next >= this.#waiting.length) this.#resize(2 * this.#waiting.length);
    this.#waiting[this.#slotOf(sequence)] = { ...segment, data: new Uint8Array(segment.data) };
    this.#newest = Math.max(this.#newest, sequence);
    return undefined;
  }

  /** Gives out no more messages; the window closes behind what waits. */
  pause(): void {
    this.#paused = true;
  }

  /** Gives out what waits, and goes on. */
  resume(): void {
    this.#paused = false;
    this.#consumeWaiting();
  }

  /** Whether the ring is larger than at first: then `shrink` is worth calling from time to time. */
  get isLarge(): boolean {
    return this.#waiting.length > FIRST_SLOTS;
  }

  /** Halves the ring if little waits. */
  shrink(): void {
    const used = Math.max(0, this.#newest + 1 - this.#next);
    if (mayHalve(this.#waiting.length, FIRST_SLOTS, used)) this.#resize(this.#waiting.length / 2);
  }

  #consumeWaiting(): void {
    while (!this.#paused && this.#next <= this.#newest) {
      const segment = this.#at(this.#next);
      if (!segment) return;
      this.#waiting[this.#slotOf(this.#next)] = undefined;
      this.#consume(segment);
    }
  }

  #consume({ index, total, data }: Segment): void {
    this.#next++;
    this.#last = { index, total };
    if (total === 1) {
      this.#deliver(new Uint8Array(data));
      return;
    }
    if (index === 0) this.#messageBytes = 0;
    this.#message ??= new Uint8Array(total * SEGMENT_DATA_BYTES);
    this.#message.set(data, index * SEGMENT_DATA_BYTES);
    this.#messageBytes += data.length;
    if (index < total - 1) return;
    const message = this.#message.subarray(0, this.#messageBytes);
    this.#message = undefined;
    this.#deliver(message);
  }

  #resize(slots: number): void {
    const range = { from: this.#next, to: this.#next + Math.min(slots, this.#waiting.length) };
    this.#waiting = moveRing(this.#waiting, emptySlots(slots), range);
  }

  #slotOf(sequence: number): number {
    return sequence & (this.#waiting.length - 1);
  }

  #at(sequence: number): Segment | undefined {
    const held = this.#waiting[this.#slotOf(sequence)];
    return held?.sequence === sequence ? held : undefined;
  }
}

const emptySlots = (slots: number): (Segment | undefined)[] =>
  new Array<Segment | undefined>(slots).fill(undefined);

/** Whether the segment after `before` can be `after`: the next of the same message, or the first of another. */
function follows(before: Place, after: Place): boolean {
  return before.index + 1 < before.total
    ? after.index === before.index + 1 && after.total === before.total
    : after.index === 0;
}

function sameSegment(a: Segment, b: Segment): boolean {
  if (a.index !== b.index || a.total !== b.total || a.data.length !== b.data.length) return false;
  return a.data.every((byte, i) => byte === b.data[i]);
}
