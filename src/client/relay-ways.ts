/*
 * The ways to one relay for one lease, without a socket: UDP first, TLS on 5349 when UDP leads nowhere, and UDP again
 * later. One slot at the relay belongs to the lease, and the proof with the highest `seq` has it: so never do two ways
 * prove at a time, and when an attempt over UDP fails, TLS proves once more.
 *
 *   UDP      given up after two rounds without an end (relay-path.ts); then TLS, connected after the first one: it says
 *            nothing until then, and is closed if UDP answers
 *   TLS      lost, refused or silent: a new connection after 1, 2, 4 ... 30 s, from 1 s again after a proof
 *   UDP      once more every 60 s while on TLS, and at once after a connection that led nowhere
 *   without an address for TLS, UDP goes on at once; without one for UDP, TLS is all there is
 */
import type { RandomBytes } from '../protocol/session/path-proofs.js';
import type { BurstSink } from './burst.js';
import type { LeaseProof } from './lease-proof.js';
import { RelayPath, type RelayPathEvent, type RelayPathRefusal } from './relay-path.js';
import type { RelayNews, TlsEnd } from './relay-news.js';
import { RelayRoute } from './routes.js';

const FIRST_RETRY_MS = 1_000;
const MAX_RETRY_MS = 30_000;
/** An attempt over UDP is two rounds of HELLO; on a network that drops UDP most of them lead nowhere. */
export const UDP_AGAIN_MS = 60_000;

/** What the ways to a relay tell. */
export interface RelayWayEvents {
  /** A session datagram came; `route` is the way. */
  datagram(bytes: Uint8Array, route: RelayRoute): void;
  /** `route` can be used from now on. */
  open(route: RelayRoute): void;
  /** `route` cannot be used any more. */
  gone(route: RelayRoute): void;
  relay(news: RelayNews): void;
  refused(reason: RelayPathRefusal): void;
  /** Something is due earlier than was said. */
  changed(): void;
}

/** What happens on a TLS connection. */
export interface TlsEvents {
  /** The relay is the expected one; frames may go. */
  open(): void;
  frame(bytes: Uint8Array): void;
  /** Nothing comes after it. */
  ended(end: TlsEnd): void;
}

/** A TLS connection. `close` is not followed by `ended`. */
export interface TlsConnection {
  send: BurstSink;
  close(): void;
}

/** How frames get to the relay. At least one of both is there. */
export interface RelayLinks {
  readonly udp?: BurstSink;
  readonly connectTls?: (events: TlsEvents) => TlsConnection;
}

/** What the ways are made with. Times are of one monotonic clock. */
export interface RelayWaysParts {
  /** Of its routes: datagram-path.ts. */
  readonly generation: number;
  readonly lease: LeaseProof;
  readonly links: RelayLinks;
  readonly random: RandomBytes;
  readonly monotonicMs: () => number;
  readonly events: RelayWayEvents;
}

interface Way {
  readonly admission: RelayPath;
  readonly route: RelayRoute;
  readonly sink: BurstSink;
  isOpen: boolean;
}

/** Tries and uses the ways. Call `pump` at the times that it gives, and after `changed`. */
export class RelayWays {
  readonly #parts: RelayWaysParts;
  #lease: LeaseProof;
  #udp: Way | undefined;
  #tls: Way | undefined;
  #connection: TlsConnection | undefined;
  #udpAtMs: number;
  #tlsAtMs: number;
  #retryMs = FIRST_RETRY_MS;
  #closed = false;

  constructor(parts: RelayWaysParts) {
    this.#parts = parts;
    this.#lease = parts.lease;
    const hasUdp = parts.links.udp !== undefined;
    this.#udpAtMs = hasUdp ? -Infinity : Infinity;
    this.#tlsAtMs = hasUdp ? Infinity : -Infinity;
  }

