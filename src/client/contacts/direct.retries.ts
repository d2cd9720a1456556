import type { SeenAddress } from '../../protocol/relay/address.js';
import type { PathKind } from '../datagram-path.js';
import { MAX_CANDIDATES } from './candidate-list.js';
import { candidateName } from './local.addresses.js';
import { NetworkWatch } from './network.watch.js';

const FIRST_RETRY_MS = 1_000;
const MAX_RETRY_MS = 60_000;

/**
 * Finds the way back to a direct path that was lost: a cable was out, a router was restarted. Both sides lose it within
 * seconds of each other, and then both try the peer's addresses after 1, 2, 4 ... 60 s, so that each opens its router
 * for the other. Where there never was a direct path nothing is tried again.
 */
export class DirectRetries {
  readonly #retry: (hasMoved: boolean) => void;
  readonly #network = new NetworkWatch();
  /** By address and port, the newest last. */
  readonly #named = new Map<string, SeenAddress>();
  #wasDirect = false;
  #delayMs = FIRST_RETRY_MS;
  #timer: NodeJS.Timeout | undefined;

  /** `retry` is to try `addresses` again, and to tell the peer its own; if this machine has moved, with a new socket. */
  constructor(retry: (hasMoved: boolean) => void) {
    this.#retry = retry;
  }

  /** What the peer named, the last eight. */
  get addresses(): readonly SeenAddress[] {
    return [...this.#named.values()];
  }

  /** The peer named an address; `candidate` is copied. */
  add(candidate: SeenAddress): void {
    const name = candidateName(candidate);
    this.#named.delete(name);
    this.#named.set(name, { ...candidate, address: candidate.address.slice() });
    const [oldest] = this.#named.keys();
    if (this.#named.size > MAX_CANDIDATES && oldest !== undefined) this.#named.delete(oldest);
  }

  /** The way in use is of this kind now. */
  path(kind: PathKind): void {
    if (kind !== 'direct') {
      if (this.#wasDirect && this.#timer === undefined) this.#wait();
      return;
    }
    this.close();
    this.#wasDirect = true;
    this.#delayMs = FIRST_RETRY_MS;
  }

  /** Nothing is tried any more. May be called again. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #wait(): void {
    this.#timer = setTimeout(() => {
      this.#wait();
      this.#retry(this.#network.hasMoved());
    }, this.#delayMs);
    this.#delayMs = Math.min(2 * this.#delayMs, MAX_RETRY_MS);
  }
}
