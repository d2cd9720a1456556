/*
 * Relay frames on a byte stream (TLS 1.3 on 5349/tcp): each goes after its length.
 *   2 bytes  length   20 to 1,500
 *   n bytes  frame    as in a datagram
 */
import { concat, readU8, u16 } from '../bytes.js';
import { MAX_RELAY_FRAME_BYTES, RELAY_HEADER_BYTES } from './header.js';

const LENGTH_BYTES = 2;

/** Why a stream cannot be read on: where its next frame begins is lost, so the connection is closed. Closed list. */
export const STREAM_REFUSALS = ['frame-too-short', 'frame-too-long'] as const;

/** One of STREAM_REFUSALS. */
export type StreamRefusal = (typeof STREAM_REFUSALS)[number];

/** What a chunk of the stream completes. */
export interface StreamFrames {
  /** In order. Views of the chunk where a frame lies in it whole, else arrays of their own. */
  readonly frames: readonly Uint8Array[];
  readonly refusal: StreamRefusal | undefined;
}

/** `frame` after its length. @throws RangeError if it has not 20 to 1,500 bytes. */
export function encodeStreamFrame(frame: Uint8Array): Uint8Array {
  if (frame.length < RELAY_HEADER_BYTES || frame.length > MAX_RELAY_FRAME_BYTES)
    throw new RangeError(`${frame.length} bytes are no frame`);
  return concat([u16(frame.length), frame]);
}

/** Cuts a stream into frames; holds at most one frame, 1,502 bytes, whatever the other side sends. */
export class FrameSplitter {
  readonly #held = new Uint8Array(LENGTH_BYTES + MAX_RELAY_FRAME_BYTES);
  #heldBytes = 0;
  #refusal: StreamRefusal | undefined;

  /** Takes the next bytes of the stream. Never throws. After a refusal every further call refuses the same. */
  push(chunk: Uint8Array): StreamFrames {
    const frames: Uint8Array[] = [];
    let at = 0;
    while (at < chunk.length && this.#refusal === undefined)
      at = this.#heldBytes > 0 ? this.#complete(chunk, at, frames) : this.#cut(chunk, at, frames);
    return { frames, refusal: this.#refusal };
  }

  /** Cuts a frame that begins at `at`, or holds what there is of it. */
  #cut(chunk: Uint8Array, at: number, frames: Uint8Array[]): number {
    const left = chunk.length - at;
    if (left < LENGTH_BYTES) return this.#hold(chunk, at, chunk.length);
    const length = this.#judge(readU8(chunk, at) * 256 + readU8(chunk, at + 1));
    if (left < LENGTH_BYTES + length) return this.#hold(chunk, at, chunk.length);
    const end = at + LENGTH_BYTES + length;
    if (this.#refusal === undefined) frames.push(chunk.subarray(at + LENGTH_BYTES, end));
    return end;
  }

  /** Goes on with the frame that is held: first its length, then the rest. */
  #complete(chunk: Uint8Array, at: number, frames: Uint8Array[]): number {
    if (this.#heldBytes < LENGTH_BYTES) return this.#hold(chunk, at, at + 1);
    const length = this.#judge(readU8(this.#held, 0) * 256 + readU8(this.#held, 1));
    const missing = LENGTH_BYTES + length - this.#heldBytes;
    const next = this.#hold(chunk, at, Math.min(chunk.length, at + missing));
    if (next - at === missing && this.#refusal === undefined) {
      frames.push(this.#held.slice(LENGTH_BYTES, this.#heldBytes));
      this.#heldBytes = 0;
    }
    return next;
  }

  #hold(chunk: Uint8Array, start: number, end: number): number {
    if (this.#refusal !== undefined) return end;
    this.#held.set(chunk.subarray(start, end), this.#heldBytes);
    this.#heldBytes += end - start;
    return end;
  }

  /** `length` itself; a refusal is remembered. */
  #judge(length: number): number {
    if (length < RELAY_HEADER_BYTES) this.#refusal = 'frame-too-short';
    if (length > MAX_RELAY_FRAME_BYTES) this.#refusal = 'frame-too-long';
    return length;
  }
}
