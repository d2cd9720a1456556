/*
 * A pin update (architecture, 9): which keys endpoints may be shown from now on. Canonical JSON (RFC 8785), signed with
 * the TLS key that they see now over "sallyport pin update v1", 0, the JSON after its length (u16).
 *
 *   {"hosts":[...],"notAfter":ms,"notBefore":ms,"pins":["sha256/..."],"serial":n,"v":1}
 */
import { createHash, X509Certificate } from 'node:crypto';
import { labelled } from '../../protocol/bytes.js';

const LABEL = 'sallyport pin update v1';
/** The longest that an update may hold. */
export const PIN_UPDATE_LIFETIME_MS = 90 * 86_400_000;
const MIN_PINS = 2;
const MAX_HOSTS = 16;
/** All of an update is at most 4,096 bytes (src/messages/notices.ts), pins and dates included. */
const MAX_HOST_CHARS = 3_000;
const PIN = /^sha256\/[A-Za-z0-9+/]{43}=$/;
const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** What an update says besides its dates. */
export interface PinChoice {
  readonly hosts: readonly string[];
  /** The key of the leaf first. */
  readonly pins: readonly string[];
}

/** What pins are chosen from. */
export interface PinSources {
  /** The served chain as PEM, leaf first; each certificate was issued by the next. */
  readonly chain: string;
  /** Pin of the key that follows, as the operator writes it; undefined where it does not make the certificate. */
  readonly nextPin: string | undefined;
  readonly hosts: readonly string[];
}

/**
 * What endpoints should hold: the key that they see and the one that follows; where nobody knows that one, the authority
 * that issued the leaf. Undefined when there is no second pin: with one, they would be locked out by the next key.
 * @throws what node:crypto throws of a certificate that is none
 */
export function choosePins({ chain, nextPin, hosts }: PinSources): PinChoice | undefined {
  const [leaf, issuer] = (chain.match(PEM) ?? []).map((pem) => new X509Certificate(pem));
  if (!leaf) return undefined;
  const following = nextPin ?? (issuer?.ca === true ? pinOf(issuer) : undefined);
  const pins = [...new Set([pinOf(leaf), ...(following === undefined ? [] : [following])])];
  const named = bounded(hosts);
  return pins.length < MIN_PINS || named.length === 0 ? undefined : { hosts: named, pins };
}

/** The pin in a file that the operator writes; undefined if it holds none. */
export function readPin(text: string): string | undefined {
  const pin = text.trim();
  return PIN.test(pin) ? pin : undefined;
}

/** The canonical text of an update that holds from `nowMs` on; that is its serial as well, so that a later one is higher. */
export const pinUpdateText = ({ hosts, pins }: PinChoice, nowMs: number): string =>
  // RFC 8785: names in order; the strings hold nothing but ASCII that JSON leaves as it is.
  JSON.stringify({
    hosts,
    notAfter: nowMs + PIN_UPDATE_LIFETIME_MS,
    notBefore: nowMs,
    pins,
    serial: nowMs,
    v: 1,
  });

/** The bytes that are signed. */
export const pinUpdateSigningInput = (text: string): Uint8Array =>
  labelled(LABEL, [{ variable: new TextEncoder().encode(text) }]);

const pinOf = ({ publicKey }: X509Certificate): string =>
  `sha256/${createHash('sha256')
    .update(publicKey.export({ format: 'der', type: 'spki' }))
    .digest('base64')}`;

/** As many hosts as one update has room for. */
function bounded(hosts: readonly string[]): readonly string[] {
  let chars = 0;
  return hosts.slice(0, MAX_HOSTS).flatMap((host) => {
    chars += host.length;
    return chars <= MAX_HOST_CHARS ? [host.toLowerCase()] : [];
  });
}
