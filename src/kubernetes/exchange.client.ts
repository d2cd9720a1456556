import { ApiError, errorOfStatus } from './api-error.js';
import type { CallOptions, CallRecord, ClientConfig, ClientOptions, Verb } from './client-types.js';
import { Deadline } from './deadline.client.js';
import { retryPauseMs } from './retry.js';
import { Transport, type HttpAnswer, type HttpRequest } from './transport.client.js';

/** One call as its caller means it. */
export interface ApiRequest extends Omit<HttpRequest, 'signal'> {
  readonly verb: Verb;
  /** Plural name with subresource, for metrics. */
  readonly resource: string;
}

const DEFAULT_DEADLINE_MS = 30_000;
const DEFAULT_CONNECTIONS = 24;
const DEFAULT_CHECK_FILES_MS = 10_000;

interface Attempt {
  readonly request: ApiRequest;
  readonly deadline: Deadline;
  /** 1 for the first. */
  readonly number: number;
  readonly renewed: boolean;
  readonly reconnected: boolean;
}

/** Sends calls: deadline, one new token after a 401, pauses after a 429, typed errors, one record per answer. */
export class Exchange {
  readonly #transport: Transport;
  readonly #options: ClientOptions;
  #calls = 0;

  constructor(config: ClientConfig, options: ClientOptions) {
    this.#options = options;
    this.#transport = new Transport(config, {
      connections: options.connections ?? DEFAULT_CONNECTIONS,
      checkFilesEveryMs: options.checkFilesEveryMs ?? DEFAULT_CHECK_FILES_MS,
      userAgent: options.userAgent ?? 'sallyport',
    });
  }

  /** The parsed answer. @throws ApiError, or what a test hook throws. */
  async json(request: ApiRequest, options: CallOptions): Promise<unknown> {
    const afterMs = options.deadlineMs ?? this.#options.deadlineMs ?? DEFAULT_DEADLINE_MS;
    return this.#hooked(request, async () => {
      const deadline = new Deadline(afterMs, options.signal);
      try {
        const first = { request, deadline, number: 1, renewed: false, reconnected: false };
        return await this.#attempt(first);
      } finally {
        deadline.end();
      }
    });
  }

  /** Opens a watch within `deadline`, which goes on to guard its body. */
  async open(request: ApiRequest, deadline: Deadline): Promise<HttpAnswer> {
    return this.#hooked(request, async () => {
      const answer = await this.#openOnce(request, deadline);
      if (answer.code !== 401 || !this.#transport.renewToken(answer.token)) {
        return await accepted(answer);
      }
      await answer.body.dump();
      return accepted(await this.#openOnce(request, deadline));
    });
  }

  /** Ends every connection. */
  async close(): Promise<void> {
    await this.#transport.close();
  }

  async #hooked<T>(request: ApiRequest, send: () => Promise<T>): Promise<T> {
    this.#calls += 1;
    const { verb, resource, path } = request;
    const call = { number: this.#calls, verb, resource, path };
    await this.#options.hooks?.beforeCall?.(call);
    const answer = await send();
    await this.#options.hooks?.afterCall?.(call);
    return answer;
  }

  async #attempt(attempt: Attempt): Promise<unknown> {
    try {
      return await this.#once(attempt);
    } catch (error) {
      const reported = attempt.deadline.errorOf(error, describe(attempt.request));
      if (!(reported instanceof ApiError)) throw reported;
      const next = await this.#nextAttempt(attempt, reported);
      if (!next) throw reported;
      return this.#attempt(next);
    }
  }

  async #nextAttempt(attempt: Attempt, error: ApiError): Promise<Attempt | undefined> {
    const number = attempt.number + 1;
    if (error.kind === 'Unauthorized') {
      const renew = !attempt.renewed && this.#transport.renewToken(tokens.get(error));
      return renew ? { ...attempt, number, renewed: true } : undefined;
    }
    if (error.kind === 'Network') {
      // A kept-alive connection may have died while idle. Only a read is sent again unasked.
      const again = attempt.request.method === 'GET' && !attempt.reconnected;
      return again ? { ...attempt, number, reconnected: true } : undefined;
    }
    const pauseMs = retryPauseMs(error, {
      attempt: attempt.number,
      remainingMs: attempt.deadline.remainingMs,
      random: Math.random(),
    });
    if (pauseMs === undefined) return undefined;
    await this.#pause(attempt, pauseMs);
    return { ...attempt, number };
  }

  async #pause({ deadline, request }: Attempt, ms: number): Promise<void> {
    try {
      await deadline.pause(ms);
    } catch (error) {
      throw deadline.errorOf(error, describe(request));
    }
  }

  async #once({ request, deadline }: Attempt): Promise<unknown> {
    const startMs = performance.now();
    let code = 0;
    try {
      const answer = await this.#transport.call({ ...request, signal: deadline.signal });
      const text = await answer.body.text();
      code = answer.code;
      return parseAnswer(answer, text);
    } finally {
      this.#record(request, code, startMs);
    }
  }

  async #openOnce(request: ApiRequest, deadline: Deadline): Promise<HttpAnswer> {
    const startMs = performance.now();
    let code = 0;
    try {
      const answer = await this.#transport.open({ ...request, signal: deadline.signal });
      code = answer.code;
      return answer;
    } catch (error) {
      throw deadline.errorOf(error, describe(request));
    } finally {
      this.#record(request, code, startMs);
    }
  }

  #record({ verb, resource }: ApiRequest, code: number, startMs: number): void {
    const record: CallRecord = {
      verb,
      resource,
      code,
      seconds: (performance.now() - startMs) / 1000,
    };
    this.#options.onCall?.(record);
  }
}

/** Which token a 401 refused: another call may have renewed it since. */
const tokens = new WeakMap<ApiError, string>();

function describe({ verb, resource }: ApiRequest): string {
  return resource === '' ? verb : `${verb} ${resource}`;
}

async function accepted(answer: HttpAnswer): Promise<HttpAnswer> {
  if (answer.code < 400) return answer;
  parseAnswer(answer, await answer.body.text());
  throw errorOfStatus(answer.code, undefined, answer.retryAfter);
}

function parseAnswer(answer: HttpAnswer, text: string): unknown {
  const body = parseJson(text);
  if (answer.code >= 400) {
    const error = errorOfStatus(answer.code, body, answer.retryAfter);
    if (answer.token !== undefined) tokens.set(error, answer.token);
    throw error;
  }
  if (body === undefined) throw errorOfStatus(502, { message: 'the answer is not JSON' });
  return body;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
