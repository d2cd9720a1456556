/*
 * One session with one device of a contact: its endpoint, its leases, and what the peer is told about addresses.
 */
import { equalBytes, readU32 } from '../../protocol/bytes.js';
import { maxMessageBytes, type Channel } from '../../protocol/channels/channels.js';
import type { ReliableChannel } from '../../protocol/channels/frame.js';
import { KeyStore } from '../../protocol/key-store.js';
import type { SeenAddress } from '../../protocol/relay/address.js';
import { CloseReason } from '../../protocol/session/control-message.js';
import type { SessionHandshakeOptions } from '../../protocol/session/handshake-options.js';
import { PROFILE } from '../../protocol/session/offer.js';
import type { ConversationEnd } from '../conversation-options.js';
import type { PathKind } from '../datagram-path.js';
import { Endpoint } from '../endpoint.runner.js';
import type { RelayNews } from '../relay-news.js';
import { mayTry } from './candidate-list.js';
import type { Candidates } from './candidates-body.js';
import { ContactError } from './contact-error.js';
import { DirectRetries } from './direct.retries.js';
import {
  bindFor,
  candidateName,
  isLoopbackBind,
  localCandidates,
  textOfCandidate,
} from './local.addresses.js';
import { judgeDevice } from './peer-judge.js';
import type { KnownDevice } from './rendezvous-table.js';
import type { PeerRefusal, SessionParts } from './session-parts.js';
import { SessionRelays } from './session.relays.js';
import { SessionLeases } from './session-leases.js';

/** A session with a device of a contact, from the offer on. */
export class ContactSession {
  readonly peer: KnownDevice;
  readonly role: SessionParts['role'];
  readonly #parts: SessionParts;
  readonly #leases: SessionLeases;
  readonly #relays: SessionRelays;
  readonly #direct = new DirectRetries((hasMoved) => void this.#retryDirect(hasMoved));
  #endpoint: Endpoint<PeerRefusal> | undefined;
  #bind = '';
  #told = new Set<string>();
  #seen: SeenAddress | undefined;
  #isEstablished = false;
  #end: ConversationEnd | undefined;

