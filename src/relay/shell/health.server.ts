/*
 * /livez, /readyz and /metrics over plain HTTP on a port of their own. The network policy says who may ask; what is shown
 * names no user, no session and no address.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ActionableError, messageOf } from '../../runtime/errors.js';
import type { ReadyAnswer } from './readiness.js';

/** A probe or a scrape is one short request. */
const REQUEST_TIMEOUT_MS = 5_000;
/** How often that is looked at. */
const CHECK_EVERY_MS = 1_000;
/** Two probes, two Prometheus replicas and some curiosity. */
const MAX_CONNECTIONS = 32;
const MAX_HEADER_BYTES = 8_192;

/** What the port shows. */
export interface RelayPages {
  ready(): ReadyAnswer;
  metrics(): Promise<string>;
  readonly contentType: string;
}

interface Answer {
  readonly code: number;
  readonly body: string;
  readonly type?: string;
}

/** The listening port; several addresses, one server each. */
export class RelayHealthServer {
  readonly #servers: Server[] = [];

  private constructor(private readonly pages: RelayPages) {}

  /** Binds. @throws ActionableError ERR_LISTEN */
  static async start(
    pages: RelayPages,
    { addresses, port }: { readonly addresses: readonly string[]; readonly port: number },
  ): Promise<RelayHealthServer> {
    const health = new RelayHealthServer(pages);
    for (const address of addresses.length > 0 ? addresses : [undefined])
      await health.#listen(address, port);
    return health;
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
        .catch((error: unknown): Answer => ({ code: 500, body: messageOf(error) }))
        .then((answer) => {
          send(request, response, answer);
        })
        .catch(() => response.destroy());
    });
    await bind(server, address, port);
    this.#servers.push(server);
  }

  async #answer({ method, url }: IncomingMessage): Promise<Answer> {
    if (method !== 'GET' && method !== 'HEAD') return { code: 405, body: 'Only GET.' };
    switch (url?.split('?')[0]) {
      // Whoever answers here has a loop that turns; the packet worker's death ends the process.
      case '/livez':
        return { code: 200, body: 'alive' };
      case '/readyz':
        return this.pages.ready();
      case '/metrics':
        return { code: 200, type: this.pages.contentType, body: await this.pages.metrics() };
      default:
        return { code: 404, body: 'Known here: /livez, /readyz, /metrics.' };
    }
  }
}

function send(
  { method }: IncomingMessage,
  response: ServerResponse,
  { code, body, type = 'text/plain; charset=utf-8' }: Answer,
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
          'Free that port or change listeners.health in the settings.',
          { cause },
        ),
      );
    });
    server.listen({ port, ...(address !== undefined && { host: address }) }, resolve);
  });
}
