/*
 * What a client is made of, and what happens in it by itself: after each login the prekey is published and the rendezvous
 * tokens are registered; every second it looks what is due (a new prekey each day, the tokens of the next day, messages
 * that are late, the report on handshakes).
 */
import type { Welcome } from '../../messages/signaling.js';
import { KeyStore, type CryptoContext } from '../../protocol/key-store.js';
import type { Clock } from '../../runtime/clock.js';
import { gatewayPlaces, placeName } from '../gateway/gateway-place.js';
import { GatewayKeeper } from '../gateway/gateway.keeper.js';
import type { Notice } from '../gateway/signaling-reader.js';
import { Chats } from './chats.js';
import type { Emit } from './client-events.js';
import type { ClientOptions } from './client-options.js';
import type { Learned } from './contact-book.js';
import type { ContactSession } from './contact.session.js';
import { HandshakeCounts, outcomeOf } from './handshake-counts.js';
import { Presence } from './gateway.presence.js';
import { Incoming } from './incoming.js';
import { Introductions, type Introduced } from './introductions.js';
import { linkEvents } from './link-events.js';
import { Mailbox } from './mailbox.js';
import type { EndpointMemory } from './memory.file.js';
import { Outgoing } from './outgoing.js';
import { PeerLink, type PeerLinkHost } from './peer.link.js';
import { PrekeyRing } from './prekey-ring.js';
import { random, randomFraction } from './random.source.js';
import { RendezvousTable } from './rendezvous-table.js';
import type { AskGateway } from './session-leases.js';

const TICK_MS = 1_000;
const REPORT_EVERY_MS = 60_000;
/** A role that does not allow it, or a gateway in trouble, is not asked every second. */
const REFRESH_AFTER_FAILURE_MS = 30_000;
/** Prekeys, envelopes and seeds of sessions that come about. */
const KEY_STORE_BYTES = 8_192;

/** The inside of a client, from `start` to `close`. */
export class ClientCore {
  readonly keeper: GatewayKeeper;
  readonly chats: Chats;
  readonly introductions: Introductions;
  readonly #options: ClientOptions & { readonly clock: Clock };
  readonly #memory: EndpointMemory;
  readonly #emit: Emit;
  readonly #context: CryptoContext;
  readonly #prekeys: PrekeyRing;
  readonly #presence: Presence;
  readonly #incoming: Incoming;
  readonly #linkHost: PeerLinkHost;
  readonly #links = new Map<string, PeerLink>();
  readonly #handshakes = new HandshakeCounts();
  #welcome: Welcome | undefined;
  #timer: NodeJS.Timeout | undefined;
  #reportedMs: number;
  #refreshMs = 0;
  #closed = false;