  private constructor(parts: SessionParts) {
    const { host, role, sessionSeed } = parts;
    this.peer = parts.peer;
    this.role = role;
    this.#parts = parts;
    this.#leases = new SessionLeases({
      ...host,
      role: role === 'initiator' ? 'client' : 'server',
      sessionSeed,
    });
    this.#relays = new SessionRelays({
      ...host,
      role,
      leases: this.#leases,
      endpoint: () => this.#endpoint,
      tell: (relayId) => this.#tell({ relayId, candidates: [] }),
    });
  }

  /**
   * Gets a lease and opens the endpoint. @throws GatewayError for the lease; EndpointError and what the system says for
   * addresses and sockets.
   */
  static async begin(parts: SessionParts): Promise<ContactSession> {
    const session = new ContactSession(parts);
    try {
      await session.#open();
      return session;
    } catch (error) {
      session.#release();
      throw error;
    }
  }

  get sessionId(): Uint8Array {
    return this.#leases.sessionId;
  }

  /** Whether it is the session with this id and this device. */
  isOf(sessionId: Uint8Array, { keys: { deviceId } }: KnownDevice['device']): boolean {
    return (
      equalBytes(this.sessionId, sessionId) && equalBytes(this.peer.device.keys.deviceId, deviceId)
    );
  }

  get isEstablished(): boolean {
    return this.#isEstablished && this.#end === undefined;
  }

  /** Whether there was a session at any time. */
  get wasEstablished(): boolean {
    return this.#isEstablished;
  }

  /** Why it is over; undefined while it is not. */
  get end(): ConversationEnd | undefined {
    return this.#end;
  }

  /** Datagrams that were not taken, by reason. */
  get refused(): ReadonlyMap<string, number> {
    return this.#endpoint?.refused ?? new Map();
  }

  /** The relay in use. */
  get relayId(): string {
    return this.#relays.current;
  }

  /** The longest message of `channel`. */
  maxMessageBytes(channel: Exclude<Channel, 'control'>): number {
    return maxMessageBytes(channel, this.#parts.callMode);
  }

  /** As Endpoint.send. @throws ContactError ERR_CONTACT_NO_SESSION when it is over; ChannelFullError until `writable`. */
  send(channel: Exclude<Channel, 'control'>, bytes: Uint8Array): number {
    return this.#require().send(channel, bytes);
  }

  /** As Endpoint.pause. */
  pause(channel: ReliableChannel): void {
    this.#require().pause(channel);
  }

  /** As Endpoint.resume. */
  resume(channel: ReliableChannel): void {
    this.#require().resume(channel);
  }

  /** Takes a new UDP socket, as after a change of network. */
  rebind(): Promise<void> {
    return this.#require().rebind();
  }

  /** Tells the peer and erases the session's keys. May be called again. */
  close(reason: CloseReason = CloseReason.done): void {
    this.#endpoint?.close(reason);
    if (this.#end === undefined) this.#over('closed-here');
  }

  /** Addresses for the peer; none where the contact may see none. */
  candidates(): readonly SeenAddress[] {
    const port = this.#endpoint?.udpPort;
    if (this.#parts.pathPolicy === 'RelayOnly' || port === undefined) return [];
    const all = [...localCandidates(this.#bind, port), ...(this.#seen ? [this.#seen] : [])];
    return [...new Map(all.map((one) => [candidateName(one), one])).values()];
  }

  /** The same for what the peer is told now. */
  told(): readonly SeenAddress[] {
    const candidates = this.candidates();
    this.#told = new Set(candidates.map(candidateName));
    return candidates;
  }

  /** Takes what the peer says is new. Errors of the gateway and the network leave the session as it was. */
  async take({ relayId, candidates }: Omit<Candidates, 'sessionId'>): Promise<void> {
    const isLoopbackAllowed = isLoopbackBind(this.#bind);
    for (const one of candidates.filter((each) => mayTry(each, isLoopbackAllowed))) {
      this.#direct.add(one);
      this.#endpoint?.addCandidate(textOfCandidate(one), one.port);
    }
    if (relayId !== undefined) await this.#relays.follow(relayId);
  }

  async #open(): Promise<void> {
    const { host, relay, callMode, pathPolicy } = this.#parts;
    const { clock, random } = host;
    await this.#relays.join(relay, async (addresses, lease) => {
      this.#bind = host.bind ?? bindFor(addresses);
      this.#endpoint = await Endpoint.open<PeerRefusal>({
        ...{ callMode, pathPolicy, clock, random, bind: this.#bind },
        handshake: this.#handshake(),
        relay: { addresses, lease },
        events: this.#endpointEvents(),
      });
    });
  }

  #handshake(): SessionHandshakeOptions<PeerRefusal> {
    const { host, peer, role, token, nowMs } = this.#parts;
    const { context, identity, random } = host;
    const [own, other] = [identity.account, peer.device.keys.identity];
    const index = new Uint8Array(4);
    random(index);
    return {
      backend: context.backend,
      keys: new KeyStore(),
      role,
      parties: {
        profile: PROFILE,
        sessionId: this.sessionId,
        initiatorIdentity: role === 'initiator' ? own : other,
        responderIdentity: role === 'initiator' ? other : own,
        token: token.slice(),
      },
      staticKey: identity.staticKey,
      binding: identity.bindingBytes,
      localIndex: readU32(index, 0),
      judgePeer: (binding: Uint8Array, staticKey: Uint8Array) =>
        judgeDevice(this.#parts, binding, staticKey),
      random,
      nowMs,
    };
  }

  #endpointEvents() {
    const { events } = this.#parts;
    return {
      established: () => {
        this.#isEstablished = true;
        events.established(this);
      },
      message: (channel: Exclude<Channel, 'control'>, bytes: Uint8Array) => {
        events.message(this, channel, bytes);
      },
      acknowledged: (channel: ReliableChannel, id: number) => {
        events.acknowledged(this, channel, id);
      },
      writable: (channel: ReliableChannel) => {
        events.writable(this, channel);
      },
      path: (kind: PathKind) => {
        this.#direct.path(kind);
        events.path(this, kind);
      },
      encryptionFailure: (total: number) => {
        events.encryptionFailure(this, total);
      },
      relay: (news: RelayNews, relayId: string) => {
        this.#heard(news, relayId);
      },
      ended: (end: ConversationEnd) => {
        this.#over(end);
      },
    };
  }

  #heard(news: RelayNews, relayId: string): void {
    this.#relays.heard(news, relayId);
    if (news.type !== 'proven') return;
    this.#seen = news.seen;
    this.#tellAddresses();
  }

  /** A socket that cannot be bound now is bound the next time. */
  async #retryDirect(hasMoved: boolean): Promise<void> {
    if (hasMoved) await this.#endpoint?.rebind().catch(() => undefined);
    if (this.#end !== undefined) return;
    this.#tellAddresses();
    for (const one of this.#direct.addresses)
      this.#endpoint?.addCandidate(textOfCandidate(one), one.port);
  }

  /** Tells the peer of addresses that it does not know yet; those that it could not be told are told the next time. */
  #tellAddresses(): void {
    const told = this.#told;
    const candidates = this.told();
    const isNew = [...this.#told].some((name) => !told.has(name));
    if (!isNew) return;
    void this.#tell({ relayId: undefined, candidates }).then((isTold) => {
      if (!isTold) this.#told = told;
    });
  }

  #tell(news: Omit<Candidates, 'sessionId'>): Promise<boolean> {
    return this.#parts.tell(news, this.sessionId).catch(() => false);
  }

  #over(end: ConversationEnd): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#release();
    this.#parts.events.ended(this, end);
  }

  #release(): void {
    this.#direct.close();
    this.#relays.close();
    this.#leases.close();
  }

  #require(): Endpoint<PeerRefusal> {
    if (this.#endpoint === undefined || this.#end !== undefined)
      throw new ContactError('ERR_CONTACT_NO_SESSION', 'The session is over.', this.#end);
    return this.#endpoint;
  }
}
