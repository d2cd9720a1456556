/*
 * gateways.json as the relay uses it. One entry that is wrong makes the whole file wrong: which gateway was meant is
 * then a guess, and guessing about keys is how a wrong key is trusted.
 */
import { createHash, createPublicKey, X509Certificate } from 'node:crypto';
import { fromBase64urlText } from '../../protocol/lease/base64url.js';
import { leaseKeyId, type Sha256 } from '../../protocol/lease/ids.js';
import { ActionableError, messageOf } from '../../runtime/errors.js';
import { readSettings } from '../../runtime/settings.js';
import { parseIpAddress } from '../../runtime/ip-address.js';
import type { RelayLeaseKey } from '../packet/packet-messages.js';
import { RELAY_GATEWAYS, type RelayGateway } from '../settings.js';

/** The gateways that a relay takes leases of. */
export interface Directory {
  readonly gateways: readonly RelayGateway[];
  readonly leaseKeys: readonly RelayLeaseKey[];
}

/** `NAMESPACE/NAME` of a gateway. */
export const gatewayName = ({
  namespace,
  name,
}: Pick<RelayGateway, 'namespace' | 'name'>): string => `${namespace}/${name}`;

/**
 * The directory in `text`, the content of the file `source`.
 * @throws ActionableError ERR_SETTING or ERR_SETTINGS_FILE that names gateway and key
 */
export function readDirectory(text: string, source: string): Directory {
  const { gateways } = readSettings(RELAY_GATEWAYS, parse(text, source), source);
  const leaseKeys = gateways.flatMap((gateway) => leaseKeysOf(gateway, source));
  refuseDoubles('gateway', gateways.map(gatewayName), source);
  refuseDoubles(
    'lease key',
    leaseKeys.map(({ kid }) => kid),
    source,
  );
  for (const gateway of gateways) {
    checkHost(gateway, source);
    checkAuthorities(gateway, source);
  }
  return { gateways, leaseKeys };
}

/** Why no lease can be accepted at `nowMs` (Unix); undefined if one can. */
export function keyProblem({ gateways, leaseKeys }: Directory, nowMs: number): string | undefined {
  if (gateways.length === 0) return 'gateways.json names no gateway: no lease can be accepted';
  if (leaseKeys.length === 0) return 'gateways.json holds no lease key: no lease can be accepted';
  const valid = leaseKeys.some((key) => key.notBeforeMs <= nowMs && nowMs < key.notAfterMs);
  return valid ? undefined : 'no lease key in gateways.json is valid now';
}

function parse(text: string, source: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ActionableError(
      'ERR_SETTINGS_FILE',
      `${source} is not JSON: ${messageOf(cause)}.`,
      'The operator writes this file; remove what changed it.',
      { cause },
    );
  }
}

function leaseKeysOf(gateway: RelayGateway, source: string): RelayLeaseKey[] {
  return gateway.leaseKeys.map(({ kid, publicKey: text, notBefore, notAfter }) => {
    const publicKey = fromBase64urlText(text);
    const where = `${source}: lease key ${kid} of gateway ${gatewayName(gateway)}`;
    if (publicKey?.length !== 32 || !isEd25519(text))
      throw wrong(where, 'is no Ed25519 public key');
    if (leaseKeyId(publicKey, sha256) !== kid)
      throw wrong(where, 'does not have the id of its key');
    const notBeforeMs = Date.parse(notBefore);
    const notAfterMs = Date.parse(notAfter);
    if (!(notBeforeMs < notAfterMs)) throw wrong(where, 'ends before it begins');
    return { kid, publicKey, notBeforeMs, notAfterMs, gateway: gatewayName(gateway) };
  });
}

function isEd25519(x: string): boolean {
  try {
    createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
    return true;
  } catch {
    return false;
  }
}

const sha256: Sha256 = (bytes) => createHash('sha256').update(bytes).digest();

/** A DNS name or an IP address: what it is dialled by is made of it, and nothing else may get in there. */
const DNS_NAME = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?([.][a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i;

function checkHost(gateway: RelayGateway, source: string): void {
  const { host, address } = gateway;
  if (address !== undefined && parseIpAddress(address) === undefined)
    throw wrong(`${source}: the address of gateway ${gatewayName(gateway)}`, 'is no IP address');
  if (DNS_NAME.test(host) || parseIpAddress(host)) return;
  throw wrong(
    `${source}: the host of gateway ${gatewayName(gateway)}`,
    'is no DNS name or address',
  );
}

function checkAuthorities(gateway: RelayGateway, source: string): void {
  const where = `${source}: a CA certificate of gateway ${gatewayName(gateway)}`;
  for (const pem of gateway.caCertificates) {
    let isAuthority: boolean;
    try {
      isAuthority = new X509Certificate(pem).ca;
    } catch {
      throw wrong(where, 'is no certificate');
    }
    if (!isAuthority) throw wrong(where, 'is no certificate of an authority');
  }
}

function refuseDoubles(what: string, names: readonly string[], source: string): void {
  const double = names.find((name, at) => names.indexOf(name) !== at);
  if (double !== undefined) throw wrong(`${source}: ${what} ${double}`, 'is there twice');
}

const wrong = (where: string, problem: string): ActionableError =>
  new ActionableError(
    'ERR_SETTING',
    `${where} ${problem}.`,
    'The operator writes this file from the keys of the SignalingGateway; remove what changed it.',
  );
