/*
 * When sessions were used last, for those who come back: written at most every 10 seconds and within a second, so that a
 * session may be found idle up to 10 seconds early, 11 if the gateway crashes, and never late. While a connection is open,
 * the server knows it exactly.
 */
import type { Connection } from '../caller.js';
import type { Store } from '../store.js';

/** A session's last use is written at most this often. */
const WRITE_EVERY_MS = 10_000;
/** Uses that one transaction writes; the others wait for the next second. */
const WRITTEN_AT_ONCE = 2_000;

/** Last uses of the sessions of open connections. Those of a second are written together: each write waits for the disk. */
export class SessionUse {
  /** When the use of each connection's session was last given to be written. */
  readonly #givenAt = new Map<string, number>();
  /** When each session was used that is to be written, in Unix milliseconds. */
  readonly #due = new Map<string, number>();
  /** Those of them that are being written. */
  #underWay: ReadonlyMap<string, number> = new Map();
  #writing: Promise<void> | undefined;

  constructor(private readonly store: Pick<Store, 'touchSessions'>) {}

  /** A connection opened: its login has just written that it is used. `now` in Unix milliseconds, as below. */
  opened({ id }: Connection, now: number): void {
    this.#givenAt.set(id, now);
  }

  /** A message arrived. */
  heard({ id, caller }: Connection, now: number): void {
    const givenAt = this.#givenAt.get(id);
    if (givenAt === undefined || now - givenAt < WRITE_EVERY_MS) return;
    this.#givenAt.set(id, now);
    this.#due.set(caller.session, now);
  }

  closed({ id }: Connection): void {
    this.#givenAt.delete(id);
  }

  /** When a session was used, as far as that is not written yet; Unix milliseconds. */
  usedAt(session: string): number | undefined {
    return this.#due.get(session) ?? this.#underWay.get(session);
  }

  /** Writes what is due, unless it is still at it. To be called every second. */
  tick(): void {
    if (this.#writing !== undefined || this.#due.size === 0) return;
    this.#writing = this.#write().finally(() => {
      this.#writing = undefined;
    });
  }

  /** Writes what is due; for the end. */
  async stop(): Promise<void> {
    await this.#writing;
    while (this.#due.size > 0) await this.#write();
  }

  async #write(): Promise<void> {
    const uses = [...this.#due].slice(0, WRITTEN_AT_ONCE);
    for (const [session] of uses) this.#due.delete(session);
    this.#underWay = new Map(uses);
    // A write that fails is made up for by the next one; the login says when the database is away.
    await this.store.touchSessions(uses).catch(() => undefined);
    this.#underWay = new Map();
  }
}
