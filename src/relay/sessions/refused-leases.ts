/*
 * Leases that are refused although their time is not over: after BYE, after a revocation, after a newer one took their
 * place. Remembered with the reason until they expire by themselves. The table is bounded; when it is full, the one that expires first
 * goes and is counted: what is lost is the least time of refusal.
 */
import type { RefusedReason } from '../../protocol/relay/reasons.js';

/** Why a lease is refused before its time: ended by its gateway or its holder, or by a newer one in its slot. */
export type RefusedFor = Extract<RefusedReason, 'banned' | 'superseded'>;

/** `jti` with the time of their expiry. */
export class RefusedLeases {
  readonly #entryOf = new Map<string, Entry>();
  /** A binary heap by expiry; the same entries. */
  readonly #heap: Entry[] = [];
  #evicted = 0;

  /** @param limit how many are remembered at most; about 150 bytes each */
  constructor(private readonly limit: number) {}

  /** How many are remembered. */
  get size(): number {
    return this.#entryOf.size;
  }

  /** How many were forgotten before their expiry. */
  get evicted(): number {
    return this.#evicted;
  }

  /** Why `jti` is refused; undefined if it is not. */
  reasonFor(jti: string): RefusedFor | undefined {
    return this.#entryOf.get(jti)?.reason;
  }

  /**
   * Refuses `jti` until `expiresMs` (the clock is the caller's). The first time counts; of the reasons `banned` stays,
   * whichever came first: it is what somebody wanted.
   */
  add(jti: string, expiresMs: number, reason: RefusedFor): void {
    const known = this.#entryOf.get(jti);
    if (known) {
      if (reason === 'banned') known.reason = reason;
      return;
    }
    if (this.#entryOf.size >= this.limit) {
      this.#removeFirst();
      this.#evicted++;
    }
    const entry = { jti, expiresMs, reason };
    this.#entryOf.set(jti, entry);
    this.#push(entry);
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
    this.#entryOf.delete(first.jti);
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
  reason: RefusedFor;
}
