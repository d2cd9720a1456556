/*
 * How two accounts become contacts.
 *
 *   asks     the asker finds the connected devices of a fingerprint, remembers them, and introduces himself to each. From
 *            then on he listens for them
 *   accepts  the other person says yes: her endpoint listens for the asker and tells him at his rendezvous token
 *   absent   whoever misses the answer asks again at the token of the devices that he remembers, each time he connects;
 *            who has accepted answers by himself
 */
import type { OpenedEnvelope } from '../../protocol/envelope/open-envelope.js';
import { fingerprintOf } from '../../protocol/identity/account.js';
import type { CryptoBackend } from '../../protocol/crypto-backend.js';
import type { Contact, ContactBook, Learned } from './contact-book.js';
import { ContactError } from './contact-error.js';
import { decodeInvitation, encodeInvitation, type Intent } from './invitation-body.js';
import { isRefusal, type Outgoing } from './outgoing.js';
import type { KnownDevice } from './rendezvous-table.js';

/** Strangers who wait for an answer; more are not noticed, so that they cannot fill the book. */
const MAX_ASKING = 100;
/** An asker is answered at most so often. */
const ANSWER_EVERY_MS = 10_000;

/** What became of a first contact, to be told to the person. */
export type Introduced = 'asks' | 'accepted' | 'known' | 'ignored';

/** What introductions need. */
export interface IntroductionsParts {
  readonly backend: CryptoBackend;
  readonly book: ContactBook;
  readonly outgoing: Outgoing;
  /** Unix ms. */
  readonly nowMs: () => number;
  readonly learned: (fingerprint: string, learned: Learned) => void;
  /** Resolves when the devices in the book can reach this one: before they are told to. */
  readonly ready: () => Promise<void>;
}

/** Makes contacts. The book says who is one. */
export class Introductions {
  readonly #parts: IntroductionsParts;
  readonly #answeredMs = new Map<string, number>();

  constructor(parts: IntroductionsParts) {
    this.#parts = parts;
  }

  /**
   * Introduces this account to each connected device of another one; gives how many there were.
   * @throws ContactError ERR_CONTACT_ABSENT if there was none: nothing is queued; _UNTRUSTED; GatewayError.
   */
  async ask(fingerprint: string): Promise<number> {
    const { book, outgoing } = this.#parts;
    if (book.get(fingerprint)?.state !== 'accepted') book.add(fingerprint, 'asked');
    const reached = await outgoing.find(fingerprint);
    await this.#parts.ready();
    let introduced = 0;
    for (const one of reached) if (await outgoing.introduce(one, invitation('ask'))) introduced++;
    if (introduced === 0)
      throw new ContactError('ERR_CONTACT_ABSENT', 'No device of this account is connected.');
    return introduced;
  }

  /** Accepts an account that asks. It is a contact even if its devices are away now. @throws ContactError ERR_CONTACT_UNKNOWN. */
  async accept(fingerprint: string): Promise<void> {
    const { book } = this.#parts;
    book.require(fingerprint);
    book.add(fingerprint, 'accepted');
    await this.#sendToAll(book.require(fingerprint), 'accept');
  }

  /** Asks those again who have not answered yet, where they can be reached without naming anybody. */
  async greet(): Promise<void> {
    for (const contact of this.#parts.book.all)
      if (contact.state === 'asked') await this.#sendToAll(contact, 'ask');
  }

  /** A first contact came in, opened and genuine: gives whose it is, and what became of it. */
  async introduced(opened: OpenedEnvelope): Promise<readonly [string, Introduced]> {
    const { book, backend } = this.#parts;
    const fingerprint = fingerprintOf(backend, opened.sender.identity);
    const state = book.get(fingerprint)?.state;
    if (!this.#admits(fingerprint, opened)) return [fingerprint, 'ignored'];
    if (state === undefined || state === 'asking') return [fingerprint, 'asks'];
    // Both have asked, or have been contacts before: each has said yes already.
    book.add(fingerprint, 'accepted');
    await this.#sendToAll(book.require(fingerprint), 'accept');
    return [fingerprint, state === 'asked' ? 'accepted' : 'known'];
  }

  /** An invitation came to a rendezvous token. */
  async invited(known: KnownDevice, body: Uint8Array): Promise<Introduced> {
    const { book } = this.#parts;
    const intent = decodeInvitation(body);
    const state = book.get(known.fingerprint)?.state;
    if (intent === 'accept' && state === 'asked') {
      book.add(known.fingerprint, 'accepted');
      return 'accepted';
    }
    if (intent !== 'ask' || state === 'blocked' || state === undefined) return 'ignored';
    if (state === 'asked') book.add(known.fingerprint, 'accepted');
    await this.#answer(known);
    return state === 'asked' ? 'accepted' : 'known';
  }

  async #answer(known: KnownDevice): Promise<void> {
    const nowMs = this.#parts.nowMs();
    const lastMs = this.#answeredMs.get(known.fingerprint) ?? -Infinity;
    if (Math.abs(nowMs - lastMs) < ANSWER_EVERY_MS) return;
    this.#answeredMs.set(known.fingerprint, nowMs);
    const reached = await this.#parts.outgoing.reach(known);
    if (reached) await this.#parts.outgoing.send(reached, invitation('accept'));
  }

  async #sendToAll({ fingerprint, devices }: Contact, intent: Intent): Promise<void> {
    await this.#parts.ready();
    for (const device of devices) {
      const reached = await this.#parts.outgoing.reach({ fingerprint, device });
      if (reached) await this.#parts.outgoing.send(reached, invitation(intent));
    }
  }

  /** Takes the sender's device into the book, unless it is blocked or there is no room for strangers. */
  #admits(fingerprint: string, { sender, revocations, body }: OpenedEnvelope): boolean {
    const { book, learned, nowMs } = this.#parts;
    if (decodeInvitation(body) !== 'ask' || !this.#hasRoom(fingerprint)) return false;
    if (book.get(fingerprint) === undefined) book.add(fingerprint, 'asking');
    const binding = bytesOfBinding(sender);
    const shown = { binding, revocations: revocations.map(({ bytes }) => bytes) };
    const outcome = book.learn(fingerprint, shown, nowMs());
    if (isRefusal(outcome)) return false;
    learned(fingerprint, outcome);
    return true;
  }

  #hasRoom(fingerprint: string): boolean {
    const { book } = this.#parts;
    const known = book.get(fingerprint);
    if (known !== undefined) return known.state !== 'blocked';
    return book.all.filter(({ state }) => state === 'asking').length < MAX_ASKING;
  }
}

const invitation = (intent: Intent) =>
  ({ kind: 'chat-invitation', body: encodeInvitation(intent) }) as const;

/** The whole binding, of which `identity` is a view one byte behind its beginning. */
function bytesOfBinding({ identity, signature }: OpenedEnvelope['sender']): Uint8Array {
  const start = identity.byteOffset - 1;
  return new Uint8Array(identity.buffer, start, signature.byteOffset + signature.length - start);
}
