/*
 * One WebSocket to one gateway: TLS 1.3 first, then the judgement of its certificates, then the upgrade. Before the
 * judgement nothing of ours but the TLS handshake itself goes out: no path, no header, no token.
 */
import { isIP } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import type { KeyObject, X509Certificate } from 'node:crypto';
import { WebSocket } from 'ws';
import {
  CLOSE_CODES,
  MAX_FROM_GATEWAY_BYTES,
  SIGNALING_PATH,
  SIGNALING_PROTOCOL,
  type CloseName,
} from '../../messages/signaling.js';
import { TLS_EXPORTER_BYTES } from '../../protocol/identity/login.js';
import type { GatewayPlace } from './gateway-place.js';
import { judgeServedChain, type ChainRefusal } from './served-chain.js';

/** TCP, TLS and upgrade, each. */
const STEP_WITHIN_MS = 4_000;
const CLOSE_WITHIN_MS = 1_000;
/** A gateway that drains slower than this is as good as away. */
const MAX_WAITING_BYTES = 1 << 20;
/** A way through a NAT is kept open, and a dead connection found, within 15 s. */
const PING_EVERY_MS = 10_000;
const PONG_WITHIN_MS = 5_000;
const MAX_SERVED_CERTIFICATES = 8;

/** RFC 9266, section 2. */
const EXPORTER_LABEL = 'EXPORTER-Channel-Binding';

/** Why a connection ended. A closed list: each is a metric label. */
export type LinkEnd =
  | ChainRefusal
  | CloseName
  | 'unreachable'
  | 'tls-failed'
  | 'upgrade-refused'
  | 'no-answer'
  | 'not-a-gateway'
  | 'wrong-message'
  | 'connection-lost'
  | 'closed-here';

/** A judged connection: what the login is bound to, and the key that signs pin updates. */
export interface LinkOpen {
  /** 32 bytes of RFC 9266. */
  readonly exporter: Uint8Array;
  readonly leafKey: KeyObject;
}

/** What a connection tells. After `ended` nothing comes. */
export interface LinkEvents {
  open(link: LinkOpen): void;
  text(text: string): void;
  ended(end: LinkEnd): void;
}

/** One connection, from the first SYN on. */
export class GatewayLink {
  readonly #place: GatewayPlace;
  readonly #events: LinkEvents;
  readonly #tls: TLSSocket;
  #socket: WebSocket | undefined;
  #timer: NodeJS.Timeout | undefined;
  #ended = false;

