import {
  ACK_DELAY_UNITS_PER_MS,
  ACK_FIXED_BYTES,
  ACK_RANGE_BYTES,
  FRAME,
  MAX_ACK_RANGES,
  writeU16,
  writeU48,
} from './frame.js';

/** How far below the largest packet number arrivals are remembered: one bit each. */
export const RECEIVED_WINDOW = 32_768;
/** An acknowledgement waits for this many packets, or this long: later ones make the peer's clock of losses coarse. */
const ACK_EVERY_PACKETS = 8;
export const ACK_DELAY_MS = 1;

/** Which numbered packets arrived, in constant memory: a bit for each of the last RECEIVED_WINDOW numbers. */
export class ReceivedPackets {
  readonly #bits = new Uint32Array(RECEIVED_WINDOW / 32);
  #largest = -1;
  #largestAtMs = 0;
  #floor = 0;
  #waiting = 0;
  #ackAtMs = Infinity;

  /** When an ACK is due; Infinity if none is. */
  get ackAtMs(): number {
    return this.#ackAtMs;
  }

  /** Whether anything arrived that no ACK has told yet. */
  get hasNews(): boolean {
    return this.#waiting > 0;
  }

  /** Why `packet` cannot be counted, or undefined. Changes nothing. */
  refuse(packet: number): 'too-old' | 'duplicate' | undefined {
    if (packet > this.#largest) return undefined;
    if (packet <= this.#largest - RECEIVED_WINDOW) return 'too-old';
    return this.#has(packet) ? 'duplicate' : undefined;
  }

  /** Counts `packet`, which `refuse` let pass. Nothing below `floor` is told again: the peer waits for none of it. */
  add(packet: number, floor: number, nowMs: number): void {
    if (packet > this.#largest) {
      this.#forget(packet);
      this.#largest = packet;
      this.#largestAtMs = nowMs;
    }
    this.#floor = Math.max(this.#floor, Math.min(floor, this.#largest));
    this.#setWord(packet, this.#word(packet) | (1 << (packet & 31)));
    this.#waiting++;
    this.#ackAtMs =
      this.#waiting >= ACK_EVERY_PACKETS ? nowMs : Math.min(this.#ackAtMs, nowMs + ACK_DELAY_MS);
  }

  /** Asks for an ACK now: the application took segments that it had left waiting. */
  requestAck(nowMs: number): void {
    if (this.#largest < 0) return;
    this.#waiting++;
    this.#ackAtMs = nowMs;
  }

  /**
   * Writes an ACK frame to `out` at `at` and gives the byte after it; the newest ranges, as many as there is room for
   * before `end`. `consumed` is the next segment of each reliable channel.
   */
  writeAck(out: Uint8Array, at: number, end: number, state: AckState): number {
    const delay = (state.nowMs - this.#largestAtMs) * ACK_DELAY_UNITS_PER_MS;
    out[at] = FRAME.ack;
    writeU16(out, at + 1, Math.min(0xffff, Math.max(0, Math.round(delay))));
    writeU48(out, at + 3, this.#largest);
    state.consumed.forEach((sequence, i) => {
      writeU48(out, at + 9 + 6 * i, sequence);
    });
    const room = Math.floor((end - at - ACK_FIXED_BYTES) / ACK_RANGE_BYTES);
    const count = this.#writeRanges(out, at, Math.min(room, MAX_ACK_RANGES));
    out[at + 27] = count;
    this.#waiting = 0;
    this.#ackAtMs = Infinity;
    return at + ACK_FIXED_BYTES + count * ACK_RANGE_BYTES;
  }

  #writeRanges(out: Uint8Array, at: number, limit: number): number {
    let packet = this.#endOfRun(this.#largest, true);
    writeU16(out, at + 28, this.#largest - packet - 1);
    let to = at + ACK_FIXED_BYTES;
    for (let count = 0; count < limit; count++, to += ACK_RANGE_BYTES) {
      const received = this.#endOfRun(packet, false);
      if (received < this.#lowest() || packet - received > 0xff) return count;
      const next = this.#endOfRun(received, true);
      out[to] = packet - received;
      writeU16(out, to + 1, received - next);
      packet = next;
    }
    return limit;
  }

  #lowest(): number {
    return Math.max(this.#floor, this.#largest - RECEIVED_WINDOW + 1, 0);
  }

  /** The first packet at or below `packet` that is not like `received`, or the one below the window. */
  #endOfRun(packet: number, received: boolean): number {
    const lowest = this.#lowest();
    const whole = received ? 0xffff_ffff : 0;
    while (packet >= lowest) {
      const word = this.#word(packet);
      if ((packet & 31) === 31 && word === whole) packet -= 32;
      else if (((word >>> (packet & 31)) & 1) === Number(received)) packet--;
      else return packet;
    }
    return Math.max(packet, lowest - 1);
  }

  /** The 32 bits among which that of `packet` is. */
  #word(packet: number): number {
    return this.#bits[(packet & (RECEIVED_WINDOW - 1)) >>> 5] ?? 0;
  }

  #setWord(packet: number, word: number): void {
    this.#bits[(packet & (RECEIVED_WINDOW - 1)) >>> 5] = word;
  }

  #has(packet: number): boolean {
    return ((this.#word(packet) >>> (packet & 31)) & 1) === 1;
  }

  /** Bits of numbers between the old largest and `packet` still speak of numbers one window below. */
  #forget(packet: number): void {
    if (packet - this.#largest >= RECEIVED_WINDOW) {
      this.#bits.fill(0);
      return;
    }
    for (let number = this.#largest + 1; number <= packet; number++)
      this.#setWord(number, this.#word(number) & ~(1 << (number & 31)));
  }
}

/** What an ACK says besides packet numbers. */
export interface AckState {
  readonly nowMs: number;
  readonly consumed: readonly number[];
}
