/** What a fault proxy does to one request instead of passing it on unchanged. */
export type Fault =
  /** Resets the connection (TCP RST); the server never sees the request. */
  | { readonly kind: 'Reset' }
  /** Passes the request on after a while. */
  | { readonly kind: 'Delay'; readonly ms: number }
  /** Half-open: keeps the connection, forwards nothing, answers nothing, until the proxy stops. */
  | { readonly kind: 'Stall' }
  /** Answers with a Status object as the API server writes it; the server never sees the request. */
  | { readonly kind: 'Status'; readonly code: StatusCode; readonly retryAfterSeconds?: number }
  /** Lets the server act, waits for its whole answer, and then resets the connection. */
  | { readonly kind: 'DropAnswer' }
  /** Passes on half of the watch event after `afterEvents` whole ones, then ends the connection. */
  | { readonly kind: 'CutMidLine'; readonly afterEvents: number; readonly end?: 'Abrupt' | 'Clean' }
  /** Writes a watch line that is no JSON after `afterEvents` events and goes on. */
  | { readonly kind: 'BadLine'; readonly afterEvents: number }
  /** Writes an ERROR event with a 410 after `afterEvents` events and ends the watch. */
  | { readonly kind: 'ExpireInStream'; readonly afterEvents: number }
  /** Goes silent after `afterEvents` watch events and keeps the connection. */
  | { readonly kind: 'StallWatch'; readonly afterEvents: number };

/** The statuses that the proxy can answer. */
export type StatusCode = 401 | 403 | 404 | 409 | 410 | 422 | 429 | 500 | 503 | 504;

/** Which requests are meant. What is left out matches everything. */
export interface Match {
  /** One method or several: `PATCH`, or `['POST', 'PATCH', 'PUT', 'DELETE']`. */
  readonly method?: string | readonly string[];
  /** Part of the path with its query, or a pattern. */
  readonly path?: string | RegExp;
  /** Part of the User-Agent header. */
  readonly userAgent?: string;
  /** True: only watches; false: everything else. */
  readonly watch?: boolean;
}

/** A fault and the requests that it is for. */
export interface Rule {
  readonly match?: Match;
  /** The first of the matching requests to suffer, counted from 1, which is the default. */
  readonly nth?: number;
  /** How many of them suffer; 1 unless told, `Infinity` for all. */
  readonly times?: number;
  readonly fault: Fault;
}

/** One request that arrived at the proxy. */
export interface Call {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly userAgent: string;
  readonly watch: boolean;
  /** What the client was answered; undefined while it waits, and for ever when it got no answer. */
  status?: number;
  /** What the server answered; undefined when it was not asked or did not answer. */
  serverStatus?: number;
  /** The fault that was done to it. */
  fault?: Fault['kind'];
}

const REASONS: Readonly<Record<StatusCode, string>> = {
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  409: 'Conflict',
  410: 'Expired',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
};

/** True if `call` is one of those that `match` means. */
export function matches(call: Call, match: Match = {}): boolean {
  const methods = match.method === undefined ? [call.method] : [match.method].flat();
  return (
    methods.includes(call.method) &&
    pathMatches(call.path, match.path) &&
    call.userAgent.includes(match.userAgent ?? '') &&
    (match.watch === undefined || match.watch === call.watch)
  );
}

function pathMatches(path: string, wanted: string | RegExp = ''): boolean {
  return typeof wanted === 'string' ? path.includes(wanted) : wanted.test(path);
}

/** True if the request asks for a stream of events. */
export function isWatch(method: string, path: string): boolean {
  const value = new URLSearchParams(path.split('?')[1]).get('watch');
  return method === 'GET' && (value === 'true' || value === '1');
}

/** The Status object that the API server sends with `code` (meta/v1, Status). */
export function statusObject(code: StatusCode, retryAfterSeconds?: number): object {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: `injected by the test: ${REASONS[code]}`,
    reason: REASONS[code],
    ...(retryAfterSeconds === undefined ? {} : { details: { retryAfterSeconds } }),
    code,
  };
}
