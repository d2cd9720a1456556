import type { DirectRoute } from './routes.js';

/** Addresses that are taken for a way to the peer at a time. */
const MAX_ROUTES = 8;

/** Which direct way belongs to which address. */
export class DirectRoutes {
  readonly #routes = new Map<string, DirectRoute>();

  /** The way to this address, if there is one. */
  get(address: string, port: number): DirectRoute | undefined {
    return this.#routes.get(keyOf(address, port));
  }

  /** Keeps `route`; gives the oldest one if there are too many now, which is closed. */
  keep(address: string, port: number, route: DirectRoute): DirectRoute | undefined {
    this.#routes.set(keyOf(address, port), route);
    const oldest = this.#routes.entries().next();
    if (this.#routes.size <= MAX_ROUTES || oldest.done === true) return undefined;
    const [key, dropped] = oldest.value;
    this.#routes.delete(key);
    dropped.close();
    return dropped;
  }

  /** Closes and forgets all of them, and gives them. */
  clear(): DirectRoute[] {
    const routes = [...this.#routes.values()];
    for (const route of routes) route.close();
    this.#routes.clear();
    return routes;
  }
}

const keyOf = (address: string, port: number): string => `${address} ${port}`;
