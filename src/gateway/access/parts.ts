/*
 * What the room of access is made from besides the room context.
 */
import type { Connection } from '../caller.js';
import type { RoomContext } from '../rooms.js';

/** Ends what is open, at every replica and relay. */
export interface Endings {
  /** Ends sessions with their sockets and leases; `asking` after its answer. Gives how many ended. */
  sessions(
    of: { readonly account: string; readonly device?: string; readonly session?: string },
    asking?: Connection,
  ): Promise<number>;
  /** All replicas look at the account again, and close its connections if it may not be used any more. */
  accountGone(account: string, asking?: Connection): void;
}

/** What its handlers need. */
export interface AccessParts extends Pick<
  RoomContext,
  'store' | 'settings' | 'random' | 'backend'
> {
  readonly endings: Endings;
}
