/*
 * What the gateway hands over for this endpoint: envelopes at rendezvous tokens, and first contacts. Each is opened,
 * judged, and given to whom it is for; what is wrong with one is told by a closed reason and never to its sender.
 */
import type { NoticeBody } from '../../messages/notices.js';
import type { OpenedEnvelope } from '../../protocol/envelope/open-envelope.js';
import type { ContactBook, Learned } from './contact-book.js';
import type { Introduced, Introductions } from './introductions.js';
import type { Mailbox } from './mailbox.js';
import { decodeOffer } from './offer-body.js';
import { isRefusal } from './outgoing.js';
import type { PeerLink } from './peer.link.js';
import type { KnownDevice, RendezvousTable } from './rendezvous-table.js';

/** What handling what comes in needs. */
export interface IncomingParts {
  readonly book: ContactBook;
  readonly mailbox: Mailbox;
  readonly table: RendezvousTable;
  readonly introductions: Introductions;
  readonly link: (fingerprint: string) => PeerLink;
  /** Unix ms. */
  readonly nowMs: () => number;
  readonly learned: (fingerprint: string, learned: Learned) => void;
  readonly introduced: (fingerprint: string, what: Introduced) => void;
  readonly refused: (reason: string) => void;
}

/** Takes notices of the gateway. Its methods never throw on what strangers send; errors of the gateway pass. */
export class Incoming {
  readonly #parts: IncomingParts;

  constructor(parts: IncomingParts) {
    this.#parts = parts;
  }

  /** An envelope for a token of this connection. */
  async envelope({ token, envelope }: NoticeBody<'envelope.arrived'>): Promise<void> {
    const { table, mailbox, nowMs, refused } = this.#parts;
    const known = table.whose(token);
    if (known === undefined) {
      refused('unknown-token');
      return;
    }
    const opened = mailbox.open(envelope, known.device, nowMs());
    if (typeof opened === 'string') refused(opened);
    else await this.#take(known, opened);
  }

  /** A first contact. */
  async introduction({ envelope }: NoticeBody<'contact.introduced'>): Promise<void> {
    const { mailbox, nowMs, refused, introductions, introduced } = this.#parts;
    const opened = mailbox.open(envelope, 'first-contact', nowMs());
    if (typeof opened === 'string' || opened.kind !== 'chat-invitation') {
      refused(typeof opened === 'string' ? opened : 'first-contact-kind');
      return;
    }
    try {
      introduced(...(await introductions.introduced(opened)));
    } finally {
      opened.erase();
    }
  }

  async #take(known: KnownDevice, opened: OpenedEnvelope): Promise<void> {
    try {
      if (this.#isStillTrusted(known, opened)) await this.#handle(known, opened);
    } finally {
      opened.erase();
    }
  }

  /** What came with it may say that the device is lost. */
  #isStillTrusted({ fingerprint, device }: KnownDevice, opened: OpenedEnvelope): boolean {
    const { book, nowMs, refused, learned } = this.#parts;
    const revocations = opened.revocations.map(({ bytes }) => bytes);
    const outcome = book.learn(fingerprint, { binding: device.bytes, revocations }, nowMs());
    if (isRefusal(outcome)) refused(outcome);
    else learned(fingerprint, outcome);
    return !isRefusal(outcome);
  }

  async #handle(known: KnownDevice, { kind, body }: OpenedEnvelope): Promise<void> {
    const { link, introductions, introduced, refused } = this.#parts;
    if (kind === 'chat-invitation') {
      introduced(known.fingerprint, await introductions.invited(known, body));
      return;
    }
    if (kind === 'candidates') {
      if (!(await link(known.fingerprint).takeCandidates(known, body))) refused('candidates');
      return;
    }
    const offer = decodeOffer(body);
    if (typeof offer === 'string') refused(offer);
    else await link(known.fingerprint).takeOffer(known, offer);
  }
}
