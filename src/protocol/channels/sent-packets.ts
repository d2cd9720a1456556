import { ACK_FIXED_BYTES, ACK_RANGE_BYTES, readU16, readU48 } from './frame.js';
import { mayHalve, moveRing } from './ring.js';

/** How many packet numbers may be between the oldest one waited for and the next. A power of two. */
export const SENT_WINDOW = 32_768;
/** Slots of the rings at first, 35 bytes each: what a chat or a call needs. They double when they are full. */
const FIRST_SLOTS = 256;
/** At most this many segments ride in one plaintext. */
export const MAX_SEGMENTS_PER_PACKET = 3;
/** RFC 9002, section 6.1.1: fewer would take the slightest reordering for a loss. */
const PACKET_THRESHOLD = 3;
const MAX_PACKET_THRESHOLD = 1024;
/** Losses that are remembered in order to learn that they were none. */
const REMEMBERED_LOSSES = 64;

const RESOLVED = 0;
const WAITING = 1;

/** Told what became of segments. A segment is named by its sequence number times 4, plus its channel's code. */
export interface SegmentFates {
  arrived(segment: number): void;
  lost(segment: number): void;
}

/** Told what became of packets as well. */
export interface PacketFates extends SegmentFates {
  /** A packet that went at `sentAtMs` is acknowledged for the first time. */
  acknowledged(packet: number, sentAtMs: number): void;
}

/** What an acknowledgement brought. */
export interface AckOutcome {
  /** When the largest packet went, if this ACK is the first to name it: then its time is a sample of the path. */
  readonly largestSentAtMs: number | undefined;
  readonly largest: number;
  readonly bytes: number;
}

/** The numbered packets on their way, in rings that grow up to SENT_WINDOW; loss detection of RFC 9002, section 6.1. */
export class SentPackets {
  readonly #fates: PacketFates;
  #slots = FIRST_SLOTS;
  #states = new Uint8Array(FIRST_SLOTS);
  #sizes = new Uint16Array(FIRST_SLOTS);
  #sentAtMs = new Float64Array(FIRST_SLOTS);
  #segments = new Float64Array(FIRST_SLOTS * MAX_SEGMENTS_PER_PACKET).fill(-1);
  #next = 0;
  #oldest = 0;
  #largestAcked = -1;
  #inFlightBytes = 0;
  #threshold = PACKET_THRESHOLD;
  readonly #losses: number[] = [];

  constructor(fates: PacketFates) {
    this.#fates = fates;
  }

  /** The number of the next packet. */
  get next(): number {
    return this.#next;
  }

  /** The oldest packet whose fate is open; `next` if there is none. */
  get oldest(): number {
    return this.#oldest;
  }

  get inFlightBytes(): number {
    return this.#inFlightBytes;
  }

  /** Whether the rings have room for one more. */
  get hasRoom(): boolean {
    return this.#next - this.#oldest < SENT_WINDOW;
  }

  /** When the oldest packet on its way went; Infinity if none is. */
  get oldestSentAtMs(): number {
    return this.#oldest < this.#next ? (this.#sentAtMs[this.#slotOf(this.#oldest)] ?? 0) : Infinity;
  }

  /** When the newest packet went; -Infinity before the first. */
  get newestSentAtMs(): number {
    return this.#next > 0 ? (this.#sentAtMs[this.#slotOf(this.#next - 1)] ?? 0) : -Infinity;
  }

  /** Notes the packet `next` with its segments. Only while `hasRoom`. */
  record(nowMs: number, bytes: number, segments: readonly number[]): void {
    if (this.#next - this.#oldest >= this.#slots) this.#resize(2 * this.#slots);
    const slot = this.#slotOf(this.#next++);
    this.#states[slot] = WAITING;
    this.#sizes[slot] = bytes;
    this.#sentAtMs[slot] = nowMs;
    for (let i = 0; i < MAX_SEGMENTS_PER_PACKET; i++)
      this.#segments[slot * MAX_SEGMENTS_PER_PACKET + i] = segments[i] ?? -1;
    this.#inFlightBytes += bytes;
  }

