import { isOlder } from './resource-version.js';

/** Enough for every deletion that can be in flight between an answer of ours and its watch event. */
const MAX_TOMBSTONES = 4096;

/**
 * The versions at which objects were last seen to be gone. An answer to a write of ours that arrives after the
 * watch has reported the deletion would bring the object back into the cache for ever.
 */
export class Tombstones {
  readonly #versions = new Map<string, string>();

  /** The object with this UID was gone at `resourceVersion`. The oldest tombstones are forgotten. */
  add(uid: string, resourceVersion: string): void {
    this.#versions.delete(uid);
    this.#versions.set(uid, resourceVersion);
    if (this.#versions.size <= MAX_TOMBSTONES) return;
    for (const oldest of this.#versions.keys()) {
      this.#versions.delete(oldest);
      return;
    }
  }

  /**
   * Whether `resourceVersion` of this object is from before it was gone. A later one is life: it lost the
   * label that we select by, and has it again.
   */
  covers(uid: string, resourceVersion: string): boolean {
    const gone = this.#versions.get(uid);
    return gone !== undefined && (gone === resourceVersion || isOlder(resourceVersion, gone));
  }

  /** The object is back. */
  remove(uid: string): void {
    this.#versions.delete(uid);
  }
}
