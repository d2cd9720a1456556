/*
 * The files that the gateway reads, written with the gateway's own schema (src/gateway/settings.ts). Nothing
 * secret is in them: secrets are named by the path at which the pod mounts them.
 */
import { GATEWAY_PATHS, GATEWAY_PORTS, GATEWAY_SETTINGS_VERSION } from '../../gateway/settings.js';
import type { GatewaySettings, RelayDirectory } from '../../gateway/settings.js';
import type { RelayPool, RelayPoolStatus } from '../../kinds/relay-pool.gen.js';
import type { KubernetesObject } from '../../kubernetes/object.js';
import type { SignalingGateway, SignalingGatewayBus } from '../../kinds/signaling-gateway.gen.js';
import type { MergedRetention } from '../../policy/retention.js';
import { CA_BUNDLE_KEY } from '../keys/ca.js';
import { spiffeId } from '../keys/leaf.js';
import type { SecretNeed } from '../keys/named-secrets.js';
import { configMap, jsonFile } from '../pods/objects.js';
import { retentionMark } from '../pods/retention-mark.js';
import type { DirectoryContext, GatewayContext, PermittedPool } from './objects.js';
import { gatewayChild, gatewayNames, tlsSource } from './objects.js';

/** File names inside the mounted folders. */
export const FILES = {
  settings: 'settings.json',
  relays: 'relays.json',
  bundle: 'bundle.json',
  certificate: 'tls.crt',
  key: 'tls.key',
  nextPin: 'next.pin',
  keyIndex: 'keys.json',
  uri: 'uri',
  ca: 'ca.crt',
  credentials: 'user.creds',
} as const;

/** Folder of a Secret that the storage or the bus needs, below the mount of its kind. */
export const SECRET_FOLDERS = {
  columnKeys: `${GATEWAY_PATHS.storage}/column-keys`,
  runtime: `${GATEWAY_PATHS.storage}/runtime`,
  migration: `${GATEWAY_PATHS.storage}/migration`,
  databaseCa: `${GATEWAY_PATHS.storage}/ca`,
  busCredentials: `${GATEWAY_PATHS.bus}/credentials`,
  busCa: `${GATEWAY_PATHS.bus}/ca`,
} as const;

/** Secrets that the user names, in one order. */
export function secretNeeds(gateway: SignalingGateway): readonly SecretNeed[] {
  const { spec } = gateway;
  const { postgresql } = spec.storage;
  const { nats } = spec.bus;
  const pair = [FILES.certificate, FILES.key];
  return [
    ...needOf('listener.tls.secretRef', spec.listener.tls?.secretRef, pair),
    ...needOf('ingress.tlsSecretRef', spec.ingress?.tlsSecretRef, pair),
    ...needOf('storage.postgresql.runtimeSecretRef', postgresql?.runtimeSecretRef, [FILES.uri]),
    ...needOf('storage.postgresql.migrationSecretRef', postgresql?.migrationSecretRef, [FILES.uri]),
    ...needOf('storage.postgresql.caSecretRef', postgresql?.caSecretRef, [FILES.ca]),
    ...needOf('bus.nats.credentialsSecretRef', nats?.credentialsSecretRef, [FILES.credentials]),
    ...needOf('bus.nats.caSecretRef', nats?.caSecretRef, [FILES.ca]),
    ...(spec.image?.pullSecrets ?? []).flatMap((name) =>
      needOf('image.pullSecrets', { name }, ['.dockerconfigjson']),
    ),
  ];
}

/** Names of the Secrets to read: those that the user names, and the one that cert-manager writes. */
export function secretsToRead(gateway: SignalingGateway): readonly string[] {
  const issued = tlsSource(gateway).type === 'CertManager' ? [gatewayNames(gateway).publicTls] : [];
  return [...new Set([...secretNeeds(gateway).map(({ name }) => name), ...issued])].sort();
}

function needOf(
  field: string,
  secret: { readonly name: string } | undefined,
  keys: readonly string[],
): readonly SecretNeed[] {
  return secret === undefined ? [] : [{ name: secret.name, keys, field }];
}

