/*
 * Connections that are logged in at this replica. The newest of a device wins; an older one that ends later takes
 * nothing of the newer one with it, because each is known by itself and not by its device.
 */
import type { Connection, Connections } from '../caller.js';
import { givesWayTo } from '../newest-connection.js';

/** A connection as this table holds it. */
export interface HeldConnection extends Connection {
  /** Monotonic milliseconds. */
  readonly openedAtMs: number;
}

/** The table. */
export class OpenConnections implements Connections {
  readonly #byId = new Map<string, HeldConnection>();
  /** Lists: most accounts have one connection, and a set of one takes three times the memory. */
  readonly #byAccount = new Map<string, readonly HeldConnection[]>();

  get count(): number {
    return this.#byId.size;
  }

  /** All of them, for sweeps. */
  all(): IterableIterator<HeldConnection> {
    return this.#byId.values();
  }

  byId(id: string): Connection | undefined {
    return this.#byId.get(id);
  }

  of(account: string, device?: string): readonly HeldConnection[] {
    const held = this.#byAccount.get(account) ?? [];
    return device === undefined ? held : held.filter(({ caller }) => caller.device === device);
  }

  ofSession(session: string): readonly Connection[] {
    return [...this.#byId.values()].filter(({ caller }) => caller.session === session);
  }

  /** Takes a connection in; gives the older ones of its device, which have to end. */
  add(connection: HeldConnection): readonly HeldConnection[] {
    const { account, device } = connection.caller;
    const older = this.of(account, device);
    this.#byId.set(connection.id, connection);
    this.#byAccount.set(account, [...this.of(account), connection]);
    return older;
  }

  /** Forgets exactly this one. */
  remove(connection: HeldConnection): void {
    const { account } = connection.caller;
    this.#byId.delete(connection.id);
    const left = this.of(account).filter((held) => held !== connection);
    if (left.length === 0) this.#byAccount.delete(account);
    else this.#byAccount.set(account, left);
  }

  /** Connections that end because the same device connected to another replica. */
  supersededBy(
    { account, device, connection }: { account: string; device: string; connection: string },
    nowMs: number,
  ): readonly HeldConnection[] {
    return this.of(account, device).filter((own) => givesWayTo(own, connection, nowMs));
  }
}
