/*
 * Whether a request becomes a WebSocket. There is one path and one method; everything else is refused with a status and
 * nothing that helps who tries. The request target is compared as it came, byte by byte: nothing is decoded, so there is
 * nothing that two parsers could read in two ways.
 */

/** A request as the parser gave it. */
export interface UpgradeRequest {
  readonly method: string;
  /** The request target, as it was sent. */
  readonly target: string;
  readonly httpVersion: string;
  /** Names and values by turns, as they were sent. */
  readonly rawHeaders: readonly string[];
}

/** What a listener accepts. */
export interface UpgradeRules {
  readonly path: string;
  readonly protocol: string;
  /** Names by which clients may call it, lower case; undefined: any. */
  readonly hosts?: readonly string[];
  /** Origins that may connect; a client that sends none is no browser. */
  readonly origins: readonly string[];
}

/** Why a request is refused: a closed list and a metric label. */
export const UPGRADE_REFUSALS = [
  'not-found',
  'method',
  'no-upgrade',
  'bad-request',
  'host',
  'origin',
  'protocol',
  'proxy',
  'address-limit',
  'global-limit',
  'full',
] as const;
/** One of UPGRADE_REFUSALS. */
export type UpgradeRefusal = (typeof UPGRADE_REFUSALS)[number];

/** Status of each refusal (RFC 9110, section 15). */
export const REFUSAL_STATUS: Readonly<Record<UpgradeRefusal, number>> = {
  'not-found': 404,
  method: 405,
  'no-upgrade': 426,
  'bad-request': 400,
  host: 400,
  origin: 403,
  protocol: 400,
  proxy: 400,
  'address-limit': 429,
  'global-limit': 429,
  full: 503,
};

/** More header lines than a browser behind two proxies sends. */
export const MAX_HEADERS = 48;

type Headers = ReadonlyMap<string, readonly string[]>;
type Check = (
  request: UpgradeRequest,
  headers: Headers,
  rules: UpgradeRules,
) => UpgradeRefusal | undefined;

/** Why `request` is refused; undefined if it may become a WebSocket. */
export function upgradeRefusal(
  request: UpgradeRequest,
  rules: UpgradeRules,
): UpgradeRefusal | undefined {
  const headers = headersOf(request.rawHeaders);
  for (const check of CHECKS) {
    const refusal = check(request, headers, rules);
    if (refusal) return refusal;
  }
  return undefined;
}

/** All values of a header, in the order of its lines. */
export const headerValues = (rawHeaders: readonly string[], name: string): readonly string[] =>
  headersOf(rawHeaders).get(name) ?? [];

/** In this order; the first that speaks wins. */
const CHECKS: readonly Check[] = [
  ({ target }, _, { path }) => (target === path ? undefined : 'not-found'),
  ({ method }) => (method === 'GET' ? undefined : 'method'),
  ({ httpVersion, rawHeaders }, headers) =>
    httpVersion === '1.1' && rawHeaders.length <= 2 * MAX_HEADERS && !hasBody(headers)
      ? undefined
      : 'bad-request',
  (_, headers, { hosts }) => (isOneOf(headers, hosts) ? undefined : 'host'),
  (_, headers, { origins }) => (isOriginAllowed(headers, origins) ? undefined : 'origin'),
  (_, headers) => (isUpgrade(headers) ? undefined : 'no-upgrade'),
  (_, headers) => (isKey(headers) ? undefined : 'bad-request'),
  (_, headers, { protocol }) =>
    one(headers, 'sec-websocket-protocol') === protocol ? undefined : 'protocol',
];

function headersOf(rawHeaders: readonly string[]): Headers {
  const headers = new Map<string, string[]>();
  for (let i = 0; i + 1 < rawHeaders.length && i < 4 * MAX_HEADERS; i += 2) {
    const name = (rawHeaders[i] ?? '').toLowerCase();
    const values = headers.get(name) ?? [];
    values.push(rawHeaders[i + 1] ?? '');
    headers.set(name, values);
  }
  return headers;
}

/** The value of a header that is there once; undefined if it is absent or there twice. */
function one(headers: Headers, name: string): string | undefined {
  const values = headers.get(name);
  return values?.length === 1 ? values[0] : undefined;
}

/** A body before the upgrade is what requests are smuggled in. */
const hasBody = (headers: Headers): boolean =>
  headers.has('content-length') || headers.has('transfer-encoding') || headers.has('expect');

function isOneOf(headers: Headers, hosts: readonly string[] | undefined): boolean {
  const host = one(headers, 'host');
  if (host === undefined) return false;
  if (!hosts) return true;
  const name = /^(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::[0-9]{1,5})?$/i.exec(host)?.[1];
  return name !== undefined && hosts.includes(name.toLowerCase().replace(/^\[|\]$/g, ''));
}

/** A browser always sends its origin and nothing can keep it from doing so; `null` is nobody's. */
function isOriginAllowed(headers: Headers, origins: readonly string[]): boolean {
  if (!headers.has('origin')) return true;
  const origin = one(headers, 'origin');
  return origin !== undefined && origin !== 'null' && origins.includes(origin);
}

function isUpgrade(headers: Headers): boolean {
  const connection = (headers.get('connection') ?? []).join(',').toLowerCase().split(',');
  return (
    connection.some((token) => token.trim() === 'upgrade') &&
    one(headers, 'upgrade')?.toLowerCase() === 'websocket' &&
    one(headers, 'sec-websocket-version') === '13'
  );
}

/** 16 bytes as base64 (RFC 6455, section 4.1). */
const isKey = (headers: Headers): boolean =>
  /^[A-Za-z0-9+/]{22}==$/.test(one(headers, 'sec-websocket-key') ?? '');