/** The content of settings.json. */
export function gatewaySettings(context: GatewayContext): GatewaySettings {
  const { gateway, values, installation } = context;
  const { spec, metadata } = gateway;
  const { namespace = '', name, uid = '' } = metadata;
  return {
    version: GATEWAY_SETTINGS_VERSION,
    installId: installation.installId,
    gateway: {
      namespace,
      name,
      uid,
      identity: spiffeId(installation.installId, namespace, gateway.kind, name),
    },
    ...fileSettings(),
    listeners: {
      public: { port: spec.listener.port, addresses: [...(spec.listener.bindAddresses ?? [])] },
      internal: { port: GATEWAY_PORTS.internal, addresses: [] },
      health: { port: GATEWAY_PORTS.metrics, addresses: [] },
    },
    policy: {
      bundleFile: `${GATEWAY_PATHS.policy}/${FILES.bundle}`,
      publicKeys: [...installation.policyKeys],
    },
    hosts: [...spec.hosts],
    allowedOrigins: [...(spec.allowedOrigins ?? [])],
    trustedProxies: proxySettings(context),
    rateLimits: values.rateLimits,
    authentication: {
      ...values.authentication,
      administrators: [...values.authentication.administrators],
      secondFactors: {
        allowed: [...values.authentication.secondFactors.allowed],
        requiredFor: values.authentication.secondFactors.requiredFor,
      },
    },
    leases: values.leases,
    audit: values.audit,
    storage: storageSettings(context),
    bus: busSettings(spec.bus),
    retention: retentionSettings(context.retention),
    cryptoProfile: spec.cryptoProfile,
    logLevel: LOG_LEVELS[values.observability.logLevel],
  };
}

/** ConfigMap with settings.json. */
export function settingsConfigMap(context: GatewayContext): KubernetesObject {
  const { gateway, retention } = context;
  const metadata = gatewayChild(gateway, gatewayNames(gateway).settings);
  return configMap(
    { ...metadata, annotations: retentionMark(retention) },
    { [FILES.settings]: jsonFile(gatewaySettings(context)) },
  );
}

/**
 * ConfigMap with `text`, a settings.json as it stands, in which only the retention is `retention`. Undefined when it is
 * not of the version that is written here: then nobody knows what its retention would have to say.
 */
export function withRetention(
  gateway: SignalingGateway,
  text: string,
  retention: MergedRetention,
): KubernetesObject | undefined {
  const settings = parsed(text);
  if (settings?.['version'] !== GATEWAY_SETTINGS_VERSION) return undefined;
  const metadata = gatewayChild(gateway, gatewayNames(gateway).settings);
  return configMap(
    { ...metadata, annotations: retentionMark(retention) },
    { [FILES.settings]: jsonFile({ ...settings, retention: retentionSettings(retention) }) },
  );
}

function parsed(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
}

/** ConfigMap with the directory of permitted relays and the CA certificates of their namespaces. */
export function relaysConfigMap({
  gateway,
  pools,
  installation,
}: DirectoryContext): KubernetesObject {
  const trust = pools.flatMap(({ pool, caCertificates }) =>
    caCertificates === undefined
      ? []
      : [[trustFileName(pool.metadata.namespace ?? ''), caCertificates] as const],
  );
  return configMap(gatewayChild(gateway, gatewayNames(gateway).relays), {
    ...Object.fromEntries(trust),
    [FILES.relays]: jsonFile(relayDirectory(pools, installation.installId)),
  });
}

/** The directory that the gateway reads: every relay that has an address. */
export function relayDirectory(pools: readonly PermittedPool[], installId: string): RelayDirectory {
  return {
    version: 1,
    pools: pools.map(({ pool }) => ({
      namespace: pool.metadata.namespace ?? '',
      name: pool.metadata.name,
      region: pool.spec.region,
      identity: spiffeId(installId, pool.metadata.namespace ?? '', 'RelayPool', pool.metadata.name),
    })),
    relays: pools.flatMap(({ pool }) => relaysOf(pool)),
  };
}

/** File name of the CA certificates of one pool namespace, beside the directory. */
function trustFileName(namespace: string): string {
  return `${namespace}.crt`;
}

