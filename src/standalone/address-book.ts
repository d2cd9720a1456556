/*
 * One loopback address per pod: 127.0.0.0/8 is all this machine (RFC 1122, 3.2.1.3), so that every pod has its declared
 * ports to itself and nothing is reachable from outside.
 */
const FIRST = 1;
const LAST = 254;

/** Gives each pod an address for as long as the process lives. */
export class AddressBook {
  readonly #byPod = new Map<string, string>();

  /** The address of a pod, the same at every call. The first one that asks gets 127.0.0.1. @throws RangeError after 254 pods */
  of(podId: string): string {
    const known = this.#byPod.get(podId);
    if (known !== undefined) return known;
    const taken = new Set(this.#byPod.values());
    for (let last = FIRST; last <= LAST; last += 1) {
      const address = `127.0.0.${last}`;
      if (taken.has(address)) continue;
      this.#byPod.set(podId, address);
      return address;
    }
    throw new RangeError(`${LAST} pods have all addresses`);
  }

  /** The pod is gone for good: its address may be given to another one. */
  forget(podId: string): void {
    this.#byPod.delete(podId);
  }
}
