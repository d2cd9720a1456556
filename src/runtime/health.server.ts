import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ServiceUnavailableException } from '@nestjs/common';
import { type HealthCheckService, HealthIndicatorService } from '@nestjs/terminus';
import { ActionableError, messageOf } from './errors.js';
import type { HealthCheck } from './health.js';

/** A scrape or a probe is one short request; who sends slower than this is not one. */
const REQUEST_TIMEOUT_MS = 5_000;
/** Two probes, two Prometheus replicas and some curiosity. More waits in vain and must not cost memory. */
const MAX_CONNECTIONS = 64;
const MAX_HEADER_BYTES = 8_192;

/** What the port shows. */
export interface HealthPages {
  /** Is the process itself alive? When this fails the pod is restarted. */
  readonly live: readonly HealthCheck[];
  /** Can it do its work? */
  readonly ready: readonly HealthCheck[];
  readonly metrics: { text(): Promise<string>; readonly contentType: string };
}

export interface HealthServer {
  /** The port that was bound (useful when 0 was asked for). */
  readonly port: number;
  /** Stops listening and ends open connections. */
  close(): Promise<void>;
}

interface Answer {
  readonly code: number;
  readonly type: string;
  readonly body: string;
}

/**
 * Serves `/livez`, `/readyz` and `/metrics` over plain HTTP; everything else is 404. The network policy, not
 * this port, says who may ask; it shows nothing that an outsider may not know.
 * @throws ActionableError ERR_LISTEN when the port cannot be bound.
 */
export async function startHealthServer(
  pages: HealthPages,
  health: HealthCheckService,
  listen: { readonly address: string; readonly port: number },
): Promise<HealthServer> {
  const server = createServer({
    requestTimeout: REQUEST_TIMEOUT_MS,
    maxHeaderSize: MAX_HEADER_BYTES,
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.on('request', (request, response) => {
    answerTo(request, pages, health)
      .catch((error: unknown) => text(500, messageOf(error)))
      .then((answer) => {
        send(request, response, answer);
      })
      .catch(() => response.destroy());
  });
  await bind(server, listen);
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

async function answerTo(
  request: IncomingMessage,
  pages: HealthPages,
  health: HealthCheckService,
): Promise<Answer> {
  if (request.method !== 'GET' && request.method !== 'HEAD') return text(405, 'Only GET.');
  switch (request.url?.split('?')[0]) {
    case '/livez':
      return checked(pages.live, health);
    case '/readyz':
      return checked(pages.ready, health);
    case '/metrics':
      return { code: 200, type: pages.metrics.contentType, body: await pages.metrics.text() };
    default:
      return text(404, 'Known here: /livez, /readyz, /metrics.');
  }
}

async function checked(
  checks: readonly HealthCheck[],
  health: HealthCheckService,
): Promise<Answer> {
  const indicators = new HealthIndicatorService();
  try {
    const result = await health.check(
      checks.map((check) => () => {
        const { name, state, facts } = check();
        const indicator = indicators.check(name);
        if (state === 'up') return indicator.up(facts);
        return state === 'degraded' ? indicator.degraded(facts) : indicator.down(facts);
      }),
    );
    return json(200, result);
  } catch (error) {
    if (error instanceof ServiceUnavailableException) return json(503, error.getResponse());
    throw error;
  }
}

const json = (code: number, body: unknown): Answer => ({
  code,
  type: 'application/json; charset=utf-8',
  body: `${JSON.stringify(body)}\n`,
});

const text = (code: number, body: string): Answer => ({
  code,
  type: 'text/plain; charset=utf-8',
  body: `${body}\n`,
});

function send(
  request: IncomingMessage,
  response: ServerResponse,
  { code, type, body }: Answer,
): void {
  response.writeHead(code, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

function bind(server: Server, { address, port }: { address: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      reject(
        new ActionableError(
          'ERR_LISTEN',
          `Cannot listen on ${address} port ${port}: ${cause.message}.`,
          'Free that port or choose another in the settings (health.port, health.address).',
          { cause },
        ),
      );
    });
    // Without an address Node listens on all, of IPv6 and IPv4 where there is IPv6, else of IPv4.
    server.listen({ port, ...(address !== '::' && { host: address }) }, resolve);
  });
}
