/*
 * Ends sessions, devices and accounts everywhere: in the store, at this replica, at the others, and at relays.
 */
import type { CloseName } from '../../messages/signaling.js';
import type { Connection } from '../caller.js';
import type { RoomContext } from '../rooms.js';
import type { LeaseRow } from '../store.js';

/** What endings need. */
export interface EndingsContext extends Pick<RoomContext, 'store' | 'bus' | 'connections'> {
  /** Takes leases that ended with their sessions, which the store keeps as revoked: tells relays and replicas. */
  readonly leasesEnded: (leases: readonly LeaseRow[]) => void | Promise<void>;
  /** Runs `close` after the answer that is being made has been sent. */
  readonly afterAnswer: (close: () => void) => void;
}

/** Which sessions end. */
export interface EndedPart {
  readonly account: string;
  readonly device?: string;
  readonly session?: string;
}

/** Ends what was asked for. */
export class Endings {
  constructor(private readonly context: EndingsContext) {}

  /** Ends sessions with their sockets and leases. `asking` is closed last, after its answer. Gives how many ended. */
  async sessions(of: EndedPart, asking?: Connection): Promise<number> {
    const { store, bus, leasesEnded } = this.context;
    const { sessions, leases } = await store.endSessions(of);
    if (sessions.length > 0) bus.tell({ type: 'sessions-ended', sessions });
    if (leases.length > 0) await leasesEnded(leases);
    for (const session of sessions)
      this.#close(this.context.connections.ofSession(session), 'session-ended', asking);
    return sessions.length;
  }

  /** Tells all replicas to look at the account again, and closes its connections here. */
  accountGone(account: string, asking?: Connection): void {
    this.context.bus.tell({ type: 'account-changed', account });
    this.#close(this.context.connections.of(account), 'session-ended', asking);
  }

  #close(connections: readonly Connection[], why: CloseName, asking?: Connection): void {
    for (const connection of connections) {
      const close = () => {
        connection.close(why);
      };
      if (connection === asking) this.context.afterAnswer(close);
      else close();
    }
  }
}
