/*
 * Deadlines of sessions: lists by tick in typed arrays, so that setting one costs the same with ten sessions and with a
 * hundred thousand. A deadline beyond the wheel's turn waits in its last tick and is set again there. Nothing fires
 * early; it fires at most one tick late.
 */

/** Milliseconds per tick. */
const TICK_MS = 250;
/** Ticks of one turn: 128 s, which holds most deadlines without a second round. */
const TICKS = 512;
const NONE = -1;

/** A wheel of numbered entries. */
export class TimerWheel {
  #next: Int32Array;
  #previous: Int32Array;
  #tickOf: Int32Array;
  readonly #heads = new Int32Array(TICKS).fill(NONE);
  #now: number;

  /** Entries are 0 to `capacity` - 1; `now` is monotonic, in milliseconds. */
  constructor(capacity: number, now: number) {
    this.#next = new Int32Array(capacity).fill(NONE);
    this.#previous = new Int32Array(capacity).fill(NONE);
    this.#tickOf = new Int32Array(capacity).fill(NONE);
    this.#now = Math.floor(now / TICK_MS);
  }

  /** Makes room for more entries. */
  grow(capacity: number): void {
    this.#next = grown(this.#next, capacity);
    this.#previous = grown(this.#previous, capacity);
    this.#tickOf = grown(this.#tickOf, capacity);
  }

  /** Sets the deadline of `entry`, in place of an earlier one. */
  set(entry: number, atMs: number): void {
    this.clear(entry);
    const ticks = Math.ceil(atMs / TICK_MS) - this.#now;
    const tick = (this.#now + Math.min(Math.max(ticks, 1), TICKS - 1)) % TICKS;
    const head = this.#heads[tick] ?? 0;
    this.#next[entry] = head;
    this.#previous[entry] = NONE;
    if (head !== NONE) this.#previous[head] = entry;
    this.#heads[tick] = entry;
    this.#tickOf[entry] = tick;
  }

  /** Forgets the deadline of `entry`, if it has one. */
  clear(entry: number): void {
    const tick = this.#tickOf[entry] ?? 0;
    if (tick === NONE) return;
    const next = this.#next[entry] ?? 0;
    const previous = this.#previous[entry] ?? 0;
    if (previous === NONE) this.#heads[tick] = next;
    else this.#next[previous] = next;
    if (next !== NONE) this.#previous[next] = previous;
    this.#tickOf[entry] = NONE;
  }

  /** Calls `due` with every entry whose tick has passed; it may set that entry again, or clear any. */
  advance(now: number, due: (entry: number) => void): void {
    const until = Math.floor(now / TICK_MS);
    // After a pause longer than a turn every tick is looked at once.
    if (until - this.#now > TICKS) this.#now = until - TICKS;
    while (this.#now < until) {
      this.#now++;
      const tick = this.#now % TICKS;
      for (let entry = this.#heads[tick] ?? 0; entry !== NONE; entry = this.#heads[tick] ?? 0) {
        this.clear(entry);
        due(entry);
      }
    }
  }

  /** Monotonic milliseconds of the next tick: there is no need to call `advance` before. */
  get nextTickMs(): number {
    return (this.#now + 1) * TICK_MS;
  }
}

function grown(array: Int32Array, capacity: number): Int32Array {
  const larger = new Int32Array(capacity).fill(NONE);
  larger.set(array);
  return larger;
}
