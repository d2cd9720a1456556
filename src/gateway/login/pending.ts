/*
 * What was begun on a connection and waits for its second half: a challenge, a secret that is not confirmed yet. Kept in
 * memory only, taken once, and bounded: the oldest gives way.
 */

/** Entries at one time; about 10 MB. */
export const MAX_PENDING = 10_000;

interface Entry<Value> {
  readonly value: Value;
  readonly until: number;
}

/** Values by connection, one each. */
export class Pending<Value> {
  readonly #entries = new Map<string, Entry<Value>>();

  /** @param drop is given each value that nobody took, to erase it */
  constructor(private readonly drop: (value: Value) => void = () => undefined) {}

  get size(): number {
    return this.#entries.size;
  }

  /** Keeps `value` until `until` (Unix ms) in the place of what was there. */
  put(connection: string, value: Value, until: number): void {
    this.forget(connection);
    this.#entries.set(connection, { value, until });
    const oldest = this.#entries.keys().next().value;
    if (this.#entries.size > MAX_PENDING && oldest !== undefined) this.forget(oldest);
  }

  /** Gives the value once; undefined if there is none or its time is over. */
  take(connection: string, now: number): Value | undefined {
    const entry = this.#entries.get(connection);
    if (entry === undefined) return undefined;
    if (now >= entry.until) {
      this.forget(connection);
      return undefined;
    }
    this.#entries.delete(connection);
    return entry.value;
  }

  /** Forgets what the connection has. */
  forget(connection: string): void {
    const entry = this.#entries.get(connection);
    if (entry === undefined) return;
    this.#entries.delete(connection);
    this.drop(entry.value);
  }

  /** Forgets whatever has had its time. */
  sweep(now: number): void {
    for (const [connection, { until }] of this.#entries) if (now >= until) this.forget(connection);
  }
}
