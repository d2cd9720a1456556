/*
 * When sessions were used last, for those who come back: written at most every 10 seconds, so that a session may be
 * found idle up to 10 seconds early, and never late. While a connection is open, the server knows it exactly.
 */
import type { Connection } from '../caller.js';
import type { Store } from '../store.js';

/** A session's last use is written at most this often. */
const WRITE_EVERY_MS = 10_000;

/** Last uses of the sessions of open connections. */
export class SessionUse {
  /** When the use of each connection's session was written. */
  readonly #writtenAt = new Map<string, number>();

  constructor(private readonly store: Pick<Store, 'touchSession'>) {}

  /** A connection opened: its login has just written that it is used. `now` in Unix milliseconds, as below. */
  opened({ id }: Connection, now: number): void {
    this.#writtenAt.set(id, now);
  }

  /** A message arrived. */
  heard({ id, caller }: Connection, now: number): void {
    const writtenAt = this.#writtenAt.get(id);
    if (writtenAt === undefined || now - writtenAt < WRITE_EVERY_MS) return;
    this.#writtenAt.set(id, now);
    // A write that fails is made up for by the next one; the login says when the database is away.
    this.store.touchSession(caller.session, now).catch(() => undefined);
  }

  closed({ id }: Connection): void {
    this.#writtenAt.delete(id);
  }
}
