/*
 * Whether the certificates that a server shows are those of the gateway that was dialled (RFC 7469, section 2.6; RFC 5280,
 * section 6.1). A pin names the key of the leaf, or of an authority from which the leaf verifies: authorities are looked
 * for among the served certificates, each checked by name and signature, so that one that is only shown beside the
 * path never counts. The roots of the machine mean nothing. What the authorities on that path limit has to hold, that of
 * the pinned one included.
 */
import { createHash, type X509Certificate } from 'node:crypto';
import { judgeLimits, type LimitRefusal } from './authority-limits.js';

/** Leaf, two authorities between, and a root: longer paths cost work and exist nowhere. */
const MAX_PATH = 4;
/** id-kp-serverAuth (RFC 5280, section 4.2.1.12). */
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';

/** Why a server is not the gateway. A closed list: each is a metric label. */
export type ChainRefusal =
  | 'no-certificate'
  | 'leaf-not-pinned'
  | 'leaf-other-name'
  | 'leaf-wrong-usage'
  | 'leaf-not-yet-valid'
  | 'leaf-expired'
  | 'authority-expired'
  | LimitRefusal;

/** What a gateway must show. */
export interface ExpectedChain {
  /** DNS name or IP address that was dialled. */
  readonly host: string;
  readonly pins: readonly string[];
}

/** `sha256/<base64>` of the SubjectPublicKeyInfo. */
export const pinOfCertificate = ({ publicKey }: X509Certificate): string =>
  `sha256/${createHash('sha256')
    .update(publicKey.export({ format: 'der', type: 'spki' }))
    .digest('base64')}`;

/** Judges the served certificates, the leaf first. Name and dates of the leaf are checked whatever pin holds. */
export function judgeServedChain(
  served: readonly X509Certificate[],
  { host, pins }: ExpectedChain,
  nowMs: number,
): 'ok' | ChainRefusal {
  const leaf = served[0];
  if (leaf === undefined) return 'no-certificate';
  const path = pathToPin(served, pins);
  if (path === undefined) return 'leaf-not-pinned';
  if (!isNamed(leaf, host)) return 'leaf-other-name';
  if (!mayServe(leaf)) return 'leaf-wrong-usage';
  const date = dateRefusal(leaf, nowMs);
  if (date !== undefined) return date;
  if (path.some((authority) => dateRefusal(authority, nowMs) !== undefined))
    return 'authority-expired';
  return judgeLimits(leaf, path) ?? 'ok';
}

/** The authorities from the leaf's issuer up to the pinned one; empty if the leaf itself is pinned. */
function pathToPin(
  served: readonly X509Certificate[],
  pins: readonly string[],
): readonly X509Certificate[] | undefined {
  const [leaf, ...others] = served.slice(0, MAX_PATH);
  const path: X509Certificate[] = [];
  for (let at = leaf; at !== undefined && path.length < MAX_PATH;) {
    if (pins.includes(pinOfCertificate(at))) return path;
    const issued: X509Certificate = at;
    const issuer = others.find((other) => !path.includes(other) && hasIssued(other, issued));
    if (issuer !== undefined) path.push(issuer);
    at = issuer;
  }
  return undefined;
}

const hasIssued = (authority: X509Certificate, issued: X509Certificate): boolean =>
  authority.ca && issued.checkIssued(authority) && issued.verify(authority.publicKey);

const isNamed = (leaf: X509Certificate, host: string): boolean =>
  (host.includes(':') || /^[0-9.]+$/.test(host)
    ? leaf.checkIP(host)
    : leaf.checkHost(host, { subject: 'never' })) !== undefined;

/** Without the extension every usage is allowed; node:crypto calls the extended ones keyUsage. */
function mayServe({ keyUsage }: X509Certificate): boolean {
  const usages = keyUsage as readonly string[] | undefined;
  return usages === undefined || usages.includes(SERVER_AUTH);
}

function dateRefusal(
  { validFrom, validTo }: X509Certificate,
  nowMs: number,
): 'leaf-not-yet-valid' | 'leaf-expired' | undefined {
  // A date that cannot be read is NaN, which is neither before nor after anything.
  if (!(nowMs >= Date.parse(validFrom))) return 'leaf-not-yet-valid';
  return nowMs < Date.parse(validTo) ? undefined : 'leaf-expired';
}
