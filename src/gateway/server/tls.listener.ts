/*
 * A TLS 1.3 listener whose certificate may change while connections stand. It knows every TCP connection from its first
 * packet on: one that does not become a WebSocket in time is cut, and when there are too many the oldest of those gives
 * way, so that idle strangers shut nobody out.
 */
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { TLSSocket, type SecureContextOptions } from 'node:tls';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { ActionableError } from '../../runtime/errors.js';
import { answerRefusal } from './refusal.answer.js';
import { MAX_HEADERS } from './upgrade-decision.js';

/** TCP, TLS and the request together. */
const UPGRADE_WITHIN_MS = 10_000;
/** How often deadlines are looked at. */
const CHECK_EVERY_MS = 1_000;
/** Of a request: a browser behind two proxies sends a quarter of it. */
const MAX_HEADER_BYTES = 8_192;

/** What a listener serves. */
export interface ListenerRules {
  /** Where the setting of its addresses stands, for errors. */
  readonly setting: string;
  readonly addresses: readonly string[];
  readonly port: number;
  /** TCP connections at one time. */
  readonly maxConnections: number;
  /** Connections among them that are no WebSocket yet. */
  readonly maxWaiting: number;
  /** Whether a client certificate is demanded. */
  readonly mutual: boolean;
}

/** What a listener asks and tells. */
export interface ListenerEvents {
  /** Whether a TCP connection of this address may begin a handshake. */
  admit(socket: Socket): boolean;
  upgrade(request: IncomingMessage, socket: TLSSocket, head: Buffer): void;
  /** A request that asks for no upgrade. */
  request(request: IncomingMessage, socket: Duplex): void;
  handshake(outcome: 'success' | 'failure'): void;
  /** What came is no HTTP. */
  malformed(): void;
}

