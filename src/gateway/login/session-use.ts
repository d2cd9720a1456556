/*
 * When sessions were used last: known exactly while their connection is open, written now and then, and exactly when it
 * closes, so that who comes back is judged to the second.
 */
import type { Connection } from '../caller.js';
import type { Store } from '../store.js';

/** A session's last use is written at most this often. */
const WRITE_EVERY_MS = 10_000;

interface Use {
  heardAt: number;
  writtenAt: number;
}

/** Last uses of the sessions of open connections. */
export class SessionUse {
  readonly #uses = new Map<string, Use>();

  constructor(private readonly store: Pick<Store, 'touchSession'>) {}

  /** A connection opened: its login has just written that it is used. `now` in Unix milliseconds, as below. */
  opened({ id }: Connection, now: number): void {
    this.#uses.set(id, { heardAt: now, writtenAt: now });
  }

  /** A message arrived. */
  heard(connection: Connection, now: number): void {
    const use = this.#uses.get(connection.id);
    if (use === undefined) return;
    use.heardAt = now;
    if (now - use.writtenAt >= WRITE_EVERY_MS) this.#write(connection, use);
  }

  closed(connection: Connection): void {
    const use = this.#uses.get(connection.id);
    this.#uses.delete(connection.id);
    if (use !== undefined && use.heardAt > use.writtenAt) this.#write(connection, use);
  }

  /** A write that fails is made up for by the next one; the login says when the database is away. */
  #write({ caller }: Connection, use: Use): void {
    use.writtenAt = use.heardAt;
    this.store.touchSession(caller.session, use.heardAt).catch(() => undefined);
  }
}
