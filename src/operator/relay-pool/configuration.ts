/*
 * The two files that a relay reads, written with the relay's own schemas (src/relay/settings.ts). Nothing secret is
 * in them: of a gateway's keys they hold the public halves.
 */
import type { KubernetesObject } from '../../kubernetes/object.js';
import {
  RELAY_PATHS,
  RELAY_PORTS,
  RELAY_SETTINGS_VERSION,
  type RelayGateway,
  type RelayGateways,
  type RelaySettings,
} from '../../relay/settings.js';
import { spiffeId } from '../keys/leaf.js';
import { configMap, jsonFile } from '../pods/objects.js';
import type { PermittedGateway, RelayPoolContext } from './context.js';
import { relayChild, relayPoolNames } from './context.js';

/** Names of the entries of the two ConfigMaps, and of the mounted files. */
export const FILES = { settings: 'settings.json', gateways: 'gateways.json' } as const;

/** Where relays reach a gateway (wire formats, B: ports). */
export const GATEWAY_INTERNAL_PORT = 9443;

/**
 * Denied whatever a pool says: "this network" and unspecified (RFC 1122), loopback, link-local with the metadata
 * address 169.254.169.254, multicast and reserved (RFC 5771, RFC 1112), IPv6 link-local and multicast, and the IPv6
 * metadata address of AWS. A relay refuses them of itself, by rules that a list cannot say (loopback is fine for one that
 * listens nowhere else), so they are in the network policy only. IPv4-mapped addresses are IPv4 by the time they are judged.
 */
export const REFUSED_BY_RELAYS: readonly string[] = [
  '0.0.0.0/8',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '::/128',
  '::1/128',
  'fd00:ec2::254/128',
  'fe80::/10',
  'ff00::/8',
];

/** NAT64 (RFC 6052): another way to write an IPv4 address. A relay itself refuses those of denied addresses only. */
const NAT64 = '64:ff9b::/96';

/** The CRD writes levels as Kubernetes enumerations, loggers in lower case. */
const LOG_LEVELS = { Error: 'error', Warn: 'warn', Info: 'info', Debug: 'debug' } as const;

/** The content of settings.json, the same for each relay of the pool. */
export function relaySettings(context: RelayPoolContext): RelaySettings {
  const { pool, values, installation } = context;
  const { spec, metadata } = pool;
  const { namespace = '', name } = metadata;
  const addresses = [...(spec.listener.bindAddresses ?? [])];
  return {
    version: RELAY_SETTINGS_VERSION,
    pool: {
      namespace,
      name,
      region: spec.region,
      identity: spiffeId(installation.installId, namespace, pool.kind, name),
    },
    listeners: {
      relay: { port: spec.port, addresses },
      fallback: { enabled: spec.fallback.enabled, port: spec.fallback.port, addresses },
      health: { port: RELAY_PORTS.metrics, addresses: [] },
    },
    tls: {
      certificateFile: `${RELAY_PATHS.tls}/tls.crt`,
      keyFile: `${RELAY_PATHS.tls}/tls.key`,
    },
    gateways: { directoryFile: `${RELAY_PATHS.gateways}/${FILES.gateways}` },
    stun: { allowPlain: spec.stun.allowPlain },
    capacity: { ...spec.capacity },
    rateLimits: { ...values.rateLimits },
    drain: { seconds: spec.drain.seconds },
    peerAddresses: {
      denied: [...chosenRanges(context)],
      own: [...context.ownAddresses],
    },
    logLevel: LOG_LEVELS[values.observability.logLevel],
  };
}

/**
 * Ranges to which the relays of this pool never send (architecture, 9), sorted, for the network policy: either it or the
 * relays suffice alone.
 */
export function deniedRanges(context: RelayPoolContext): readonly string[] {
  return sorted([...REFUSED_BY_RELAYS, ...chosenRanges(context)]);
}

/**
 * What relays cannot know of themselves. Behind a load balancer clients come from outside: then no pod and no node is a
 * peer. Private ranges are allowed unless the pool denies them.
 */
function chosenRanges({ pool, installation }: RelayPoolContext): readonly string[] {
  const { serviceCidrs, podCidrs, apiServerCidrs } = installation;
  return sorted([
    NAT64,
    ...serviceCidrs,
    ...apiServerCidrs,
    ...(pool.spec.exposure.type === 'LoadBalancer' ? podCidrs : []),
    ...(pool.spec.peerAddresses.denied ?? []),
  ]);
}

const sorted = (ranges: readonly string[]): readonly string[] => [...new Set(ranges)].sort();

/** The content of gateways.json. A gateway whose keys or CA are not known yet comes with the next pass. */
export function relayGateways(
  gateways: readonly PermittedGateway[],
  installId: string,
): RelayGateways {
  return {
    version: RELAY_SETTINGS_VERSION,
    gateways: gateways.filter(isComplete).map((permitted) => gatewayEntry(permitted, installId)),
  };
}

/** Whether relays can recognise this gateway and check its leases. */
export function isComplete({ leaseKeys, caCertificates }: PermittedGateway): boolean {
  return leaseKeys.length > 0 && caCertificates.length > 0;
}

/** ConfigMap with settings.json. */
export function settingsConfigMap(context: RelayPoolContext): KubernetesObject {
  const { pool } = context;
  return configMap(relayChild(pool, relayPoolNames(pool).settings), {
    [FILES.settings]: jsonFile(relaySettings(context)),
  });
}

/** ConfigMap with gateways.json: for a gateway of another namespace this is the copy that both sides permit. */
export function gatewaysConfigMap({
  pool,
  gateways,
  installation,
}: Pick<RelayPoolContext, 'pool' | 'gateways' | 'installation'>): KubernetesObject {
  return configMap(relayChild(pool, relayPoolNames(pool).gateways), {
    [FILES.gateways]: jsonFile(relayGateways(gateways, installation.installId)),
  });
}

function gatewayEntry(
  { gateway, leaseKeys, caCertificates }: PermittedGateway,
  installId: string,
): RelayGateway {
  const { namespace = '', name } = gateway.metadata;
  return {
    namespace,
    name,
    identity: spiffeId(installId, namespace, gateway.kind, name),
    host: `${name}-gateway-internal.${namespace}.svc`,
    port: GATEWAY_INTERNAL_PORT,
    leaseKeys: leaseKeys.map(({ kid, public: publicKey, notBefore, notAfter }) => ({
      kid,
      publicKey,
      notBefore,
      notAfter,
    })),
    caCertificates: [...caCertificates],
  };
}
