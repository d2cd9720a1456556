/*
 * What changed in the lease keys since the last look: which were revoked, which one signs, what endpoints are to know.
 */
import type { GatewayKey } from './lease-keys.js';

/** What there is to do about the keys. */
export interface KeyNews {
  /** Keys that are worth nothing from now on. */
  readonly revoked: readonly string[];
  /** Another key signs; absent: the same one, or there was none before. */
  readonly rotated?: { readonly before: string; readonly after: string };
  /** Endpoints have to hear of the public keys. */
  readonly publish: boolean;
}

/** Remembers what was seen of the keys. */
export class KeyWatch {
  readonly #revoked = new Set<string>();
  #signing: string | undefined;
  #published = '';

  /** Whether this key was seen to be revoked, here or by another replica. */
  isRevoked(kid: string): boolean {
    return this.#revoked.has(kid);
  }

  /** Ids of revoked keys, newest last. */
  get revoked(): readonly string[] {
    return [...this.#revoked];
  }

  /** Another replica says that these were revoked; gives those that were not known to be. */
  heard(kids: readonly string[]): readonly string[] {
    const fresh = kids.filter((kid) => !this.#revoked.has(kid));
    for (const kid of fresh) this.#add(kid);
    return fresh;
  }

  /** Looks at the keys and at the one that signs now. */
  look(keys: readonly GatewayKey[], signing: string | undefined): KeyNews {
    const revoked = this.heard(
      keys.flatMap(({ kid, state }) => (state === 'revoked' ? [kid] : [])),
    );
    const before = this.#signing;
    this.#signing = signing ?? before;
    const published = keys.map(({ kid, state }) => `${kid} ${state}`).join();
    const publish = this.#published !== '' && published !== this.#published;
    this.#published = published;
    const isRotated = before !== undefined && signing !== undefined && signing !== before;
    return { revoked, publish, ...(isRotated && { rotated: { before, after: signing } }) };
  }

  #add(kid: string): void {
    for (const oldest of this.#revoked) {
      if (this.#revoked.size < MAX_REVOKED_KEYS) break;
      this.#revoked.delete(oldest);
    }
    this.#revoked.add(kid);
  }
}

/** What one message to a relay has room for; the operator keeps four. */
const MAX_REVOKED_KEYS = 48;
