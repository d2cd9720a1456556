interface Node<T> {
  readonly dueMs: number;
  /** Order among equals: first in, first out. */
  readonly sequence: number;
  readonly item: T;
}

/** Items that become due at a time: a binary heap, earliest first. */
export class DelayHeap<T> {
  readonly #nodes: Node<T>[] = [];
  #sequence = 0;

  get length(): number {
    return this.#nodes.length;
  }

  /** When the earliest item is due; undefined when there is none. */
  get nextDueMs(): number | undefined {
    return this.#nodes[0]?.dueMs;
  }

  /** Adds `item`, due at `dueMs`. */
  push(item: T, dueMs: number): void {
    this.#sequence += 1;
    const node = { dueMs, sequence: this.#sequence, item };
    let index = this.#nodes.push(node) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!this.#before(index, parent)) return;
      this.#swap(index, parent);
      index = parent;
    }
  }

  /** Takes the earliest item away if it is due at `nowMs`. */
  popDue(nowMs: number): T | undefined {
    const first = this.#nodes[0];
    if (!first || first.dueMs > nowMs) return undefined;
    const last = this.#nodes.pop();
    if (last && this.#nodes.length > 0) {
      this.#nodes[0] = last;
      this.#sink();
    }
    return first.item;
  }

  /** Forgets everything. */
  clear(): void {
    this.#nodes.length = 0;
  }

  #sink(): void {
    let index = 0;
    for (;;) {
      const left = 2 * index + 1;
      let least = index;
      if (this.#before(left, least)) least = left;
      if (this.#before(left + 1, least)) least = left + 1;
      if (least === index) return;
      this.#swap(index, least);
      index = least;
    }
  }

  #before(a: number, b: number): boolean {
    const first = this.#nodes[a];
    const second = this.#nodes[b];
    if (!first || !second) return false;
    if (first.dueMs !== second.dueMs) return first.dueMs < second.dueMs;
    return first.sequence < second.sequence;
  }

  #swap(a: number, b: number): void {
    const first = this.#nodes[a];
    const second = this.#nodes[b];
    if (!first || !second) return;
    this.#nodes[a] = second;
    this.#nodes[b] = first;
  }
}
