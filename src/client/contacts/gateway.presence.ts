/*
 * What makes this device reachable at the gateway that is connected now: its prekey, and the rendezvous tokens of its
 * contacts' devices. A gateway holds both for one connection, in memory.
 */
import { MAX_TOKENS_PER_MESSAGE } from '../../messages/peer-requests.js';
import { toBase64url } from '../../protocol/lease/base64url.js';
import type { ContactBook } from './contact-book.js';
import type { PrekeyRing } from './prekey-ring.js';
import type { KnownDevice, RendezvousTable } from './rendezvous-table.js';
import type { AskGateway } from './session-leases.js';

/** What presence is made of. */
export interface PresenceParts {
  readonly book: ContactBook;
  readonly prekeys: PrekeyRing;
  readonly table: RendezvousTable;
  readonly ask: AskGateway;
  /** Unix ms. */
  readonly nowMs: () => number;
  /** So many devices of contacts cannot reach this one, because a connection takes no more tokens. */
  readonly leftOut: (devices: number) => void;
}

/** Keeps this device reachable. Its methods throw GatewayError; what they could not do is done by the next call. */
export class Presence {
  readonly #parts: PresenceParts;
  #registering: Promise<void> = Promise.resolve();
  #isPublished = false;

  constructor(parts: PresenceParts) {
    this.#parts = parts;
  }

  /** A new connection: everything is to be told anew. */
  reset(): void {
    this.#parts.table.reset();
    this.#isPublished = false;
  }

  /** Tells what is due: a prekey of today, tokens of new contacts or of the next day. */
  async refresh(): Promise<void> {
    if (this.#parts.prekeys.turn(this.#parts.nowMs())) this.#isPublished = false;
    if (!this.#isPublished) await this.#publish();
    await this.register();
  }

  /** One at a time: each registers what has changed since the one before. */
  register(): Promise<void> {
    const next = this.#registering.then(() => this.#registerChanges());
    this.#registering = next.catch(() => undefined);
    return next;
  }

  async #publish(): Promise<void> {
    const { prekeys, ask } = this.#parts;
    const prekey = prekeys.newest;
    if (prekey === undefined) return;
    await ask('prekey.publish', { prekey: toBase64url(prekey) });
    this.#isPublished = true;
  }

  async #registerChanges(): Promise<void> {
    const { book, table, ask, nowMs, leftOut } = this.#parts;
    const devices = book.all
      .filter(({ state }) => state === 'asked' || state === 'accepted')
      .flatMap(({ fingerprint, devices: own }): readonly KnownDevice[] =>
        own.map((device) => ({ fingerprint, device })),
      );
    const changes = table.changes(devices, nowMs());
    if (changes.leftOut > 0) leftOut(changes.leftOut);
    try {
      for (const tokens of pagesOf(changes.forget)) await ask('rendezvous.forget', { tokens });
      for (const tokens of pagesOf(changes.listen)) await ask('rendezvous.listen', { tokens });
    } catch (error) {
      // What the gateway has taken of it is not known: all of it is told again.
      table.reset();
      throw error;
    }
  }
}

function* pagesOf(tokens: readonly string[]): Generator<string[]> {
  for (let at = 0; at < tokens.length; at += MAX_TOKENS_PER_MESSAGE)
    yield tokens.slice(at, at + MAX_TOKENS_PER_MESSAGE);
}
