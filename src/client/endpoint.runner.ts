/*
 * One endpoint of one conversation, with its sockets and timers. Everything that decides is in conversation.ts,
 * relay-path.ts and path-choice.ts.
 */
import type { Channel } from '../protocol/channels/channels.js';
import type { ReliableChannel } from '../protocol/channels/frame.js';
import { KeyStore } from '../protocol/key-store.js';
import { CloseReason } from '../protocol/session/control-message.js';
import { Conversation } from './conversation.js';
import { passedOn } from './conversation-events.js';
import { DirectRoutes } from './direct-routes.js';
import { EndpointError, requireKeyLength } from './endpoint-error.js';
import type { EndpointOptions } from './endpoint-options.js';
import { EndpointRelays, type EndpointRelaysParts } from './endpoint.relays.js';
import type { LeaseFields } from './lease-proof.js';
import type { RelayAddresses } from './relay-news.js';
import type { RelayPathRefusal } from './relay-path.js';
import { DirectRoute } from './routes.js';
import { UdpLink } from './udp.path.js';

/** Keys of leases and nothing else: the session's are in the key store of its handshake. */
const LEASE_STORE_BYTES = 1_024;
/** A running endpoint. After `close`, or after `ended`, every key of the session is erased and every call but `close` throws. */
export class Endpoint<PeerRefusal extends string> {
  readonly #options: EndpointOptions<PeerRefusal>;
  readonly #conversation: Conversation<PeerRefusal>;
  readonly #leaseKeys = new KeyStore(LEASE_STORE_BYTES);
  readonly #direct = new DirectRoutes();
  readonly #relayRefused = new Map<RelayPathRefusal, number>();
  readonly #relays: EndpointRelays;
  #udp: UdpLink | undefined;
  #timer: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;
  /** Nobody may use it any more; its sockets are closed when the last word was said. */
  #closed = false;
  #released = false;

