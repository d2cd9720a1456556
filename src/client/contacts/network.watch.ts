import { networkInterfaces } from 'node:os';

/** The addresses that others may reach. */
function addresses(): ReadonlySet<string> {
  const all = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  return new Set(all.filter(({ internal }) => !internal).map(({ address }) => address));
}

/**
 * Notices that this machine has moved: an address that it had is gone, and it has one. Routers remember the old one for a
 * while, and translate a socket that stays differently for each destination; a new socket begins anew.
 */
export class NetworkWatch {
  #known = addresses();
  #isAway = false;

  /** Whether it has moved since the last call that said so. */
  hasMoved(): boolean {
    const now = addresses();
    this.#isAway ||= [...this.#known].some((address) => !now.has(address));
    this.#known = now;
    const moved = this.#isAway && now.size > 0;
    if (moved) this.#isAway = false;
    return moved;
  }
}
