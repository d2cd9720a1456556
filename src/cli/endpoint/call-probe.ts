/*
 * A measured call: frames of the call channel as often and as long as those of speech, which the other side sends back.
 *
 *    0   4   magic    "spc1" from who measures, "spe1" from who answers
 *    4   4   number   big-endian, from 0
 *    8   n   zeros    up to the length of a frame of speech
 */
import { readU32, u32 } from '../../protocol/bytes.js';

/** Speech is cut into frames of 20 ms. */
export const FRAME_EVERY_MS = 20;
/** 20 ms at 48 kbit/s, as the middle length of wideband speech. */
const FRAME_BYTES = 120;
const ASKING = 0x73706331;
const ANSWERING = 0x73706531;
const MAGIC_BYTES = 4;

/** Frame `number` of who measures. */
export function probeFrame(number: number): Uint8Array {
  const frame = new Uint8Array(FRAME_BYTES);
  frame.set(u32(ASKING));
  frame.set(u32(number), MAGIC_BYTES);
  return frame;
}

/** The answer to a frame of who measures; undefined if it is none. */
export function answerTo(frame: Uint8Array): Uint8Array | undefined {
  if (frame.length !== FRAME_BYTES || readU32(frame, 0) !== ASKING) return undefined;
  const answer = frame.slice();
  answer.set(u32(ANSWERING));
  return answer;
}

/** The number in an answer; undefined if it is none. */
export const answeredNumber = (frame: Uint8Array): number | undefined =>
  frame.length === FRAME_BYTES && readU32(frame, 0) === ANSWERING
    ? readU32(frame, MAGIC_BYTES)
    : undefined;

/** What came of the frames. Milliseconds; `undefined` where nothing came back. */
export interface CallReport {
  readonly sent: number;
  readonly returned: number;
  /** Frames that did not come back, there and back together. */
  readonly lossPercent: number;
  readonly roundTripMs: { readonly p50: number; readonly p95: number } | undefined;
  /** Mean difference of neighbouring round trips (as RFC 3550, 6.4.1, without its smoothing). */
  readonly jitterMs: number | undefined;
}

/** Notes when frames went and came back. */
export class CallMeter {
  readonly #sentMs: number[] = [];
  readonly #tripsMs = new Map<number, number>();

  /** The next frame goes at `nowMs`; gives its number. */
  sent(nowMs: number): number {
    return this.#sentMs.push(nowMs) - 1;
  }

  /** The answer to frame `number` came; a second one does not count. */
  returned(number: number, nowMs: number): void {
    const sentMs = this.#sentMs[number];
    if (sentMs !== undefined && !this.#tripsMs.has(number))
      this.#tripsMs.set(number, nowMs - sentMs);
  }

  get report(): CallReport {
    const [sent, returned] = [this.#sentMs.length, this.#tripsMs.size];
    const sorted = [...this.#tripsMs.values()].sort((a, b) => a - b);
    const at = (part: number): number =>
      tenth(sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0);
    return {
      sent,
      returned,
      lossPercent: sent === 0 ? 0 : tenth((100 * (sent - returned)) / sent),
      roundTripMs: returned === 0 ? undefined : { p50: at(0.5), p95: at(0.95) },
      jitterMs: this.#jitterMs(),
    };
  }

  #jitterMs(): number | undefined {
    const differences: number[] = [];
    for (const [number, trip] of this.#tripsMs) {
      const before = this.#tripsMs.get(number - 1);
      if (before !== undefined) differences.push(Math.abs(trip - before));
    }
    if (differences.length === 0) return undefined;
    return tenth(differences.reduce((sum, one) => sum + one, 0) / differences.length);
  }
}

const tenth = (value: number): number => Math.round(value * 10) / 10;
