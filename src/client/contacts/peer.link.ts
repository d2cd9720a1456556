/*
 * Everything between this endpoint and one contact: at most one session in use and one that is coming about, and the
 * messages that wait for their acknowledgement.
 *
 *   open      asks each known device, the newest first, and offers to the first that is connected
 *   an offer  is taken if the contact may be talked to; if both have offered, that of the smaller identity key counts
 *   takeover  a session that is established takes the place of the one before, which is closed as superseded
 */
import type { CallMode } from '../../protocol/channels/plaintext-size.js';
import { CloseReason } from '../../protocol/session/control-message.js';
import { winningOffer } from '../../protocol/session/offer.js';
import type { ConversationEnd } from '../conversation-options.js';
import type { ContactBook, ContactPolicy } from './contact-book.js';
import { ContactError } from './contact-error.js';
import { ContactSession } from './contact.session.js';
import { decodeCandidatesBody, encodeCandidatesBody } from './candidates-body.js';
import { EarlyNews } from './early-news.js';
import { encodeOffer, type Offer } from './offer-body.js';
import { OfferLimit } from './offer-limit.js';
import type { Outgoing, Reached } from './outgoing.js';
import type { KnownDevice } from './rendezvous-table.js';
import type { SessionEvents, SessionHost, SessionParts } from './session-parts.js';

/** What a link tells; `ended` also of sessions that were never established. */
export interface PeerLinkEvents extends Omit<SessionEvents, 'established'> {
  session(session: ContactSession): void;
}

/** What the links of one endpoint have in common. */
export interface PeerLinkHost {
  readonly session: SessionHost;
  readonly book: ContactBook;
  readonly outgoing: Outgoing;
  readonly policy: ContactPolicy;
  readonly callMode: CallMode;
  readonly events: PeerLinkEvents;
}

type Waiter = (outcome: unknown) => void;

/** An offer of this side that has not led to a session yet. */
interface Attempt {
  /** The peer's offer counts instead. */
  isYielded: boolean;
}

/** The link to one contact. */
export class PeerLink {
  readonly fingerprint: string;
  readonly #host: PeerLinkHost;
  #current: ContactSession | undefined;
  #coming: ContactSession | undefined;
  #attempt: Attempt | undefined;
  #waiters: readonly Waiter[] = [];
  readonly #offers = new OfferLimit();
  readonly #early = new EarlyNews();
  #closed = false;

  constructor(fingerprint: string, host: PeerLinkHost) {
    this.fingerprint = fingerprint;
    this.#host = host;
  }

  /** The session in use. */
  get session(): ContactSession | undefined {
    return this.#current;
  }

