/*
 * Leases that are refused although their time is not over: after BYE, after a revocation, after a newer one took their
 * place. Remembered until they expire by themselves. The table is bounded; when it is full, the one that expires first
 * goes and is counted: what is lost is the least time of refusal.
 */

/** `jti` with the time of their expiry. */
export class RefusedLeases {
  readonly #expiryOf = new Map<string, number>();
  /** A binary heap by expiry. */
  readonly #heap: Entry[] = [];
  #evicted = 0;

  /** @param limit how many are remembered at most; about 150 bytes each */
  constructor(private readonly limit: number) {}

  /** How many are remembered. */
  get size(): number {
    return this.#expiryOf.size;
  }

  /** How many were forgotten before their expiry. */
  get evicted(): number {
    return this.#evicted;
  }

  /** Whether `jti` is refused. */
  has(jti: string): boolean {
    return this.#expiryOf.has(jti);
  }

  /** Refuses `jti` until `expiresMs` (the clock is the caller's). */
  add(jti: string, expiresMs: number): void {
    if (this.#expiryOf.has(jti)) return;
    if (this.#expiryOf.size >= this.limit) {
      this.#removeFirst();
      this.#evicted++;
    }
    this.#expiryOf.set(jti, expiresMs);
    this.#push({ jti, expiresMs });
  }

  /** Forgets what has expired. */
  expire(nowMs: number): void {
    for (let first = this.#heap[0]; first && first.expiresMs <= nowMs; first = this.#heap[0])
      this.#removeFirst();
  }

  #removeFirst(): void {
    const first = this.#heap[0];
    const last = this.#heap.pop();
    if (!first || !last) return;
    this.#expiryOf.delete(first.jti);
    if (this.#heap.length > 0) this.#sink(last);
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.push(entry) - 1;
    for (;;) {
      const above = (at - 1) >> 1;
      const parent = at > 0 ? heap[above] : undefined;
      if (!parent || parent.expiresMs <= entry.expiresMs) break;
      heap[at] = parent;
      at = above;
    }
    heap[at] = entry;
  }

  /** Moves `entry` from the top down to where it belongs. */
  #sink(entry: Entry): void {
    const heap = this.#heap;
    let at = 0;
    for (;;) {
      const below = this.#firstChild(at);
      const child = heap[below];
      if (!child || child.expiresMs >= entry.expiresMs) break;
      heap[at] = child;
      at = below;
    }
    heap[at] = entry;
  }

  /** Of the two below `at`, the one that expires first. */
  #firstChild(at: number): number {
    const left = 2 * at + 1;
    const [a, b] = [this.#heap[left], this.#heap[left + 1]];
    return a && b && b.expiresMs < a.expiresMs ? left + 1 : left;
  }
}

interface Entry {
  readonly jti: string;
  readonly expiresMs: number;
}
