/*
 * Which replicas are alive: those that were heard of within three seconds. Each announces itself every second. One that
 * falls silent without a farewell may be cut off and go on: for a while nobody can say that all are heard.
 */

/** How often a replica says that it is there. */
export const HERE_EVERY_MS = 1_000;
/** A replica that was silent for so long counts no longer. */
export const FORGOTTEN_AFTER_MS = 3_000;
/** Replicas that are remembered; a gateway has at most a few tens. More of them is somebody's invention. */
export const MAX_REPLICAS = 64;

/** A replica that fell silent and was not heard again by then has died. */
export const MISSED_FOR_MS = 600_000;

/** The other replicas. */
export class Replicas {
  readonly #heardAtMs = new Map<string, number>();
  #lostAtMs = -Infinity;

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

  /** Forgets all: the bus is not connected, so that nothing is known of anybody. `nowMs` is monotonic. */
  clear(nowMs: number): void {
    if (this.#heardAtMs.size > 0) this.#lostAtMs = nowMs;
    this.#heardAtMs.clear();
  }

  /** Whether there are others and none of them may be somewhere unheard. */
  areAllHeard(nowMs: number): boolean {
    return this.live(nowMs).length > 0 && nowMs - this.#lostAtMs >= MISSED_FOR_MS;
  }

  /** Names of those that are alive; forgets the others. `nowMs` is monotonic. */
  live(nowMs: number): readonly string[] {
    for (const [replica, heardAtMs] of this.#heardAtMs)
      if (nowMs - heardAtMs >= FORGOTTEN_AFTER_MS) {
        this.#heardAtMs.delete(replica);
        this.#lostAtMs = nowMs;
      }
    return [...this.#heardAtMs.keys()];
  }
}