  constructor(
    options: ClientOptions & { readonly clock: Clock },
    memory: EndpointMemory,
    emit: Emit,
  ) {
    const { identity } = options.identity;
    const { backend } = options.identity.context;
    const { book } = memory;
    this.#options = options;
    this.#memory = memory;
    this.#emit = emit;
    const context: CryptoContext = { backend, keys: new KeyStore(KEY_STORE_BYTES) };
    this.#context = context;
    this.#reportedMs = options.clock.monotonicMs();
    this.keeper = this.#newKeeper();
    const ask: AskGateway = (name, body) => this.keeper.request(name, body);
    const prekeys = new PrekeyRing(context, identity, random);
    const table = new RendezvousTable(context, () => identity.staticKey);
    const { revocations } = book;
    const mailbox = new Mailbox({ context, identity, prekeys, revocations, random });
    const nowMs = () => options.clock.now().getTime();
    const learned = this.#learned.bind(this);
    this.#presence = new Presence({
      ...{ book, prekeys, table, ask, nowMs },
      leftOut: () => {
        emit('refused', 'too-many-devices');
      },
    });
    const ready = () => this.#presence.register();
    const outgoing = new Outgoing({ backend, book, mailbox, table, ask, nowMs, learned });
    const introductions = new Introductions({ backend, book, outgoing, nowMs, learned, ready });
    this.#prekeys = prekeys;
    this.introductions = introductions;
    this.#linkHost = this.#newLinkHost(outgoing);
    this.#incoming = new Incoming({
      ...{ book, mailbox, table, introductions, nowMs, learned },
      link: (fingerprint) => this.link(fingerprint),
      introduced: this.#introduced.bind(this),
      refused: (reason) => {
        emit('refused', reason);
      },
    });
    this.chats = this.#newChats();
  }

  /** What the gateway said at the last login, with the lease keys that it named since. */
  get welcome(): Welcome | undefined {
    return this.#welcome;
  }

  /** Dials the first gateway. */
  start(): void {
    this.keeper.start();
    this.#timer ??= setInterval(() => {
      this.#tick();
    }, TICK_MS);
  }

  /** The link to a contact, made when it is first asked for. */
  link(fingerprint: string): PeerLink {
    const known = this.#links.get(fingerprint);
    if (known !== undefined) return known;
    const link = new PeerLink(fingerprint, this.#linkHost);
    this.#links.set(fingerprint, link);
    return link;
  }

  /**
   * Contacts or marks have changed: sessions that are no longer allowed end, and tokens are registered; what the gateway
   * did not take is tried again a second later.
   */
  async bookChanged(): Promise<void> {
    this.#memory.changed();
    for (const [fingerprint, link] of this.#links) {
      link.review();
      if (this.#memory.book.get(fingerprint) === undefined) this.#links.delete(fingerprint);
    }
    if (this.keeper.isConnected) await this.#presence.register().catch(() => undefined);
  }

  /** Ends everything and erases the keys; what is remembered is saved by its owner. */
  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
    this.chats.close();
    for (const link of this.#links.values()) link.close();
    this.keeper.close();
    this.#prekeys.close();
    this.#context.keys.eraseAll();
  }

  #newKeeper(): GatewayKeeper {
    const { identity, gateways, clock, invite, secondFactor } = this.#options;
    return new GatewayKeeper({
      places: gatewayPlaces(gateways),
      signer: identity.identity,
      memory: this.#memory,
      clock,
      random: randomFraction,
      invite,
      proveSecondFactor: secondFactor,
      events: {
        connected: (welcome, place) => {
          this.#background(this.#connected(welcome, placeName(place)));
        },
        away: (why, place) => {
          this.#emit('away', placeName(place), why);
        },
        notice: (notice) => {
          this.#background(this.#noticed(notice));
        },
        pinUpdate: (outcome, place) => {
          this.#emit('pins', placeName(place), outcome);
        },
        stopped: (why) => {
          this.#emit('stopped', why);
        },
      },
    });
  }

  #newLinkHost(outgoing: Outgoing): PeerLinkHost {
    const { identity, clock, policy, callMode = 'wideband', bind, region } = this.#options;
    return {
      session: {
        context: this.#context,
        identity: identity.identity,
        revocations: this.#memory.book.revocations,
        ask: (name, body) => this.keeper.request(name, body),
        gateway: () => this.#welcome?.gateway ?? '',
        ...{ clock, random, bind, region },
      },
      book: this.#memory.book,
      outgoing,
      policy: policy ?? { changedKeys: 'Warn', unverified: 'Allow' },
      callMode,
      events: linkEvents(this.#emit, () => this.chats, {
        established: () => {
          this.#handshakes.add('succeeded');
        },
        ended: (session, end) => {
          this.#sessionEnded(session, end);
        },
      }),
    };
  }

  #sessionEnded(session: ContactSession, end: Parameters<typeof outcomeOf>[0]): void {
    const { fingerprint } = session.peer;
    const outcome = session.wasEstablished ? undefined : outcomeOf(end, session.refused.keys());
    if (outcome !== undefined) this.#handshakes.add(outcome);
    if (!session.wasEstablished) return;
    this.#emit('session-ended', fingerprint, end);
    const isReplaced = this.#links.get(fingerprint)?.session !== undefined;
    if (!this.#closed && !isReplaced) this.chats.ended(fingerprint);
  }

  #newChats(): Chats {
    return new Chats({
      random,
      nowMs: () => this.#options.clock.monotonicMs(),
      open: (fingerprint) => this.link(fingerprint).open(),
      delivery: (delivery) => {
        this.#emit('delivery', delivery);
      },
      text: (fingerprint, id, text) => {
        this.#emit('text', fingerprint, text, id);
      },
      refused: (reason) => {
        this.#emit('refused', reason);
      },
    });
  }

  async #connected(welcome: Welcome, gateway: string): Promise<void> {
    this.#welcome = welcome;
    this.#presence.reset();
    // A role may allow less than being reached: then there is a connection, and what else it allows.
    await this.#refresh();
    this.#emit('connected', gateway, welcome);
    if (!welcome.enrolSecondFactor) await this.introductions.greet();
  }

  async #noticed(notice: Notice): Promise<void> {
    if (notice.name === 'envelope.arrived') await this.#incoming.envelope(notice.body);
    if (notice.name === 'contact.introduced') await this.#incoming.introduction(notice.body);
    if (notice.name === 'permissions.changed') {
      this.#refreshMs = 0;
      this.#emit('permissions', notice.body.roles);
    }
    if (notice.name === 'keys.changed' && this.#welcome !== undefined)
      this.#welcome = { ...this.#welcome, leaseKeys: notice.body.leaseKeys };
  }

  #tick(): void {
    this.chats.tick();
    if (!this.keeper.isConnected || this.#welcome?.enrolSecondFactor !== false) return;
    const { clock } = this.#options;
    if (clock.monotonicMs() >= this.#refreshMs) this.#background(this.#refresh());
    if (clock.monotonicMs() - this.#reportedMs < REPORT_EVERY_MS) return;
    this.#reportedMs = clock.monotonicMs();
    const counts = this.#handshakes.take();
    if (counts.length > 0)
      this.#background(this.keeper.request('handshakes.report', { counts: [...counts] }));
  }

  /** Tells the gateway what is due; after a failure not before 30 s have passed. */
  async #refresh(): Promise<void> {
    if (this.#welcome?.enrolSecondFactor !== false) return;
    try {
      await this.#presence.refresh();
      this.#refreshMs = 0;
    } catch (error) {
      this.#refreshMs = this.#options.clock.monotonicMs() + REFRESH_AFTER_FAILURE_MS;
      this.#told(error);
    }
  }

  #introduced(fingerprint: string, what: Introduced): void {
    if (what === 'asks') this.#emit('contact-asks', fingerprint);
    if (what === 'accepted') this.#emit('contact-accepted', fingerprint);
    if (what !== 'ignored') this.#background(this.bookChanged());
  }

  #learned(fingerprint: string, learned: Learned): void {
    if (learned === 'known') return;
    if (learned !== 'first-device') this.#emit('key-changed', fingerprint, learned);
    this.#background(this.bookChanged());
  }

  /** What nobody waits for: it is tried again at the next login or the next second, and its failure is told. */
  #background(work: Promise<unknown>): void {
    work.catch((error: unknown) => {
      this.#told(error);
    });
  }

  #told(error: unknown): void {
    const { code, reason } = error as { readonly code?: string; readonly reason?: string };
    if (!this.#closed) this.#emit('refused', reason ?? code ?? 'ERR_UNEXPECTED');
  }
}
