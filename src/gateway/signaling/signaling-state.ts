/*
 * Everything that signaling keeps in memory. It holds who can be reached and how often an account has made first
 * contacts; never who addressed whom: after a delivery no entry leads from one account to another.
 */
import type { Connection } from '../caller.js';
import { givesWayTo } from '../newest-connection.js';
import { FirstContactLimit } from './first-contact-limit.js';
import { deviceNameOf, listenerOf, newestFirst, type Listener } from './listeners.js';
import { RendezvousTable } from './rendezvous-table.js';

/** What one replica's signaling keeps. */
export class SignalingState {
  readonly table: RendezvousTable<Listener>;
  /** By connection id. */
  readonly listeners = new Map<string, Listener>();
  readonly #byDevice = new Map<string, Set<Listener>>();
  /** Attempts to find an account, and to introduce oneself to a device. */
  readonly finds = new FirstContactLimit();
  readonly introductions = new FirstContactLimit();

  constructor(tokenPool?: number) {
    this.table = new RendezvousTable(tokenPool);
  }

  /** A connection can be reached from now on; older ones of its device here give way to it. */
  opened(connection: Connection, nowMonotonicMs: number): void {
    const listener = listenerOf(connection, nowMonotonicMs);
    const ofDevice = this.#byDevice.get(listener.deviceName) ?? new Set();
    for (const older of ofDevice) older.superseded = true;
    this.#byDevice.set(listener.deviceName, ofDevice.add(listener));
    this.listeners.set(connection.id, listener);
  }

  /** A connection has ended: nothing of it remains. */
  closed({ id }: Connection): void {
    const listener = this.listeners.get(id);
    if (listener === undefined) return;
    this.table.remove(listener);
    this.listeners.delete(id);
    const ofDevice = this.#byDevice.get(listener.deviceName);
    ofDevice?.delete(listener);
    if (ofDevice?.size === 0) this.#byDevice.delete(listener.deviceName);
  }

  /** A device has opened a connection at another replica. */
  connectedElsewhere(
    { account, device, connection }: { account: string; device: string; connection: string },
    nowMonotonicMs: number,
  ): void {
    for (const listener of this.#byDevice.get(deviceNameOf({ account, device })) ?? []) {
      const own = { id: listener.connection.id, openedAtMs: listener.openedAtMs };
      if (givesWayTo(own, connection, nowMonotonicMs)) listener.superseded = true;
    }
  }

  /** The listeners of `connections`, those that no newer one of their device supersedes first. */
  of(connections: readonly Connection[]): readonly Listener[] {
    return newestFirst(connections.flatMap(({ id }) => this.listeners.get(id) ?? []));
  }
}