  /** Takes a frame that the relay sent over UDP. */
  receiveUdp(frame: Uint8Array): void {
    if (this.#udp !== undefined) this.#receive(this.#udp, frame);
  }

  /** Sends what is due and gives when the next is. */
  pump(nowMs: number): number {
    if (this.#closed) return Infinity;
    this.#startDue(nowMs);
    if (this.#udp !== undefined) {
      sendDue(this.#udp, nowMs);
      if (this.#udp.admission.status === 'unreachable') this.#udpFailed(this.#udp, nowMs);
      else this.#prepareTls(this.#udp, nowMs);
    }
    if (this.#tls !== undefined && this.#udp === undefined) {
      sendDue(this.#tls, nowMs);
      if (this.#tls.admission.status === 'unreachable') this.#tlsSilent();
    }
    return this.#wakeMs();
  }

  /** The UDP socket is another one: the lease is proven from there. A TLS connection notices by itself. */
  moved(nowMs: number): void {
    if (this.#udp !== undefined) this.#udp.admission.reprove(nowMs);
    else if (this.#parts.links.udp !== undefined) this.#udpAtMs = nowMs;
  }

  /** Proves a newer lease for the same session. The one before stays its owner's to close. */
  renew(lease: LeaseProof, nowMs: number): void {
    this.#lease = lease;
    if (this.#tls?.isOpen === true && this.#isTryingUdp()) this.#putOffUdp(nowMs);
    this.#udp?.admission.renew(lease, nowMs);
    this.#tls?.admission.renew(lease, nowMs);
    this.#parts.events.changed();
  }

  /** Gives the lease up, unanswered, and closes the connection. May be called again. */
  close(): void {
    this.#closed = true;
    for (const one of [this.#udp, this.#tls])
      if (one?.isOpen === true) this.#parts.events.gone(one.route);
    const way = [this.#udp, this.#tls].find((one) => one?.admission.status === 'proven');
    if (way !== undefined) {
      const bye = this.#lease.bye();
      way.sink(bye, bye.length, bye.length);
    }
    this.#connection?.close();
    this.#udp = this.#tls = this.#connection = undefined;
  }

  #startDue(nowMs: number): void {
    const { links } = this.#parts;
    if (nowMs >= this.#udpAtMs && this.#mayTryUdp() && links.udp !== undefined) {
      this.#udpAtMs = Infinity;
      this.#udp = this.#newWay('relay-udp', links.udp);
    }
    if (nowMs >= this.#tlsAtMs && this.#mayConnect()) this.#connect();
  }

  #mayTryUdp(): boolean {
    if (this.#udp !== undefined) return false;
    return this.#connection === undefined || this.#tls?.isOpen === true;
  }

  #mayConnect(): boolean {
    return this.#connection === undefined && this.#udp?.admission.isDoubtful !== false;
  }

  /** A connection takes time that a session without a way does not have. */
  #prepareTls({ admission }: Way, nowMs: number): void {
    if (!admission.isDoubtful && this.#tls?.isOpen !== true) this.#leaveTls();
    if (!admission.isDoubtful || this.#connection !== undefined) return;
    if (this.#tlsAtMs === Infinity && this.#parts.links.connectTls) this.#tlsAtMs = nowMs;
    this.#startDue(nowMs);
  }

  /** Whether UDP is tried while TLS is there. */
  #isTryingUdp(): boolean {
    return this.#udp !== undefined && !this.#udp.isOpen;
  }

  #wakeMs(): number {
    return Math.min(
      this.#mayTryUdp() ? this.#udpAtMs : Infinity,
      this.#mayConnect() ? this.#tlsAtMs : Infinity,
      this.#udp?.admission.wakeMs ?? Infinity,
      this.#udp === undefined ? (this.#tls?.admission.wakeMs ?? Infinity) : Infinity,
    );
  }

  #newWay(kind: 'relay-udp' | 'relay-tls', sink: BurstSink): Way {
    const { random, monotonicMs, generation } = this.#parts;
    const admission = new RelayPath(this.#lease, random, monotonicMs());
    const route = new RelayRoute(kind, { admission, lease: this.#lease, sink, generation });
    return { admission, route, sink, isOpen: false };
  }

  #receive(way: Way, frame: Uint8Array): void {
    const { events, monotonicMs } = this.#parts;
    const nowMs = monotonicMs();
    const payload = way.admission.payloadOf(frame, nowMs);
    if (payload !== undefined) {
      events.datagram(payload, way.route);
      return;
    }
    const outcome = way.admission.receive(frame, nowMs);
    if (typeof outcome === 'string') events.refused(outcome);
    else if (outcome !== undefined) this.#tell(way, outcome);
    events.changed();
  }

  #tell(way: Way, event: RelayPathEvent): void {
    const { events } = this.#parts;
    if (event.type === 'proven') this.#proven(way);
    // TLS goes on; without it the way waits for a newer lease.
    if (event.type === 'refused' && way === this.#udp && this.#tls?.isOpen === true)
      this.#putOffUdp(this.#parts.monotonicMs());
    events.relay(event);
  }

  #proven(way: Way): void {
    if (!way.isOpen) this.#parts.events.open(way.route);
    way.isOpen = true;
    if (way === this.#tls) {
      this.#retryMs = FIRST_RETRY_MS;
      return;
    }
    this.#tlsAtMs = Infinity;
    if (this.#connection !== undefined) this.#leaveTls();
  }

  /** TLS takes over. Where there is none, UDP is tried for as long as the endpoint lives. */
  #udpFailed(way: Way, nowMs: number): void {
    const { events, links } = this.#parts;
    if (way.isOpen) events.gone(way.route);
    way.isOpen = false;
    if (this.#tls?.isOpen !== true) events.relay({ type: 'unreachable', why: 'udp' });
    if (links.connectTls === undefined) {
      way.admission.reprove(nowMs);
      return;
    }
    this.#putOffUdp(nowMs);
    // The relay may have taken the proof over UDP; then it sends there.
    this.#tls?.admission.reprove(nowMs);
    if (this.#connection === undefined && this.#tlsAtMs === Infinity) this.#tlsAtMs = nowMs;
    events.changed();
  }

  #putOffUdp(nowMs: number): void {
    this.#udp = undefined;
    this.#udpAtMs = nowMs + UDP_AGAIN_MS;
  }

  #connect(): void {
    const { links, events } = this.#parts;
    this.#tlsAtMs = Infinity;
    // What an earlier connection tells late is about that one.
    const isThis = (): boolean => !this.#closed && this.#connection === connection;
    const connection = links.connectTls?.({
      open: () => {
        if (!isThis() || connection === undefined) return;
        this.#tls = this.#newWay('relay-tls', (bytes, length, segment) => {
          connection.send(bytes, length, segment);
        });
        events.changed();
      },
      frame: (bytes) => {
        if (isThis() && this.#tls !== undefined) this.#receive(this.#tls, bytes);
      },
      ended: (end) => {
        if (isThis()) this.#tlsEnded(end);
      },
    });
    this.#connection = connection;
  }

  #tlsSilent(): void {
    this.#connection?.close();
    this.#tlsEnded('no-answer');
  }

  #tlsEnded(end: TlsEnd): void {
    const { events, links, monotonicMs } = this.#parts;
    const nowMs = monotonicMs();
    const ledNowhere = this.#tls?.isOpen !== true;
    this.#leaveTls();
    this.#tlsAtMs = nowMs + this.#retryMs;
    this.#retryMs = Math.min(2 * this.#retryMs, MAX_RETRY_MS);
    if (ledNowhere && links.udp !== undefined) this.#udpAtMs = nowMs;
    if (this.#udp === undefined) events.relay({ type: 'unreachable', why: end });
    events.changed();
  }

  #leaveTls(): void {
    if (this.#tls?.isOpen === true) this.#parts.events.gone(this.#tls.route);
    this.#connection?.close();
    this.#tls = this.#connection = undefined;
  }
}

function sendDue({ admission, sink }: Way, nowMs: number): void {
  for (let frame = admission.frameToSend(nowMs); frame; frame = admission.frameToSend(nowMs))
    sink(frame, frame.length, frame.length);
}
