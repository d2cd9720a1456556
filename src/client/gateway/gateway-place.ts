import { requirePins } from '../pin.js';
import { GatewayError } from './gateway-error.js';

const DEFAULT_PORT = 8443;
/** As the login names hosts (messages/signaling.ts). */
const HOST = /^[a-z0-9:]([a-z0-9.:-]{0,251}[a-z0-9:])?$/;

/** A gateway as the person at this endpoint names it. */
export interface GatewayEntry {
  /** `wss://HOST[:PORT]`; port 8443 if none is given. */
  readonly url: string;
  /** `sha256/<base64>`: of the key of its leaf, or of an authority that issued it. At least one; two while keys change. */
  readonly pins: readonly string[];
  /** A trusted ingress ends TLS in front of it: then, and only then, the login is not bound to the TLS connection. */
  readonly viaIngress?: boolean;
  /**
   * Further addresses of the same gateway, written as `url`: its replicas, tried in this order after it. They get the
   * token of its session, and one of them is as good as another.
   */
  readonly replicas?: readonly string[];
  /** IP address to dial when no name server knows the host; the certificate is judged by the host all the same. */
  readonly address?: string;
}

/** A gateway that may be dialled. */
export interface GatewayPlace {
  /** Lower case, without brackets. */
  readonly host: string;
  readonly port: number;
  readonly pins: readonly string[];
  readonly viaIngress: boolean;
  readonly address?: string;
  /** `HOST:PORT` of the first address of its gateway: sessions and learned pins are kept under it. */
  readonly gateway: string;
}

/** The gateways in the order in which they are tried. @throws GatewayError ERR_GATEWAY_ADDRESS, _INSECURE or _PIN. */
export function gatewayPlaces(entries: readonly GatewayEntry[]): readonly GatewayPlace[] {
  if (entries.length === 0)
    throw new GatewayError('ERR_GATEWAY_ADDRESS', 'There is no gateway in the list: add one.');
  return entries.flatMap(placesOf);
}

/** `HOST:PORT`. */
export const placeName = ({ host, port }: Pick<GatewayPlace, 'host' | 'port'>): string =>
  `${host.includes(':') ? `[${host}]` : host}:${port}`;

/** Pins given by hand and those that an update added: the first are never removed. */
export const withLearnedPins = (place: GatewayPlace, learned: readonly string[]): GatewayPlace => ({
  ...place,
  pins: [...new Set([...place.pins, ...learned])],
});

function placesOf(entry: GatewayEntry): readonly GatewayPlace[] {
  const gateway = placeName(dialled(entry.url));
  return [entry.url, ...(entry.replicas ?? [])].map((url) => placeOf(entry, url, gateway));
}

function placeOf(entry: GatewayEntry, url: string, gateway: string): GatewayPlace {
  const { pins, viaIngress = false, address } = entry;
  const { host, port } = dialled(url);
  try {
    requirePins(pins);
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    throw new GatewayError('ERR_GATEWAY_PIN', `The gateway ${host} needs pins: ${cause.message}.`);
  }
  const at = address !== undefined && url === entry.url ? { address } : {};
  return { host, port, pins: [...pins], viaIngress, gateway, ...at };
}

function dialled(url: string): Pick<GatewayPlace, 'host' | 'port'> {
  const parsed = URL.parse(url);
  if (parsed !== null && ['ws:', 'http:'].includes(parsed.protocol))
    throw new GatewayError(
      'ERR_GATEWAY_INSECURE',
      `${parsed.protocol}// is not encrypted: write wss://HOST[:PORT].`,
    );
  const host = parsed === null ? '' : hostOf(parsed);
  if (parsed === null || !isBare(parsed) || !HOST.test(host))
    throw new GatewayError('ERR_GATEWAY_ADDRESS', 'A gateway is written wss://HOST[:PORT].');
  return { host, port: parsed.port === '' ? portOf(url) : Number(parsed.port) };
}

const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[(.*)\]$/, '$1').toLowerCase();

/** URL drops a port that is the scheme's own: 443 was meant if it was written. */
const portOf = (url: string): number => (/:443\/?$/.test(url) ? 443 : DEFAULT_PORT);

/** Nothing but host and port: a name, a password or a query has no meaning here, and must not be sent. */
const isBare = ({ protocol, username, password, pathname, search, hash }: URL): boolean =>
  protocol === 'wss:' && /^\/?$/.test(pathname) && username + password + search + hash === '';
