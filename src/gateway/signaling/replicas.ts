/*
 * Which replicas are alive: those that were heard of within three seconds. Each announces itself every second.
 */

/** How often a replica says that it is there. */
export const HERE_EVERY_MS = 1_000;
/** A replica that was silent for so long counts no longer. */
export const FORGOTTEN_AFTER_MS = 3_000;
/** Replicas that are remembered; a gateway has at most a few tens. More of them is somebody's invention. */
export const MAX_REPLICAS = 64;

/** The other replicas. */
export class Replicas {
  readonly #heardAtMs = new Map<string, number>();

  /** Notes a sign of life. `new`: it was not alive before. `too-many`: it is not remembered. */
  heard(replica: string, nowMs: number): 'known' | 'new' | 'too-many' {
    const before = this.#heardAtMs.get(replica);
    if (before === undefined && this.live(nowMs).length >= MAX_REPLICAS) return 'too-many';
    this.#heardAtMs.set(replica, nowMs);
    return before === undefined ? 'new' : 'known';
  }

  /** Forgets a replica that says that it stops. */
  gone(replica: string): void {
    this.#heardAtMs.delete(replica);
  }

  /** Forgets all: the bus is not connected, so that nothing is known of anybody. */
  clear(): void {
    this.#heardAtMs.clear();
  }

  /** Names of those that are alive; forgets the others. `nowMs` is monotonic. */
  live(nowMs: number): readonly string[] {
    for (const [replica, heardAtMs] of this.#heardAtMs)
      if (nowMs - heardAtMs >= FORGOTTEN_AFTER_MS) this.#heardAtMs.delete(replica);
    return [...this.#heardAtMs.keys()];
  }
}
