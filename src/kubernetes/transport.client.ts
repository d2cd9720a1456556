import { Agent, type Dispatcher } from 'undici';
import { errorWithoutAnswer } from './api-error.js';
import type { ClientConfig } from './client-types.js';
import { Credentials, type CurrentCredentials } from './credentials.client.js';

/** A request before credentials. */
export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Path with query. */
  readonly path: string;
  readonly body?: string;
  readonly contentType?: string;
  readonly signal: AbortSignal;
}

/** An answer with its body still to be read. */
export interface HttpAnswer {
  readonly code: number;
  readonly retryAfter: string | undefined;
  readonly body: Dispatcher.ResponseData['body'];
  /** The token that was sent, to say which one a 401 refused. */
  readonly token: string | undefined;
}

/** What the transport takes besides the configuration. */
export interface TransportOptions {
  readonly connections: number;
  readonly checkFilesEveryMs: number;
  readonly userAgent: string;
}

/** kube-apiserver closes a connection that idled for 90 s; we close before, so that no call races with it. */
const KEEP_ALIVE_MS = 60_000;

/** A connection is not tried for longer than this; the call's own deadline is longer. */
const CONNECT_TIMEOUT_MS = 10_000;

interface Agents {
  readonly ca: string | undefined;
  readonly calls: Agent;
  /** Each watch holds a connection for minutes: they must not use up those of the calls. */
  readonly watches: Agent;
}

/**
 * HTTP/1.1 to one API server over pooled keep-alive connections. HTTP/2 is off on purpose: Node's leaked
 * memory on long watches. The agents are made anew when the CA changes; running requests end on the old ones.
 */
export class Transport {
  readonly #config: ClientConfig;
  readonly #options: TransportOptions;
  readonly #credentials: Credentials;
  #agents: Agents | undefined;

  constructor(config: ClientConfig, options: TransportOptions) {
    this.#config = config;
    this.#options = options;
    this.#credentials = new Credentials(config, options.checkFilesEveryMs);
  }

  /** Sends a call. @throws ApiError of kind `Network` when no answer came; aborts pass through. */
  async call(request: HttpRequest): Promise<HttpAnswer> {
    return this.#send('calls', request);
  }

  /** Opens a watch: no timeout on its body, which may be quiet for minutes. */
  async open(request: HttpRequest): Promise<HttpAnswer> {
    return this.#send('watches', request);
  }

  /** After a 401: whether another token may help; if so the next call takes it. */
  renewToken(refused: string | undefined): boolean {
    if (!this.#credentials.canReload) return false;
    this.#credentials.expire(refused);
    return true;
  }

  /** Ends every connection, running requests included. */
  async close(): Promise<void> {
    const agents = this.#agents;
    this.#agents = undefined;
    await Promise.all([agents?.calls.destroy(), agents?.watches.destroy()]);
  }

  async #send(use: 'calls' | 'watches', request: HttpRequest): Promise<HttpAnswer> {
    const credentials = await this.#currentCredentials();
    const agent = this.#agentsFor(credentials.ca)[use];
    try {
      const { statusCode, headers, body } = await agent.request({
        origin: this.#config.server,
        method: request.method,
        path: request.path,
        headers: this.#headers(request, credentials.token),
        signal: request.signal,
        ...(request.body === undefined ? {} : { body: request.body }),
      });
      const retryAfter = headers['retry-after'];
      return {
        code: statusCode,
        retryAfter: typeof retryAfter === 'string' ? retryAfter : undefined,
        body,
        token: credentials.token,
      };
    } catch (error) {
      if (request.signal.aborted) throw error;
      // A new CA may be what is missing: look at the files before the next call.
      this.#credentials.expire();
      throw errorWithoutAnswer('Network', `no answer from the API server: ${textOf(error)}`, error);
    }
  }

  async #currentCredentials(): Promise<CurrentCredentials> {
    try {
      return await this.#credentials.current();
    } catch (error) {
      throw errorWithoutAnswer('Network', `no credentials: ${textOf(error)}`, error);
    }
  }

  #headers(request: HttpRequest, token: string | undefined): Record<string, string> {
    return {
      accept: 'application/json',
      'user-agent': this.#options.userAgent,
      ...(token === undefined || token === '' ? {} : { authorization: `Bearer ${token}` }),
      ...(request.contentType === undefined ? {} : { 'content-type': request.contentType }),
    };
  }

  #agentsFor(ca: string | undefined): Agents {
    if (this.#agents && this.#agents.ca === ca) return this.#agents;
    const old = this.#agents;
    this.#agents = { ca, calls: this.#agent(ca, true), watches: this.#agent(ca, false) };
    // Graceful: resolves when the last request on them ends; a failure to close concerns nobody.
    void Promise.allSettled([old?.calls.close(), old?.watches.close()]);
    return this.#agents;
  }

  #agent(ca: string | undefined, bounded: boolean): Agent {
    const { clientCert, tlsServerName } = this.#config;
    return new Agent({
      allowH2: false,
      pipelining: 1,
      connections: bounded ? this.#options.connections : null,
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveMaxTimeout: KEEP_ALIVE_MS,
      // The caller's signal ends calls; undici's own body timeout would end quiet watches.
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: {
        timeout: CONNECT_TIMEOUT_MS,
        ...(ca === undefined ? {} : { ca }),
        ...(clientCert ? { cert: clientCert.cert, key: clientCert.key } : {}),
        ...(tlsServerName === undefined ? {} : { servername: tlsServerName }),
      },
    });
  }
}

/** The innermost message: undici wraps the system's reason (`ECONNREFUSED`) as a cause. */
function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
