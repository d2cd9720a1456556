/*
 * The TLS 1.3 fallback (wire formats, B: 5349/tcp): takes frames off TLS connections and hands them to the packet
 * worker, which applies to them the same checks and limits as to UDP. It knows no frame but by its length, and the one
 * type by which the worker says that a lease was proven.
 */
import {
  createServer as createTcpServer,
  type AddressInfo,
  type Server,
  type Socket,
} from 'node:net';
import {
  createServer as createTlsServer,
  type Server as TlsServer,
  type TLSSocket,
} from 'node:tls';
import { parseIpAddress } from '../../runtime/ip-address.js';
import { newAddress, setAddress } from '../packet/address.js';
import { AddressLimiter } from '../sessions/address-limiter.js';
import { FALLBACK_KIND, type FallbackRecord } from '../packet/fallback-port.js';
import type { FallbackLink } from '../packet/fallback.link.js';
import { FallbackConnection } from './fallback.connection.js';
import type { FallbackCounters, ToFallback } from './fallback-messages.js';

/** TCP and TLS together. */
const HANDSHAKE_WITHIN_MS = 10_000;
/** 1,024 sets of 4 sources: 115 kB. */
const LIMITER_SETS = 1_024;
/** How often deadlines of connections are looked at. */
const CHECK_EVERY_MS = 1_000;
/** How soon reading goes on once the packet worker has caught up. */
const RESUME_AFTER_MS = 5;
const MINUTE_S = 60;

/** What the server works with. */
export interface FallbackServerParts {
  readonly link: FallbackLink;
  readonly counters: FallbackCounters;
  /** One Int32: the newest connection's number. */
  readonly connections: Int32Array;
  /** Random, for the table of the limiter. */
  readonly seed: number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

type Limits = Omit<Extract<ToFallback, { kind: 'limits' }>, 'kind'>;

/** A connection before its handshake: its address as OPEN writes it. */
const OPEN_BYTES = 18;

/** Listens, accepts and ends TLS. */
export class FallbackServer {
  readonly #connections = new Map<number, FallbackConnection>();
  readonly #paused = new Set<FallbackConnection>();
  readonly #touched = new Set<FallbackConnection>();
  readonly #limiter: AddressLimiter;
  readonly #source = newAddress();
  readonly #listeners: Server[] = [];
  readonly #raw = new Set<Socket>();
  /** Sockets on which no lease was proven yet, by their peer, the oldest first. */
  readonly #unproven = new Map<string, Socket>();
  #timer: NodeJS.Timeout | undefined;
  #tls: TlsServer | undefined;
  #limits: Limits = { perAddressPerMinute: 1, connections: 1 };

  constructor(private readonly parts: FallbackServerParts) {
    this.#limiter = new AddressLimiter(LIMITER_SETS, parts.seed);
    parts.link.listen(
      (record) => {
        this.#take(record);
      },
      () => {
        for (const connection of this.#touched) connection.flush();
        this.#touched.clear();
      },
    );
  }

  /** Replaces the limits; connections that stand are left alone. */
  limit(limits: Limits): void {
    this.#limits = limits;
  }

  /** Serves new connections with this leaf. @throws what node:tls throws of a PEM that it does not take */
  present(certificate: string, key: string): void {
    const context = {
      cert: certificate,
      key,
      minVersion: 'TLSv1.3',
      maxVersion: 'TLSv1.3',
    } as const;
    if (this.#tls) this.#tls.setSecureContext(context);
    else this.#tls = this.#createTls(context);
  }

  /** Binds; gives the ports. Rejects with the system's error. */
  async listen(addresses: readonly string[], port: number): Promise<readonly number[]> {
    for (const address of addresses.length > 0 ? addresses : [undefined]) {
      const server = createTcpServer({ noDelay: true }, (socket) => {
        this.#accept(socket);
      });
      await bind(server, address, port);
      this.#listeners.push(server);
    }
    this.#timer = setInterval(() => {
      this.#check();
    }, CHECK_EVERY_MS);
    return this.#listeners.map((server) => (server.address() as AddressInfo).port);
  }

