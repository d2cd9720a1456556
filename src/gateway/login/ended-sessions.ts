/*
 * Closes connections whose session ended somewhere while nobody could tell this replica: what the bus has lost is found
 * in the store within some seconds. As long as the store does not answer, who is in stays in.
 */
import type { Connection } from '../caller.js';
import type { Room, RoomContext } from '../rooms.js';
import { StorageUnavailable } from '../store.js';

/** How often the store is asked. */
const LOOK_EVERY_MS = 10_000;
/** Sessions of one question. */
const AT_ONCE = 500;

/** Looks after the sessions of open connections. */
export class EndedSessions implements Room {
  readonly handlers = {};
  readonly #open = new Set<Connection>();
  #lookedMs: number;
  #isLooking = false;

  constructor(private readonly context: Pick<RoomContext, 'store' | 'clock'>) {
    this.#lookedMs = context.clock.monotonicMs();
  }

  opened(connection: Connection): void {
    this.#open.add(connection);
  }

  closed(connection: Connection): void {
    this.#open.delete(connection);
  }

  async tick(): Promise<void> {
    const nowMs = this.context.clock.monotonicMs();
    if (this.#isLooking || nowMs - this.#lookedMs < LOOK_EVERY_MS) return;
    this.#lookedMs = nowMs;
    this.#isLooking = true;
    try {
      await this.#look([...this.#open]);
    } catch (error) {
      if (!(error instanceof StorageUnavailable)) throw error;
    } finally {
      this.#isLooking = false;
    }
  }

  async #look(open: readonly Connection[]): Promise<void> {
    for (let at = 0; at < open.length; at += AT_ONCE) {
      const part = open.slice(at, at + AT_ONCE);
      const sessions = part.map(({ caller }) => caller.session);
      const live = new Set(await this.context.store.liveSessions(sessions));
      for (const connection of part)
        if (!live.has(connection.caller.session)) connection.close('session-ended');
    }
  }
}
