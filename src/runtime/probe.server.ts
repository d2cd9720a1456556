/*
 * /livez, /readyz and /metrics over plain HTTP on a port of their own. The network policy says who may ask; what is shown
 * names no user, no session and no address.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ActionableError, messageOf } from './errors.js';

/** A probe or a scrape is one short request. */
const REQUEST_TIMEOUT_MS = 5_000;
/** How often that is looked at. */
const CHECK_EVERY_MS = 1_000;
/** Two probes, two Prometheus replicas and some curiosity. More waits in vain and must not cost memory. */
const MAX_CONNECTIONS = 32;
const MAX_HEADER_BYTES = 8_192;

/** Status, text and, unless it is plain text, type of an answer. */
export interface ProbeAnswer {
  readonly code: number;
  readonly body: string;
  readonly type?: string;
}

/** What the port shows. What throws is answered with 500 and its message. */
export interface ProbePages {
  /** Is the process itself alive? Absent: whoever answers has a loop that turns, and that is enough. */
  readonly live?: () => ProbeAnswer | Promise<ProbeAnswer>;
  /** Can it do its work? */
  ready(): ProbeAnswer | Promise<ProbeAnswer>;
  /** A registry of metrics is one. */
  readonly metrics: { text(): Promise<string>; readonly contentType: string };
}

/** Where a port listens: on each of `addresses`; on all of IPv6 and IPv4 if there is none. */
export interface ListenOn {
  readonly addresses: readonly string[];
  /** 0 takes a free one. */
  readonly port: number;
}

/** The listening port; several addresses, one server each. */
export class ProbeServer {
  readonly #servers: Server[] = [];

  private constructor(private readonly pages: ProbePages) {}

  /** Binds. @throws ActionableError ERR_LISTEN */
  static async start(pages: ProbePages, { addresses, port }: ListenOn): Promise<ProbeServer> {
    const probes = new ProbeServer(pages);
    try {
      for (const address of addresses.length > 0 ? addresses : [undefined])
        await probes.#listen(address, port);
    } catch (error) {
      await probes.close();
      throw error;
    }
    return probes;
  }

  /** The bound port, of the first address. */
  get port(): number {
    return (this.#servers[0]?.address() as AddressInfo).port;
  }

  /** Stops listening and ends open connections. */
  async close(): Promise<void> {
    await Promise.all(
      this.#servers.map(
        (server) =>
          new Promise<void>((resolve) => {
            server.close(() => {
              resolve();
            });
            server.closeAllConnections();
          }),
      ),
    );
  }

  async #listen(address: string | undefined, port: number): Promise<void> {
    const server = createServer({
      requestTimeout: REQUEST_TIMEOUT_MS,
      // Otherwise Node looks every 30 s only, and whoever writes slowly keeps probes out for so long.
      connectionsCheckingInterval: CHECK_EVERY_MS,
      maxHeaderSize: MAX_HEADER_BYTES,
    });
    server.maxConnections = MAX_CONNECTIONS;
    server.on('request', (request, response) => {
      this.#answer(request)
        .catch((error: unknown): ProbeAnswer => ({ code: 500, body: messageOf(error) }))
        .then((answer) => {
          send(request, response, answer);
        })
        .catch(() => response.destroy());
    });
    await bind(server, address, port);
    this.#servers.push(server);
  }

  async #answer({ method, url }: IncomingMessage): Promise<ProbeAnswer> {
    if (method !== 'GET' && method !== 'HEAD') return { code: 405, body: 'Only GET.' };
    const { live, metrics } = this.pages;
    switch (url?.split('?')[0]) {
      case '/livez':
        return live?.() ?? { code: 200, body: 'alive' };
      case '/readyz':
        return this.pages.ready();
      case '/metrics':
        return { code: 200, type: metrics.contentType, body: await metrics.text() };
      default:
        return { code: 404, body: 'Known here: /livez, /readyz, /metrics.' };
    }
  }
}

function send(
  { method }: IncomingMessage,
  response: ServerResponse,
  { code, body, type = 'text/plain; charset=utf-8' }: ProbeAnswer,
): void {
  const text = body.endsWith('\n') ? body : `${body}\n`;
  response.writeHead(code, {
    'content-type': type,
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(method === 'HEAD' ? undefined : text);
}

function bind(server: Server, address: string | undefined, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    // Later errors are failed accepts (too many open files): nothing to the connections that stand.
    server.on('error', (cause) => {
      reject(
        new ActionableError(
          'ERR_LISTEN',
          `Cannot listen on ${address ?? 'any address'}, TCP port ${port}: ${cause.message}.`,
          'Free that port or choose another in the settings (listeners.health; of the operator: health).',
          { cause },
        ),
      );
    });
    server.listen({ port, ...(address !== undefined && { host: address }) }, resolve);
  });
}