  /** Dials. `nowMs` is the wall clock's, for the dates of the certificates. */
  constructor(place: GatewayPlace, events: LinkEvents, nowMs: () => number) {
    this.#place = place;
    this.#events = events;
    this.#tls = connect({
      host: place.address ?? place.host,
      port: place.port,
      ...(isIP(place.host) === 0 && { servername: place.host }),
      ALPNProtocols: ['http/1.1'],
      minVersion: 'TLSv1.3',
      // No authority is asked: the certificates are judged below, before a byte of ours is sent.
      ca: [],
      rejectUnauthorized: false,
    });
    this.#tls.setNoDelay(true);
    this.#within(STEP_WITHIN_MS, 'no-answer');
    this.#tls.once('secureConnect', () => {
      this.#judge(nowMs());
    });
    this.#tls.once('error', (error: NodeJS.ErrnoException) => {
      this.#end(error.syscall === undefined ? 'tls-failed' : 'unreachable');
    });
    this.#tls.once('close', () => {
      // The WebSocket hears of it a moment later, and knows with which code it was closed.
      if (this.#socket === undefined) this.#end('connection-lost');
    });
  }

  /** Whether the network takes another message now. */
  get hasRoom(): boolean {
    return this.#socket !== undefined && this.#socket.bufferedAmount < MAX_WAITING_BYTES;
  }

  /** Sends one message; nothing happens when the connection is over. */
  send(text: string): void {
    if (!this.#ended && this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(text);
  }

  /** Ends the connection and tells why, once. */
  close(end: LinkEnd = 'closed-here'): void {
    const socket = this.#socket;
    if (socket?.readyState === WebSocket.OPEN) {
      socket.close(1000);
      const timer = setTimeout(() => {
        socket.terminate();
      }, CLOSE_WITHIN_MS);
      timer.unref();
      this.#finish(end);
      return;
    }
    this.#end(end);
  }

  #judge(nowMs: number): void {
    const served = servedCertificates(this.#tls);
    const verdict = judgeServedChain(served, this.#place, nowMs);
    const leaf = served[0];
    if (verdict !== 'ok' || leaf === undefined) {
      this.#end(verdict === 'ok' ? 'no-certificate' : verdict);
      return;
    }
    const exporter = this.#tls.exportKeyingMaterial(
      TLS_EXPORTER_BYTES,
      EXPORTER_LABEL,
      Buffer.alloc(0),
    );
    this.#upgrade({ exporter, leafKey: leaf.publicKey });
  }

  #upgrade(open: LinkOpen): void {
    const { host, port } = this.#place;
    const name = host.includes(':') ? `[${host}]` : host;
    const socket = new WebSocket(`wss://${name}:${port}${SIGNALING_PATH}`, SIGNALING_PROTOCOL, {
      createConnection: () => this.#tls,
      handshakeTimeout: STEP_WITHIN_MS,
      maxPayload: MAX_FROM_GATEWAY_BYTES,
      perMessageDeflate: false,
      followRedirects: false,
    });
    this.#socket = socket;
    socket.once('open', () => {
      clearTimeout(this.#timer);
      this.#keepAlive(socket);
      this.#events.open(open);
    });
    socket.on('message', (bytes, isBinary) => {
      if (isBinary) this.#end('wrong-message');
      // `ws` gives one Buffer unless another binaryType is asked for.
      else if (!this.#ended) this.#events.text((bytes as Buffer).toString('utf8'));
    });
    socket.once('unexpected-response', (request) => {
      request.destroy();
      this.#end('upgrade-refused');
    });
    socket.once('error', () => {
      this.#end(socket.readyState === WebSocket.CONNECTING ? 'not-a-gateway' : 'wrong-message');
    });
    socket.once('close', (code) => {
      this.#end(closeNameOf(code) ?? 'connection-lost');
    });
  }

  #keepAlive(socket: WebSocket): void {
    let deadline: NodeJS.Timeout | undefined;
    this.#timer = setInterval(() => {
      socket.ping();
      deadline = setTimeout(() => {
        this.#end('connection-lost');
      }, PONG_WITHIN_MS);
      deadline.unref();
    }, PING_EVERY_MS);
    const heard = () => {
      clearTimeout(deadline);
    };
    socket.on('pong', heard);
    socket.once('close', heard);
  }

  #within(ms: number, end: LinkEnd): void {
    this.#timer = setTimeout(() => {
      this.#end(end);
    }, ms);
  }

  #end(end: LinkEnd): void {
    if (this.#ended) return;
    this.#finish(end);
    if (this.#socket) this.#socket.terminate();
    this.#tls.destroy();
  }

  #finish(end: LinkEnd): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#timer);
    // What a torn-down socket still says has no meaning; without a listener it would end the process.
    this.#socket?.on('error', () => undefined);
    this.#tls.on('error', () => undefined);
    this.#events.ended(end);
  }
}

/** The certificates as they were served, the leaf first. */
function servedCertificates(socket: TLSSocket): readonly X509Certificate[] {
  const served: X509Certificate[] = [];
  let next = socket.getPeerX509Certificate();
  while (next !== undefined && served.length < MAX_SERVED_CERTIFICATES) {
    served.push(next);
    next = next.issuerCertificate;
  }
  return served;
}

const closeNameOf = (code: number): CloseName | undefined =>
  (Object.keys(CLOSE_CODES) as CloseName[]).find((name) => CLOSE_CODES[name] === code);
