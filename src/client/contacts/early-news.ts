import type { KnownDevice } from './rendezvous-table.js';

/** An endpoint tells its addresses once or twice while a session comes about. */
const MAX_KEPT = 4;

/** What a device said of a session that was not there yet. */
export interface EarlyWord {
  readonly known: KnownDevice;
  readonly body: Uint8Array;
}

/**
 * News of sessions that are being opened. The peer tells its address from outside as soon as its relay has named it,
 * and then this side may still be waiting for its lease: dropped, that address would never be tried.
 */
export class EarlyNews {
  #opening = 0;
  #kept: readonly EarlyWord[] = [];

  /** A session is being opened; `end` follows in any case. */
  begin(): void {
    this.#opening++;
  }

  /** Keeps a copy of `body`; false, and nothing is kept, if no session is being opened or too much is kept. */
  keep(known: KnownDevice, body: Uint8Array): boolean {
    if (this.#opening === 0 || this.#kept.length >= MAX_KEPT) return false;
    this.#kept = [...this.#kept, { known, body: body.slice() }];
    return true;
  }

  /** The session is there, or will not be: gives what was kept, and keeps it no more. */
  end(): readonly EarlyWord[] {
    this.#opening--;
    const kept = this.#kept;
    this.#kept = [];
    return kept;
  }
}
