/*
 * Everything that signaling keeps in memory. It holds who can be reached and how often an account has made first
 * contacts; never who addressed whom: after a delivery no entry leads from one account to another.
 */
import type { Connection } from '../caller.js';
import { FirstContactLimit } from './first-contact-limit.js';
import { listenerOf, newestFirst, type Listener } from './listeners.js';
import { RendezvousTable } from './rendezvous-table.js';

/** What one replica's signaling keeps. */
export class SignalingState {
  readonly table: RendezvousTable<Listener>;
  /** By connection id. */
  readonly listeners = new Map<string, Listener>();
  /** Attempts to find an account, and to introduce oneself to a device. */
  readonly finds = new FirstContactLimit();
  readonly introductions = new FirstContactLimit();

  constructor(tokenPool?: number) {
    this.table = new RendezvousTable(tokenPool);
  }

  /** A connection can be reached from now on; `others` are those of the same device, which it supersedes. */
  opened(connection: Connection, others: readonly Connection[]): void {
    this.supersede(others.filter(({ id }) => id !== connection.id));
    this.listeners.set(connection.id, listenerOf(connection));
  }

  /** A connection has ended: nothing of it remains. */
  closed({ id }: Connection): void {
    const listener = this.listeners.get(id);
    if (listener === undefined) return;
    this.table.remove(listener);
    this.listeners.delete(id);
  }

  /** A newer connection of their device is open. */
  supersede(connections: readonly Connection[]): void {
    for (const listener of this.of(connections)) listener.superseded = true;
  }

  /** The listeners of `connections`, those that are not superseded and the newest first. */
  of(connections: readonly Connection[]): readonly Listener[] {
    return newestFirst(connections.flatMap(({ id }) => this.listeners.get(id) ?? []));
  }
}
