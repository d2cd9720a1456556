/*
 * One conversation with one peer: handshake, session and channels on whatever paths there are. No clock, no socket: who
 * drives it hands in datagrams, calls `pump` when something came, was sent or was due, and moves what the paths hold.
 */
import { Channels, type Channel } from '../protocol/channels/channels.js';
import type { ReliableChannel } from '../protocol/channels/frame.js';
import type { CallMode } from '../protocol/channels/plaintext-size.js';
import { CloseReason } from '../protocol/session/control-message.js';
import { DatagramKind } from '../protocol/session/datagram.js';
import type { HandshakeRefusal } from '../protocol/session/handshake-options.js';
import { TOKEN_LIFETIME_MS } from '../protocol/session/offer.js';
import { SessionHandshake } from '../protocol/session/session-handshake.js';
import type { Session } from '../protocol/session/session.js';
import { channelEvents } from './channel-events.js';
import type {
  ConversationEnd,
  ConversationEvents,
  ConversationOptions,
  ConversationRefusal,
} from './conversation-options.js';
import type { DatagramPath } from './datagram-path.js';
import { notConnected } from './endpoint-error.js';
import { Farewell } from './farewell.js';
import { KnownPaths } from './known-paths.js';
import { Liveness } from './liveness.js';
import { Refusals } from './refusals.js';
import type { RelayUse } from './relay-departure.js';
import { SessionReceiver } from './session-receiver.js';
import { MAX_DATAGRAMS_PER_PUMP, SessionSender } from './session-sender.js';

/** A peer of which nothing opened for so long is gone, and its side of the keys goes: it was asked three times meanwhile, the last time 5 s ago. */
export const PEER_SILENT_MS = 65_000;

const KIND_OFFSET = 12;

/** One end of a conversation. All times are of one monotonic clock, in milliseconds. */
export class Conversation<PeerRefusal extends string> {
  readonly #events: ConversationEvents;
  readonly #handshake: SessionHandshake<DatagramPath, PeerRefusal>;
  readonly #callMode: CallMode;
  readonly #refusals: Refusals<ConversationRefusal | PeerRefusal>;
  readonly #known = new KnownPaths();
  #session: Session<DatagramPath> | undefined;
  #channels: Channels | undefined;
  readonly #untilMs: number;
  readonly #liveness: Liveness;
  readonly #sender: SessionSender;
  readonly #receiver = new SessionReceiver();
  /** When the session began or last opened a datagram: nobody but the peer can put this off. */
  #openedMs = Infinity;
  #farewell: Farewell | undefined;
  #end: ConversationEnd | undefined;