  private constructor(options: EndpointOptions<PeerRefusal>) {
    this.#options = options;
    const { handshake, callMode, events } = options;
    requireKeyLength('a device key', handshake.staticKey.privateKey, 32);
    requireKeyLength('a session id', handshake.parties.sessionId, 16);
    this.#conversation = new Conversation({
      handshake,
      callMode,
      events: passedOn(events, () => {
        this.#closed = true;
        // The pump repeats the close and then releases the sockets.
        this.#soon();
      }),
    });
    this.#relays = new EndpointRelays(this.#relaysParts());
  }

  /**
   * Opens the sockets and begins. The handshake begins on the first way that opens.
   * @throws EndpointError for wrong lengths, addresses and pins; what the system says if no socket can be bound.
   */
  static async open<PeerRefusal extends string>(
    options: EndpointOptions<PeerRefusal>,
  ): Promise<Endpoint<PeerRefusal>> {
    const endpoint = new Endpoint(options);
    try {
      await endpoint.#begin();
    } catch (error) {
      endpoint.close();
      throw error;
    }
    return endpoint;
  }

  /** Datagrams of the session that were not taken, by reason. */
  get refused(): Conversation<PeerRefusal>['refused'] {
    return this.#conversation.refused;
  }

  /** As Conversation.encryptionFailures; each is an event as well. */
  get encryptionFailures(): number {
    return this.#conversation.encryptionFailures;
  }

  /** Frames of the relay that were not taken, by reason. */
  get relayRefused(): ReadonlyMap<RelayPathRefusal, number> {
    return this.#relayRefused;
  }

  /** The port of the UDP socket: a candidate for the peer, with the addresses of this machine. */
  get udpPort(): number | undefined {
    return this.#closed ? undefined : this.#udp?.port;
  }

  /** As Conversation.send; it goes at once. */
  send(channel: Exclude<Channel, 'control'>, bytes: Uint8Array): number {
    const id = this.#conversation.send(channel, bytes);
    this.#soon();
    return id;
  }

  /** Gives out no more messages of `channel` until `resume`. */
  pause(channel: ReliableChannel): void {
    this.#conversation.pause(channel);
  }

  /** Gives out what waits. */
  resume(channel: ReliableChannel): void {
    this.#conversation.resume(channel, this.#now());
    this.#soon();
  }

  /** Tries `address` as a way to the peer. @throws EndpointError if it is none; nothing happens under `RelayOnly`. */
  addCandidate(address: string, port: number): void {
    this.#requireOpen();
    if (this.#options.pathPolicy === 'RelayOnly') return;
    const route = this.#direct.get(address, port) ?? this.#newRoute(address, port);
    this.#keep(address, port, route);
    this.#conversation.addPath(route, this.#now());
    this.#soon();
  }

  /**
   * Proves a newer lease for the same session at a relay of this endpoint, and erases the key of the one before.
   * @throws EndpointError ERR_ENDPOINT_RELAY if the lease is for none of them: then `addRelay`.
   */
  renew(fields: LeaseFields): void {
    this.#requireOpen();
    this.#relays.renew(fields);
    this.#soon();
  }

  /**
   * Moves to another relay for the same session, after MOVE or when a relay refused: proves `lease` there, sends that way
   * once the peer answers there, and leaves the relay before (news `left`) when the peer has come as well, or at the
   * deadline of its MOVE. The peer has to do the same, at any time before that.
   * The lease's key is copied before this resolves. @throws EndpointError for wrong lengths, addresses and pins.
   */
  async addRelay(addresses: RelayAddresses, lease: LeaseFields): Promise<void> {
    this.#requireOpen();
    if (addresses.udp !== undefined) await this.#needSocket();
    if (this.#closed) return;
    this.#relays.add(addresses, lease, this.#udp);
    this.#soon();
  }

  /** Takes a new UDP socket, as after a change of network, and proves the lease from there. The session goes on. */
  async rebind(): Promise<void> {
    this.#requireOpen();
    const fresh = await this.#newSocket();
    if (this.#isOver()) {
      fresh.close();
      return;
    }
    this.#udp?.close();
    this.#udp = fresh;
    for (const route of this.#direct.clear()) this.#conversation.removePath(route);
    this.#relays.moved(fresh);
    this.#soon();
  }

  /** Erases the session's keys and tells the peer; 300 ms later the relay, and then the lease's key and the sockets go. May be called again. */
  close(reason: CloseReason = CloseReason.done): void {
    this.#conversation.close(reason, this.#now());
  }

  async #begin(): Promise<void> {
    const { relay, pathPolicy } = this.#options;
    if (relay?.addresses.udp !== undefined || pathPolicy === 'DirectAllowed')
      await this.#needSocket();
    if (relay !== undefined) this.#relays.add(relay.addresses, relay.lease, this.#udp);
    this.#soon();
  }

  #newSocket(): Promise<UdpLink> {
    return UdpLink.open(this.#options.bind, (bytes, address, port) => {
      this.#receive(bytes, address, port);
    });
  }

  async #needSocket(): Promise<void> {
    if (this.#hasSocket()) return;
    const fresh = await this.#newSocket();
    // The endpoint may have ended meanwhile, or somebody else may have waited for one as well.
    if (this.#isOver() || this.#hasSocket()) fresh.close();
    else this.#udp = fresh;
  }

  #relaysParts(): EndpointRelaysParts {
    const { clock, random, events, handshake } = this.#options;
    return {
      context: { backend: handshake.backend, keys: this.#leaseKeys },
      ...{ clock, random },
      events: this.#relayEvents(),
      relay: (news, relayId) => {
        events.relay(news, relayId);
      },
      use: (generation) => this.#conversation.relayUse(generation),
    };
  }

  #relayEvents(): EndpointRelaysParts['events'] {
    const conversation = this.#conversation;
    return {
      datagram: (bytes, route) => {
        conversation.receive(bytes, route, this.#now());
        this.#soon();
      },
      open: (route) => {
        conversation.addPath(route, this.#now());
      },
      gone: (route) => {
        conversation.removePath(route);
      },
      refused: (reason) => {
        this.#relayRefused.set(reason, (this.#relayRefused.get(reason) ?? 0) + 1);
      },
      changed: () => {
        this.#soon();
      },
    };
  }

  #receive(bytes: Uint8Array, address: string, port: number): void {
    if (this.#closed) return;
    if (this.#relays.receive(bytes, address, port)) return;
    if (this.#options.pathPolicy === 'RelayOnly') return;
    const known = this.#direct.get(address, port);
    const route = known ?? this.#newRoute(address, port);
    const isPeer = this.#conversation.receive(bytes, route, this.#now());
    if (isPeer && known === undefined) this.#keep(address, port, route);
    this.#soon();
  }

  #newRoute(address: string, port: number): DirectRoute {
    const udp = this.#udp;
    const remote = udp?.remote(address, port);
    return new DirectRoute((bytes, length, segment) => {
      if (remote !== undefined) udp?.send(bytes, length, { remote, segment });
    });
  }

  #keep(address: string, port: number, route: DirectRoute): void {
    const dropped = this.#direct.keep(address, port, route);
    if (dropped !== undefined) this.#conversation.removePath(dropped);
  }

  #now(): number {
    return this.#options.clock.monotonicMs();
  }

  /** Pumps after what has come in meanwhile: a batch of datagrams is answered once. */
  #soon(): void {
    if (this.#released || this.#immediate !== undefined) return;
    this.#immediate = setImmediate(() => {
      this.#immediate = undefined;
      this.#pump();
    });
  }

  #pump(): void {
    if (this.#released) return;
    clearTimeout(this.#timer);
    const nowMs = this.#now();
    const relayMs = this.#relays.pump(nowMs);
    const conversationMs = this.#conversation.pump(nowMs);
    const wakeMs = Math.min(relayMs, conversationMs);
    if (this.#conversation.end !== undefined && conversationMs === Infinity) this.#release();
    if (this.#isOver() || wakeMs === Infinity) return;
    if (wakeMs <= nowMs) this.#soon();
    else
      this.#timer = setTimeout(() => {
        this.#pump();
      }, wakeMs - nowMs);
  }

  #hasSocket(): boolean {
    return this.#udp !== undefined;
  }

  /** A method, as the one above: it is asked again after an `await`, of which the compiler knows nothing. */
  #isOver(): boolean {
    return this.#released;
  }

  #requireOpen(): void {
    if (this.#closed)
      throw new EndpointError('ERR_ENDPOINT_CLOSED', 'the endpoint is closed: its keys are erased');
  }

  #release(): void {
    if (this.#released) return;
    this.#released = true;
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
    this.#relays.close();
    this.#leaseKeys.eraseAll();
    this.#udp?.close();
    this.#direct.clear();
  }
}
