/** Slots at the start; doubled when full. A power of two, so that an index wraps by a mask. */
const FIRST_SLOTS = 16;

/** A queue in constant time per item. Array.shift moves every item that remains: quadratic when drained. */
export class RingBuffer<T> {
  #slots: (T | undefined)[] = new Array<T | undefined>(FIRST_SLOTS);
  #head = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Appends `item`. */
  push(item: T): void {
    if (this.#length === this.#slots.length) this.#resize(this.#slots.length * 2);
    this.#slots[(this.#head + this.#length) & (this.#slots.length - 1)] = item;
    this.#length += 1;
  }

  /** The first item, which stays. */
  peek(): T | undefined {
    return this.#length === 0 ? undefined : this.#slots[this.#head];
  }

  /** Takes the first item away. A buffer that was large once gives its memory back. */
  shift(): T | undefined {
    if (this.#length === 0) return undefined;
    const item = this.#slots[this.#head];
    this.#slots[this.#head] = undefined;
    this.#head = (this.#head + 1) & (this.#slots.length - 1);
    this.#length -= 1;
    const slots = this.#slots.length;
    if (slots > FIRST_SLOTS && this.#length * 4 < slots) this.#resize(slots / 2);
    return item;
  }

  /** Forgets everything. */
  clear(): void {
    this.#slots = new Array<T | undefined>(FIRST_SLOTS);
    this.#head = 0;
    this.#length = 0;
  }

  #resize(slots: number): void {
    const old = this.#slots;
    const mask = old.length - 1;
    this.#slots = new Array<T | undefined>(slots);
    for (let i = 0; i < this.#length; i += 1) this.#slots[i] = old[(this.#head + i) & mask];
    this.#head = 0;
  }
}