  /** @throws what SessionHandshake throws. */
  constructor({ handshake, callMode, events }: ConversationOptions<PeerRefusal>) {
    this.#events = events;
    this.#callMode = callMode;
    this.#untilMs = handshake.nowMs + TOKEN_LIFETIME_MS;
    this.#liveness = new Liveness(handshake.nowMs);
    this.#sender = new SessionSender(this.#known, this.#liveness);
    this.#refusals = new Refusals((total) => {
      events.encryptionFailure(total);
    });
    this.#handshake = new SessionHandshake({
      ...handshake,
      judgePeer: this.#refusals.watching(handshake.judgePeer),
    });
  }

  /** Why it is over; undefined while it is not. */
  get end(): ConversationEnd | undefined {
    return this.#end;
  }

  /** Datagrams that were not taken, by reason. */
  get refused(): ReadonlyMap<ConversationRefusal | PeerRefusal, number> {
    return this.#refusals.counts;
  }

  /** Tags, shared secrets and bindings that were wrong: somebody changes or invents what the peer sends (threats, T2). */
  get encryptionFailures(): number {
    return this.#refusals.encryptionFailures;
  }

  /** Whether 24 h have passed and a new handshake is due. */
  needsNewHandshake(nowMs: number): boolean {
    return this.#end === undefined && this.#session?.needsNewHandshake(nowMs) === true;
  }

  /** From now on `path` is one of the ways. Tried at once if there is a session. */
  addPath(path: DatagramPath, nowMs: number): void {
    this.#known.add(path);
    if (this.#session?.end === undefined) this.#session?.probe(path, nowMs);
  }

  /** Forgets `path`: nothing goes there any more. */
  removePath(path: DatagramPath): void {
    this.#known.remove(path);
    if (this.#session?.end === undefined) this.#session?.forgetPath(path);
  }

  /** How both sides use the ways through the relay `generation`. */
  relayUse(generation: number): RelayUse {
    const session = this.#session;
    return this.#known.relayUse(
      generation,
      this.#sender.active,
      (path) => session?.isProven(path) === true,
    );
  }

  /**
   * Takes a datagram that came on `path`; gives whether it was the peer's. Never throws on bytes from strangers: why one
   * was refused is counted. A path that is not known yet becomes so.
   */
  receive(datagram: Uint8Array, path: DatagramPath, nowMs: number): boolean {
    const refusal = this.#take(datagram, path, nowMs);
    this.#refusals.count(refusal);
    if (refusal === undefined) this.#heardOn(path, nowMs);
    if (this.#session?.end !== undefined) this.#finish(this.#session.end);
    return refusal === undefined;
  }

  /**
   * Takes a message; `bytes` must not change until it is acknowledged (call: until it went). Gives its number within the
   * channel, or -1 for call frames. Call `pump` after it.
   * @throws EndpointError if there is no session; RangeError if it is too long; ChannelFullError until `writable`.
   */
  send(channel: Exclude<Channel, 'control'>, bytes: Uint8Array): number {
    return this.#requireChannels().send(channel, bytes);
  }

  /** Gives out no more messages of `channel` until `resume`; the peer stops when the window is full. */
  pause(channel: ReliableChannel): void {
    this.#requireChannels().pause(channel);
  }

  /** Gives out what waits. */
  resume(channel: ReliableChannel, nowMs: number): void {
    this.#requireChannels().resume(channel, nowMs);
  }

  /**
   * Writes what is due to the paths and flushes them; gives when to call it again if nothing happens before. After the
   * end it repeats the close, for 300 ms.
   */
  pump(nowMs: number): number {
    if (this.#end !== undefined) return this.#farewell?.send(nowMs) ?? Infinity;
    this.#pumpHandshake(nowMs);
    if (nowMs - this.#openedMs >= PEER_SILENT_MS)
      this.#leave('peer-silent', CloseReason.failed, nowMs);
    const more = this.#pumpSession(nowMs);
    this.#known.flush();
    // Any of this may have ended it.
    if (this.end !== undefined) return this.pump(nowMs);
    return more ? nowMs : this.#wakeMs(nowMs);
  }

  /**
   * Erases every key and tells the peer: what tells it was sealed before, goes out now and, by `pump`, twice more. May be
   * called again.
   */
  close(reason: CloseReason, nowMs: number): void {
    this.#leave('closed-here', reason, nowMs);
  }

  #take(
    datagram: Uint8Array,
    path: DatagramPath,
    nowMs: number,
  ): ConversationRefusal | PeerRefusal | undefined {
    if (this.#end !== undefined) return 'over';
    if (datagram[KIND_OFFSET] !== DatagramKind.transport)
      return this.#takeHandshake(datagram, path, nowMs);
    if (this.#session === undefined || this.#channels === undefined) return 'no-session';
    const opened = this.#receiver.open(this.#session, datagram, { path, nowMs });
    if (typeof opened === 'string') return opened;
    this.#openedMs = nowMs;
    return this.#channels.onPlaintext(opened, nowMs);
  }

  #takeHandshake(
    datagram: Uint8Array,
    path: DatagramPath,
    nowMs: number,
  ): HandshakeRefusal | PeerRefusal | undefined {
    const refusal = this.#handshake.receive(datagram, path, nowMs);
    const session = this.#handshake.session;
    if (refusal !== undefined || session === undefined || this.#session !== undefined)
      return refusal;
    this.#session = session;
    this.#openedMs = nowMs;
    this.#channels = this.#newChannels(session);
    for (const other of this.#known.all) if (other !== path) session.probe(other, nowMs);
    this.#events.established();
    return undefined;
  }

  #newChannels(session: Session<DatagramPath>): Channels {
    const control = (bytes: Uint8Array): void => {
      this.#refusals.count(this.#receiver.control(session, bytes));
    };
    return new Channels(channelEvents(this.#events, control), { callMode: this.#callMode });
  }

  #pumpHandshake(nowMs: number): void {
    if (this.#known.open.length > 0 || nowMs >= this.#untilMs)
      this.#sender.sendHandshake(() => this.#handshake.datagramToSend(nowMs));
    if (this.#handshake.status !== 'gave-up') return;
    const isStranger = this.#refusals.metStranger && this.#session === undefined;
    this.#finish(isStranger ? 'stranger' : 'no-answer');
  }

  /** True if there is more than fits one pump, or relays have something to ask. */
  #pumpSession(nowMs: number): boolean {
    const session = this.#session;
    if (session === undefined || session.end !== undefined) return false;
    this.#choose(session, nowMs);
    const isDoubted = this.#sender.sendControl(session, nowMs);
    return this.#pumpChannels(session, nowMs) || isDoubted;
  }

  #pumpChannels(session: Session<DatagramPath>, nowMs: number): boolean {
    const path = this.#sender.active;
    if (path === undefined) return false;
    for (let i = 0; i < MAX_DATAGRAMS_PER_PUMP; i++) {
      const length = this.#channels?.nextPlaintext(nowMs, this.#sender.plaintext) ?? 0;
      if (length === 0) return false;
      this.#liveness.contentSent(nowMs);
      this.#sender.seal(session, { path, length }, nowMs);
    }
    return true;
  }

  #heardOn(path: DatagramPath, nowMs: number): void {
    if (path === this.#sender.active) this.#liveness.answered(nowMs);
    this.#known.add(path);
    const isItsChoice = this.#receiver.isPeersChoice && path === this.#session?.newestPath;
    this.#known.heard(path, nowMs, isItsChoice);
  }

  /** Leaves a direct way that went silent, and takes the best one. */
  #choose(session: Session<DatagramPath>, nowMs: number): void {
    const before = this.#sender.active;
    const silent = this.#known.takeSilent(nowMs);
    for (const path of silent) session.forgetPath(path);
    const path = this.#known.choose((one) => session.isProven(one));
    if (path === before) return;
    this.#sender.active = path;
    if (path === undefined) return;
    const isAlive = before !== undefined && this.#known.open.includes(before);
    this.#channels?.pathChanged(isAlive && !silent.includes(before) ? 'arrives' : 'lost');
    this.#events.path(path.kind);
  }

  #wakeMs(nowMs: number): number {
    const session = this.#session;
    const handshakeMs = this.#known.open.length > 0 ? this.#handshake.wakeMs : this.#untilMs;
    if (session === undefined) return handshakeMs;
    return Math.min(
      handshakeMs,
      session.wakeMs,
      this.#openedMs + PEER_SILENT_MS,
      this.#sender.active === undefined
        ? Infinity
        : (this.#channels?.nextDeadlineMs(nowMs) ?? Infinity),
      this.#sender.wakeMs,
      this.#known.silentMs,
    );
  }

  #requireChannels(): Channels {
    if (this.#end === undefined && this.#channels !== undefined) return this.#channels;
    throw notConnected(this.#end !== undefined);
  }

  /** Ends it and tells the peer. */
  #leave(end: ConversationEnd, reason: CloseReason, nowMs: number): void {
    if (this.#end !== undefined) return;
    const session = this.#session;
    const path = session && this.#known.choose((one) => session.isProven(one));
    if (session?.end === undefined && session !== undefined && path !== undefined) {
      this.#known.flush();
      this.#farewell = new Farewell(session, path, { reason, nowMs });
      this.#farewell.send(nowMs);
    }
    this.#finish(end);
  }

  #finish(end: ConversationEnd): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#handshake.close();
    this.#session?.close();
    this.#sender.plaintext.fill(0);
    this.#receiver.erase();
    this.#events.ended(end);
  }
}