  /** Ends everything. */
  close(): void {
    clearInterval(this.#timer);
    for (const server of this.#listeners) server.close();
    for (const socket of this.#raw) socket.destroy();
    this.parts.link.close();
  }

  #createTls(context: Parameters<TlsServer['setSecureContext']>[0]): TlsServer {
    const server = createTlsServer({ ...context, handshakeTimeout: HANDSHAKE_WITHIN_MS });
    server.on('secureConnection', (socket) => {
      this.#open(socket);
    });
    server.on('tlsClientError', (_error, socket) => {
      this.parts.counters.end('handshake');
      socket.destroy();
    });
    return server;
  }

  #accept(socket: Socket): void {
    const { counters } = this.parts;
    // Whatever happens to a socket that is nobody's yet is nothing to the others.
    socket.on('error', () => undefined);
    counters.add('accepted');
    if (!this.#isWithinLimit(socket)) {
      counters.end('address-limit');
      socket.destroy();
    } else if (!this.#tls || !this.#makeRoom()) {
      counters.end('full');
      socket.destroy();
    } else {
      const peer = peerOf(socket);
      this.#raw.add(socket);
      this.#unproven.set(peer, socket);
      socket.once('close', () => {
        this.#raw.delete(socket);
        if (this.#unproven.get(peer) === socket) this.#unproven.delete(peer);
      });
      this.#tls.emit('connection', socket);
    }
  }

  /** Whether there is room for one more: the oldest without a proof gives way, so that idle strangers shut nobody out. */
  #makeRoom(): boolean {
    if (this.#raw.size < this.#limits.connections) return true;
    for (const [peer, oldest] of this.#unproven) {
      this.#unproven.delete(peer);
      this.#raw.delete(oldest);
      oldest.destroy();
      return true;
    }
    return false;
  }

  #isWithinLimit(socket: Socket): boolean {
    const ip = parseIpAddress(socket.remoteAddress?.replace(/%.*$/, '') ?? '');
    if (!ip) return false;
    setAddress(this.#source, ip, { port: 0, link: 0 });
    // The limiter counts per second: a clock that is 60 times slower makes it count per minute.
    const now = this.parts.now() / MINUTE_S;
    return this.#limiter.take(this.#source, 0, this.#limits.perAddressPerMinute, now);
  }

  #open(socket: TLSSocket): void {
    const { link, counters, connections, now } = this.parts;
    const body = openBody(socket);
    if (!body) {
      counters.end('error');
      socket.destroy();
      return;
    }
    const id = Atomics.add(connections, 0, 1) + 1;
    const connection = new FallbackConnection(id, socket, counters, now());
    const peer = peerOf(socket);
    this.#connections.set(id, connection);
    link.add(FALLBACK_KIND.open, id, body);
    connection.listen({
      frame: (number, frame) => {
        link.add(FALLBACK_KIND.frame, number, frame);
      },
      chunk: (from) => {
        this.#hand(from);
      },
      ended: (ended) => {
        this.#forget(ended);
      },
      proven: () => {
        this.#unproven.delete(peer);
      },
    });
  }

  /** Gives the worker what a chunk held; stops reading while the worker is behind. */
  #hand(from: FallbackConnection): void {
    const { link, counters } = this.parts;
    link.flush();
    if (!link.isFull || this.#paused.has(from)) return;
    counters.add('pauses');
    from.pause(true);
    if (this.#paused.size === 0) this.#resumeSoon();
    this.#paused.add(from);
  }

  #resumeSoon(): void {
    setTimeout(() => {
      if (this.parts.link.isFull) {
        this.#resumeSoon();
        return;
      }
      for (const connection of this.#paused) connection.pause(false);
      this.#paused.clear();
    }, RESUME_AFTER_MS).unref();
  }

  #forget(connection: FallbackConnection): void {
    const { link } = this.parts;
    this.#connections.delete(connection.id);
    this.#paused.delete(connection);
    this.#touched.delete(connection);
    link.add(FALLBACK_KIND.close, connection.id, new Uint8Array(0));
    link.flush();
  }

  #take({ kind, connection: id, body }: FallbackRecord): void {
    const connection = this.#connections.get(id);
    if (!connection) return;
    if (kind === FALLBACK_KIND.close) {
      connection.end('closed');
      return;
    }
    connection.send(body);
    this.#touched.add(connection);
  }

  #check(): void {
    const now = this.parts.now();
    for (const connection of this.#connections.values()) connection.check(now);
  }
}

const peerOf = ({ remoteAddress, remotePort, localAddress }: Socket): string =>
  [remoteAddress, remotePort, localAddress].join(' ');

/** Address and port of the peer as OPEN writes them; undefined if it is gone already. */
function openBody({ remoteAddress, remotePort }: Socket): Uint8Array | undefined {
  const ip = parseIpAddress(remoteAddress?.replace(/%.*$/, '') ?? '');
  if (!ip || remotePort === undefined) return undefined;
  const body = new Uint8Array(OPEN_BYTES);
  body.set(ip);
  new DataView(body.buffer).setUint16(16, remotePort);
  return body;
}

function bind(server: Server, address: string | undefined, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, ...(address !== undefined && { host: address }) }, () => {
      server.off('error', reject);
      // A failed accept (too many open files) is nothing to the connections that stand.
      server.on('error', () => undefined);
      resolve();
    });
  });
}