/** The listening sockets and what is connected to them. */
export class TlsListener {
  readonly #servers: Server[] = [];
  /** All connections; of those that are no WebSocket yet their two ends. */
  readonly #raw = new Map<Socket, string | undefined>();
  /** Connections that are no WebSocket yet, by their two ends, the oldest first, with the monotonic time of each. */
  readonly #waiting = new Map<string, { readonly socket: Socket; readonly sinceMs: number }>();
  /** One function for all connections, not one each. */
  readonly #onClose = withThis((socket) => {
    this.#gone(socket);
  });
  #https: HttpsServer | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly rules: ListenerRules,
    private readonly events: ListenerEvents,
    private readonly monotonicMs: () => number,
  ) {}

  /** The bound port, of the first address; 0 if it does not listen. */
  get port(): number {
    return (this.#servers[0]?.address() as AddressInfo | null | undefined)?.port ?? 0;
  }

  /** Connections that are no WebSocket yet. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Whether it has a certificate; without one every connection is cut at once. */
  get isPresentable(): boolean {
    return this.#https !== undefined;
  }

  /** Serves new connections with this certificate; those that stand keep theirs. */
  present(context: SecureContextOptions): void {
    const options = { ...context, minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3' } as const;
    if (this.#https) this.#https.setSecureContext(options);
    else this.#https = this.#createHttps(options);
  }

  /** Binds. @throws ActionableError ERR_LISTEN */
  async listen(): Promise<void> {
    const { addresses, port } = this.rules;
    for (const address of addresses.length > 0 ? addresses : [undefined]) {
      const server = createServer({ noDelay: true }, (socket) => {
        this.#accept(socket);
      });
      this.#servers.push(server);
      await this.#bind(server, address, port);
    }
    this.#timer = setInterval(() => {
      this.#check();
    }, CHECK_EVERY_MS);
  }

  /** It became a WebSocket: its deadlines are somebody else's now. */
  upgraded(socket: TLSSocket): void {
    const ends = endsOf(socket);
    const raw = this.#waiting.get(ends)?.socket;
    if (raw) this.#raw.set(raw, undefined);
    this.#waiting.delete(ends);
  }

  /** Takes no further connections; those that stand go on. */
  stopListening(): void {
    clearInterval(this.#timer);
    for (const server of this.#servers) server.close();
    for (const { socket } of this.#waiting.values()) socket.destroy();
    this.#waiting.clear();
  }

  /** Cuts everything. */
  close(): void {
    this.stopListening();
    for (const socket of this.#raw.keys()) socket.destroy();
  }

  #createHttps(context: SecureContextOptions): HttpsServer {
    const { mutual } = this.rules;
    const https = createHttpsServer({
      ...context,
      ...(mutual && { requestCert: true, rejectUnauthorized: true }),
      // A list is copied into a small buffer for each connection, and holds the slab that it was cut from.
      ALPNCallback: ({ protocols }) => protocols.find((offered) => offered === 'http/1.1'),
      handshakeTimeout: UPGRADE_WITHIN_MS,
      maxHeaderSize: MAX_HEADER_BYTES,
      keepAlive: false,
      insecureHTTPParser: false,
    });
    // Beyond it Node leaves headers out without a word: one more is kept, so that it is seen.
    https.maxHeadersCount = MAX_HEADERS + 1;
    https.on('secureConnection', (socket) => {
      // Whatever happens to a socket is nothing to the others.
      socket.on('error', ignore);
      this.events.handshake('success');
    });
    https.on('tlsClientError', (_error, socket) => {
      this.events.handshake('failure');
      socket.destroy();
    });
    https.on('upgrade', (request, socket, head) => {
      if (socket instanceof TLSSocket) this.events.upgrade(request, socket, head);
      else socket.destroy();
    });
    for (const event of ['request', 'checkContinue', 'checkExpectation'] as const)
      https.on(event, (request: IncomingMessage) => {
        this.events.request(request, request.socket);
      });
    https.on('connect', (request, socket) => {
      this.events.request(request, socket);
    });
    https.on('clientError', (_error, socket) => {
      this.events.malformed();
      answerRefusal(socket, 400);
    });
    return https;
  }

  #accept(socket: Socket): void {
    socket.on('error', ignore);
    if (!this.#https || !this.events.admit(socket) || !this.#makeRoom()) {
      socket.destroy();
      return;
    }
    const ends = endsOf(socket);
    this.#raw.set(socket, ends);
    this.#waiting.set(ends, { socket, sinceMs: this.monotonicMs() });
    socket.on('close', this.#onClose);
    this.#https.emit('connection', socket);
  }

  #gone(socket: Socket): void {
    const ends = this.#raw.get(socket);
    this.#raw.delete(socket);
    if (ends !== undefined && this.#waiting.get(ends)?.socket === socket)
      this.#waiting.delete(ends);
  }

  /** Whether there is room for one more. */
  #makeRoom(): boolean {
    const { maxConnections, maxWaiting } = this.rules;
    if (this.#raw.size < maxConnections && this.#waiting.size < maxWaiting) return true;
    for (const [ends, { socket }] of this.#waiting) {
      this.#waiting.delete(ends);
      this.#raw.delete(socket);
      socket.destroy();
      return true;
    }
    return false;
  }

  #check(): void {
    const before = this.monotonicMs() - UPGRADE_WITHIN_MS;
    for (const { socket, sinceMs } of this.#waiting.values()) {
      if (sinceMs > before) return;
      socket.destroy();
    }
  }

  #bind(server: Server, address: string | undefined, port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      // Later errors are failed accepts (too many open files): nothing to the connections that stand.
      server.on('error', (cause) => {
        reject(
          new ActionableError(
            'ERR_LISTEN',
            `Cannot listen on ${address ?? 'any address'}, TCP port ${port}: ${cause.message}.`,
            `Free that port or change ${this.rules.setting} in the settings.`,
            { cause },
          ),
        );
      });
      server.listen({ port, ...(address !== undefined && { host: address }) }, resolve);
    });
  }
}

const endsOf = ({ remoteAddress, remotePort, localAddress }: Socket): string =>
  [remoteAddress, remotePort, localAddress].join(' ');

const ignore = (): undefined => undefined;

/** A listener that gets the emitter, which an event passes as `this` only. */
const withThis = (listen: (socket: Socket) => void) =>
  function (this: Socket): void {
    listen(this);
  };