  /**
   * The session in use, or a new one.
   * @throws ContactError ERR_CONTACT_NOT_ALLOWED, _ABSENT, _UNTRUSTED, _NO_SESSION; GatewayError.
   */
  open(): Promise<ContactSession> {
    if (this.#current?.isEstablished === true) return Promise.resolve(this.#current);
    const opened = new Promise<ContactSession>((resolve, reject) => {
      const settle: Waiter = (outcome) => {
        if (outcome instanceof ContactSession) resolve(outcome);
        else reject(outcome instanceof Error ? outcome : noSession('closed-here'));
      };
      this.#waiters = [...this.#waiters, settle];
    });
    if (this.#attempt === undefined && this.#coming === undefined) void this.#dial();
    return opened;
  }

  /** Takes an offer of the contact's device; errors of gateway and network leave everything as it was. */
  async takeOffer(known: KnownDevice, offer: Offer): Promise<void> {
    const nowMs = this.#now();
    if (this.#closed || this.#refusal() !== undefined) return;
    if (!this.#offers.allows(nowMs) || !this.#yields()) return;
    this.#offers.count(nowMs);
    this.#early.begin();
    try {
      await this.#answer(known, offer, nowMs);
    } catch (error) {
      // Who waits for a session here gave way to this offer.
      if (this.#coming === undefined) this.#settle(error);
      throw error;
    } finally {
      await this.#takeEarly();
    }
  }

  async #answer(known: KnownDevice, offer: Offer, nowMs: number): Promise<void> {
    const relay = await this.#host.session.ask('relay.find', { rid: offer.relayId });
    const { sessionSeed, token, callMode } = offer;
    const session = await ContactSession.begin({
      ...this.#parts(known, { prekey: undefined }),
      ...{ role: 'responder', relay, nowMs, sessionSeed, token, callMode },
    });
    this.#comes(session);
    await session.take({ relayId: undefined, candidates: offer.candidates });
  }

  /** Takes what the contact's device says is new about a session; false if the body is none or of no session here. */
  async takeCandidates(known: KnownDevice, body: Uint8Array): Promise<boolean> {
    const news = decodeCandidatesBody(body);
    if (typeof news === 'string') return false;
    const isIts = (one?: ContactSession) => one?.isOf(news.sessionId, known.device);
    const session = [this.#current, this.#coming].find(isIts);
    if (session === undefined) return this.#early.keep(known, body);
    await session.take(news);
    return true;
  }

  async #takeEarly(): Promise<void> {
    for (const { known, body } of this.#early.end())
      await this.takeCandidates(known, body).catch(() => false);
  }

  /** Ends sessions with devices that are revoked, or all when the contact may not be talked to any more. */
  review(): void {
    const isOver = this.#refusal() !== undefined;
    for (const session of [this.#current, this.#coming])
      if (session && (isOver || this.#host.book.isRevoked(session.peer.device)))
        session.close(CloseReason.revoked);
  }

  /** Ends every session. May be called again. */
  close(): void {
    this.#closed = true;
    for (const session of [this.#current, this.#coming]) session?.close();
    this.#settle(noSession('closed-here'));
  }

  async #dial(): Promise<void> {
    const attempt: Attempt = { isYielded: false };
    this.#attempt = attempt;
    this.#early.begin();
    try {
      const session = await this.#offer(attempt);
      if (session !== undefined) this.#comes(session);
    } catch (error) {
      if (!attempt.isYielded) this.#settle(error);
    } finally {
      if (this.#attempt === attempt) this.#attempt = undefined;
      await this.#takeEarly();
    }
  }

  async #offer(attempt: Attempt): Promise<ContactSession | undefined> {
    const reason = this.#refusal();
    if (reason !== undefined)
      throw new ContactError('ERR_CONTACT_NOT_ALLOWED', `This contact is ${reason}.`, reason);
    for (const device of this.#host.book.require(this.fingerprint).devices.toReversed()) {
      const reached = await this.#host.outgoing.reach({ fingerprint: this.fingerprint, device });
      if (attempt.isYielded) return undefined;
      const session = reached && (await this.#offerTo(reached, attempt));
      if (session !== undefined || this.#isYielded(attempt)) return session;
    }
    throw new ContactError('ERR_CONTACT_ABSENT', 'No device of this contact is connected.');
  }

  /** Undefined if the device has gone meanwhile, or the peer's offer counts. */
  async #offerTo(reached: Reached, attempt: Attempt): Promise<ContactSession | undefined> {
    const { session: host, callMode, outgoing } = this.#host;
    const { region } = host;
    const relay = await host.ask('relay.choose', {
      avoid: [],
      ...(region !== undefined && { region }),
    });
    const sessionSeed = host.context.keys.take(32);
    const token = new Uint8Array(16);
    host.random(sessionSeed);
    host.random(token);
    try {
      const session = await ContactSession.begin({
        ...this.#parts(reached.known, reached),
        ...{ role: 'initiator', relay, sessionSeed, token, callMode, nowMs: this.#now() },
      });
      const candidates = session.told();
      const body = encodeOffer({ sessionSeed, token, callMode, relayId: relay.rid, candidates });
      const isSent =
        !this.#isYielded(attempt) &&
        (await outgoing.send(reached, { kind: 'offer', body }).finally(() => body.fill(0)));
      if (isSent && !this.#isYielded(attempt)) return session;
      session.close(CloseReason.superseded);
      return undefined;
    } finally {
      host.context.keys.erase(sessionSeed);
    }
  }

  /** Read anew: it may have changed while something was awaited. */
  #isYielded(attempt: Attempt): boolean {
    return attempt.isYielded;
  }

  /** Whether the peer's offer is to be taken: when this side has offered as well, one of the two counts. */
  #yields(): boolean {
    const offered = this.#coming?.role === 'initiator' ? this.#coming : undefined;
    if (this.#attempt === undefined && offered === undefined) return true;
    const { identity } = this.#host.book.require(this.fingerprint);
    if (identity === undefined) return false;
    if (winningOffer(this.#host.session.identity.account, identity) === 'own') return false;
    if (this.#attempt) this.#attempt.isYielded = true;
    this.#coming = undefined;
    offered?.close(CloseReason.superseded);
    return true;
  }

  #comes(session: ContactSession): void {
    if (session.end !== undefined) this.#settle(noSession(session.end));
    if (this.#closed) session.close();
    if (session.end !== undefined || session.isEstablished) return;
    const before = this.#coming;
    this.#coming = session;
    before?.close(CloseReason.superseded);
  }

  #parts(
    known: KnownDevice,
    { prekey }: { readonly prekey: Reached['prekey'] | undefined },
  ): Pick<SessionParts, 'host' | 'peer' | 'pathPolicy' | 'tell' | 'events'> {
    const { session: host, book, outgoing } = this.#host;
    let reached: Reached | undefined = prekey && { known, prekey };
    return {
      host,
      peer: known,
      pathPolicy: book.require(this.fingerprint).pathPolicy,
      tell: async (news, sessionId) => {
        reached ??= await outgoing.reach(known);
        if (reached === undefined) return false;
        const body = encodeCandidatesBody({ ...news, sessionId });
        return outgoing.send(reached, { kind: 'candidates', body });
      },
      events: this.#sessionEvents(),
    };
  }

  #sessionEvents(): SessionEvents {
    const { events } = this.#host;
    return {
      ...events,
      established: (session) => {
        this.#established(session);
      },
      ended: (session, end) => {
        this.#ended(session, end);
      },
    };
  }

  #established(session: ContactSession): void {
    const before = this.#current;
    if (this.#coming === session) this.#coming = undefined;
    this.#current = session;
    if (before !== session) before?.close(CloseReason.superseded);
    this.#host.events.session(session);
    this.#settle(session);
  }

  #ended(session: ContactSession, end: ConversationEnd): void {
    if (this.#current === session) this.#current = undefined;
    if (this.#coming === session) {
      this.#coming = undefined;
      if (this.#current === undefined)
        this.#settle(new ContactError('ERR_CONTACT_NO_SESSION', 'No session came about.', end));
    }
    this.#host.events.ended(session, end);
  }

  #settle(outcome: unknown): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const settle of waiters) settle(outcome);
  }

  #refusal() {
    if (this.#host.book.get(this.fingerprint) === undefined) return 'not-accepted';
    return this.#host.book.refusalOf(this.fingerprint, this.#host.policy);
  }

  #now(): number {
    return this.#host.session.clock.monotonicMs();
  }
}

const noSession = (end: ConversationEnd) =>
  new ContactError('ERR_CONTACT_NO_SESSION', 'No session came about.', end);