  /** Takes the ACK frame at `at`, which `refusePlaintext` accepted and whose largest packet was sent. */
  acknowledge(bytes: Uint8Array, at: number): AckOutcome {
    const largest = readU48(bytes, at + 3);
    const before = this.#inFlightBytes;
    const isNew = largest >= this.#oldest && this.#states[this.#slotOf(largest)] === WAITING;
    let high = largest;
    let low = largest - readU16(bytes, at + 28);
    this.#resolveRange(low, high);
    const end = at + ACK_FIXED_BYTES + (bytes[at + 27] ?? 0) * ACK_RANGE_BYTES;
    for (let range = at + ACK_FIXED_BYTES; range < end; range += ACK_RANGE_BYTES) {
      high = low - (bytes[range] ?? 0) - 1;
      low = high - readU16(bytes, range + 1) + 1;
      this.#resolveRange(low, high);
    }
    this.#largestAcked = Math.max(this.#largestAcked, largest);
    this.#advance();
    return {
      largestSentAtMs: isNew ? (this.#sentAtMs[this.#slotOf(largest)] ?? 0) : undefined,
      largest,
      bytes: before - this.#inFlightBytes,
    };
  }

  /**
   * Takes packets for lost that are older than an acknowledged one by the packet threshold or by `delayMs`, and gives
   * their bytes. Looks at each packet number once or, while its fate is open, a few times.
   */
  detectLosses(nowMs: number, delayMs: number): number {
    let bytes = 0;
    for (; this.#oldest < this.#largestAcked; this.#oldest++) {
      const slot = this.#slotOf(this.#oldest);
      if (this.#states[slot] !== WAITING) continue;
      const late = (this.#sentAtMs[slot] ?? 0) <= nowMs - delayMs;
      if (!late && this.#largestAcked - this.#oldest < this.#threshold) break;
      bytes += this.#lose(this.#oldest);
    }
    this.#advance();
    return bytes;
  }

  /** When `detectLosses` would find the next loss by time; Infinity if nothing older than an acknowledged packet waits. */
  lossAtMs(delayMs: number): number {
    return this.#oldest < this.#largestAcked ? this.oldestSentAtMs + delayMs : Infinity;
  }

  /** Takes everything on its way for lost: the path is another one, or was away. */
  loseAll(): void {
    for (; this.#oldest < this.#next; this.#oldest++)
      if (this.#states[this.#slotOf(this.#oldest)] === WAITING) this.#lose(this.#oldest);
  }

  /** Lets the segments of the oldest packet on its way go again; its own fate stays open. */
  repeatOldest(): void {
    if (this.#oldest < this.#next) this.#tell('lost', this.#slotOf(this.#oldest));
  }

  /** Whether the rings are larger than at first: then `shrink` is worth calling from time to time. */
  get isLarge(): boolean {
    return this.#slots > FIRST_SLOTS;
  }

  /** Halves the rings if little is on its way; what is forgotten of older packets only told late arrivals from losses. */
  shrink(): void {
    if (mayHalve(this.#slots, FIRST_SLOTS, this.#next - this.#oldest))
      this.#resize(this.#slots / 2);
  }

  #resolveRange(low: number, high: number): void {
    if (this.#losses.length > 0 && low < this.#oldest) this.#learn(low, high);
    for (let packet = Math.max(low, this.#oldest); packet <= high; packet++) {
      const slot = this.#slotOf(packet);
      if (this.#states[slot] !== WAITING) continue;
      this.#states[slot] = RESOLVED;
      this.#inFlightBytes -= this.#sizes[slot] ?? 0;
      this.#fates.acknowledged(packet, this.#sentAtMs[slot] ?? 0);
      this.#tell('arrived', slot);
    }
  }

  /**
   * A packet taken for lost arrived after all: the path reorders by that many packets, and from now on that many are
   * waited for (RFC 9002, section 6.1.1, allows it).
   */
  #learn(low: number, high: number): void {
    for (let i = this.#losses.length - 1; i >= 0; i--) {
      const packet = this.#losses[i] ?? 0;
      if (packet < low || packet > high) continue;
      this.#losses.splice(i, 1);
      const distance = Math.min(this.#largestAcked - packet + 1, MAX_PACKET_THRESHOLD);
      this.#threshold = Math.max(this.#threshold, distance);
      if (packet > this.#next - this.#slots) this.#tell('arrived', this.#slotOf(packet));
    }
  }

  #lose(packet: number): number {
    const slot = this.#slotOf(packet);
    this.#states[slot] = RESOLVED;
    this.#inFlightBytes -= this.#sizes[slot] ?? 0;
    if (this.#losses.length === REMEMBERED_LOSSES) this.#losses.shift();
    this.#losses.push(packet);
    this.#tell('lost', slot);
    return this.#sizes[slot] ?? 0;
  }

  #tell(fate: 'arrived' | 'lost', slot: number): void {
    for (let i = 0; i < MAX_SEGMENTS_PER_PACKET; i++) {
      const segment = this.#segments[slot * MAX_SEGMENTS_PER_PACKET + i] ?? 0;
      if (segment >= 0) this.#fates[fate](segment);
    }
  }

  #resize(slots: number): void {
    const range = { from: Math.max(0, this.#next - Math.min(slots, this.#slots)), to: this.#next };
    this.#slots = slots;
    this.#states = moveRing(this.#states, new Uint8Array(this.#slots), range);
    this.#sizes = moveRing(this.#sizes, new Uint16Array(this.#slots), range);
    this.#sentAtMs = moveRing(this.#sentAtMs, new Float64Array(this.#slots), range);
    const segments = new Float64Array(this.#slots * MAX_SEGMENTS_PER_PACKET).fill(-1);
    this.#segments = moveRing(this.#segments, segments, range, MAX_SEGMENTS_PER_PACKET);
  }

  /** Also right beyond 2^32: bitwise operators keep the low bits of a whole number. */
  #slotOf(packet: number): number {
    return packet & (this.#slots - 1);
  }

  #advance(): void {
    while (this.#oldest < this.#next && this.#states[this.#slotOf(this.#oldest)] !== WAITING)
      this.#oldest++;
  }
}
