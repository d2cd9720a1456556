import { readU8 } from '../../protocol/bytes.js';

/** A set of chunks of one file, one bit each: the highest bit of the first byte is chunk 0. */
export class ChunkSet {
  readonly total: number;
  readonly #bits: Uint8Array;
  #count = 0;

  constructor(total: number) {
    this.total = total;
    this.#bits = new Uint8Array(Math.ceil(total / 8));
  }

  /** All `total` chunks. */
  static full(total: number): ChunkSet {
    const set = new ChunkSet(total);
    for (let index = 0; index < total; index++) set.add(index);
    return set;
  }

  /** The set that `bits` name, or undefined if they are none of `total` chunks. Never throws. */
  static from(bits: Uint8Array, total: number): ChunkSet | undefined {
    if (bits.length !== Math.ceil(total / 8)) return undefined;
    const set = new ChunkSet(total);
    for (let index = 0; index < 8 * bits.length; index++) {
      if ((readU8(bits, index >>> 3) & (0x80 >>> (index & 7))) === 0) continue;
      if (index >= total) return undefined;
      set.add(index);
    }
    return set;
  }

  /** How many chunks are in it. */
  get count(): number {
    return this.#count;
  }

  has(index: number): boolean {
    return (readU8(this.#bits, index >>> 3) & (0x80 >>> (index & 7))) !== 0;
  }

  add(index: number): void {
    if (index >= this.total || this.has(index)) return;
    this.#bits[index >>> 3] = readU8(this.#bits, index >>> 3) | (0x80 >>> (index & 7));
    this.#count++;
  }

  delete(index: number): void {
    if (!this.has(index)) return;
    this.#bits[index >>> 3] = readU8(this.#bits, index >>> 3) & ~(0x80 >>> (index & 7));
    this.#count--;
  }

  /** The lowest chunk in it from `index` on. */
  next(index = 0): number | undefined {
    for (let at = index; at < this.total; at++) if (this.has(at)) return at;
    return undefined;
  }

  /** What is not in it. */
  complement(): ChunkSet {
    const others = new ChunkSet(this.total);
    for (let index = 0; index < this.total; index++) if (!this.has(index)) others.add(index);
    return others;
  }

  /** A copy of the bits. */
  bytes(): Uint8Array {
    return this.#bits.slice();
  }
}