type Endpoint = NonNullable<RelayPoolStatus['endpoints']>[number];

function relaysOf(pool: RelayPool): RelayDirectory['relays'] {
  const endpoints = (pool.status?.endpoints ?? []).filter(isAssigned);
  const pins = pinsOf(pool);
  return endpoints
    .filter(({ protocol }) => protocol === 'UDP')
    .map((endpoint) => {
      const fallback = endpoints.find(
        ({ replica, protocol }) => protocol === 'TCP' && replica === endpoint.replica,
      );
      return {
        id: `${pool.metadata.namespace ?? ''}/${pool.metadata.name}/${endpoint.replica}`,
        region: pool.spec.region,
        address: endpoint.address,
        port: endpoint.port,
        ...(fallback === undefined ? {} : { fallback: { port: fallback.port, pins } }),
      };
    });
}

/** An address without a replica would not lead to the relay that a lease names. */
function isAssigned(
  endpoint: Endpoint,
): endpoint is Endpoint & { readonly replica: number; readonly address: string } {
  return endpoint.replica !== undefined && endpoint.address !== '' && endpoint.state !== 'Pending';
}

function pinsOf(pool: RelayPool): string[] {
  const leaf = (pool.status?.certificates ?? []).find(({ purpose }) => purpose === 'Relay');
  return [...(leaf?.pins ?? [])];
}

/** The CRD writes levels as Kubernetes enumerations, loggers in lower case. */
const LOG_LEVELS = { Error: 'error', Warn: 'warn', Info: 'info', Debug: 'debug' } as const;

/** Paths are the same for every gateway. */
function fileSettings() {
  const pair = (folder: string) => ({
    certificateFile: `${folder}/${FILES.certificate}`,
    keyFile: `${folder}/${FILES.key}`,
  });
  return {
    tls: { public: pair(GATEWAY_PATHS.publicTls), internal: pair(GATEWAY_PATHS.internalTls) },
    trustFile: `${GATEWAY_PATHS.trust}/${CA_BUNDLE_KEY}`,
    keys: {
      directory: GATEWAY_PATHS.leaseKeys,
      indexFile: `${GATEWAY_PATHS.leaseKeys}/${FILES.keyIndex}`,
    },
    relays: {
      directoryFile: `${GATEWAY_PATHS.relays}/${FILES.relays}`,
      trustDirectory: GATEWAY_PATHS.relays,
    },
  };
}

function proxySettings({ gateway: { spec } }: GatewayContext): GatewaySettings['trustedProxies'] {
  const { cidrs = [], hops = 0 } = spec.trustedProxies ?? {};
  return { cidrs: [...cidrs], hops, required: spec.ingress !== undefined };
}

function storageSettings({ gateway: { spec } }: GatewayContext): GatewaySettings['storage'] {
  if (spec.storage.type === 'Embedded') return { type: 'Embedded', directory: GATEWAY_PATHS.data };
  return {
    type: 'PostgreSQL',
    uriFile: `${SECRET_FOLDERS.runtime}/${FILES.uri}`,
    ...(spec.storage.postgresql?.caSecretRef === undefined
      ? {}
      : { caFile: `${SECRET_FOLDERS.databaseCa}/${FILES.ca}` }),
  };
}

function busSettings({ nats }: SignalingGatewayBus): GatewaySettings['bus'] {
  if (nats === undefined) return { type: 'InProcess' };
  return {
    type: 'NATS',
    servers: [...nats.servers],
    ...(nats.credentialsSecretRef === undefined
      ? {}
      : { credentialsFile: `${SECRET_FOLDERS.busCredentials}/${FILES.credentials}` }),
    ...(nats.caSecretRef === undefined ? {} : { caFile: `${SECRET_FOLDERS.busCa}/${FILES.ca}` }),
  };
}

function retentionSettings(retention: MergedRetention): GatewaySettings['retention'] {
  const { deletion, secureDeletion, classes, legalHolds } = retention;
  return { deletion, secureDeletion, classes, legalHolds: legalHolds.map((hold) => ({ ...hold })) };
}
