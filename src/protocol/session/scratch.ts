/** Views of one buffer that begin at one place, made once per length: no allocation per datagram. */
export class ScratchViews {
  readonly #bytes: Uint8Array;
  readonly #from: number;
  readonly #views: (Uint8Array | undefined)[];

  constructor(bytes: Uint8Array, from: number) {
    this.#bytes = bytes;
    this.#from = from;
    this.#views = new Array<Uint8Array | undefined>(bytes.length - from + 1).fill(undefined);
  }

  /** The view of `length` bytes, the same one each time. @throws RangeError if the buffer ends before. */
  ofLength(length: number): Uint8Array {
    if (length >= this.#views.length) throw new RangeError(`${length} bytes exceed the buffer`);
    return (this.#views[length] ??= this.#bytes.subarray(this.#from, this.#from + length));
  }
}
