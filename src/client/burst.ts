/*
 * Datagrams that go to one address, side by side in one buffer, so that the kernel can cut them apart again (udp(7),
 * UDP_SEGMENT): all have the length of the first, only the last may be shorter.
 */
import { MAX_DATAGRAM_BYTES } from '../protocol/session/datagram.js';

/** 1,280 bytes of IPv6 (RFC 8200, section 5) less 40 of IPv6 and 8 of UDP: no UDP payload of ours is longer. */
export const MAX_UDP_PAYLOAD_BYTES = 1232;
/** What a pacer lets go at a time, twice; the kernel takes up to 64. */
const MAX_DATAGRAMS = 16;

/** Takes the first `length` bytes of `bytes`, datagrams of `segment` bytes but for the last; they change after it returns. */
export type BurstSink = (bytes: Uint8Array, length: number, segment: number) => void;

/** Collects datagrams, each behind the same prefix, and gives them out in as few bursts as their lengths allow. */
export class Burst {
  readonly #bytes = new Uint8Array(new ArrayBuffer((MAX_DATAGRAMS + 1) * MAX_UDP_PAYLOAD_BYTES));
  readonly #prefix: Uint8Array;
  readonly #sink: BurstSink;
  #length = 0;
  #segment = 0;
  #count = 0;

  /** `prefix` is copied. @throws RangeError if it leaves no room for a session datagram. */
  constructor(prefix: Uint8Array, sink: BurstSink) {
    if (prefix.length + MAX_DATAGRAM_BYTES > MAX_UDP_PAYLOAD_BYTES)
      throw new RangeError(`a prefix of ${prefix.length} bytes leaves no room`);
    this.#prefix = prefix.slice();
    this.#sink = sink;
  }

  /** Where the next datagram is written, behind its prefix: a view, valid until `commit`. */
  room(): Uint8Array {
    const at = this.#length + this.#prefix.length;
    return this.#bytes.subarray(at, this.#length + MAX_UDP_PAYLOAD_BYTES);
  }

  /** Takes the first `length` bytes of `room`. A datagram longer than those before sends them first. */
  commit(length: number): void {
    const frame = this.#prefix.length + length;
    const at = this.#length;
    this.#bytes.set(this.#prefix, at);
    if (frame > this.#segment) {
      this.flush();
      if (at > 0) this.#bytes.copyWithin(0, at, at + frame);
      this.#segment = frame;
    }
    this.#length += frame;
    this.#count++;
    if (frame < this.#segment || this.#count === MAX_DATAGRAMS) this.flush();
  }

  /** Gives out what there is. */
  flush(): void {
    if (this.#count > 0) this.#sink(this.#bytes, this.#length, this.#segment);
    this.#length = this.#segment = this.#count = 0;
  }
}
