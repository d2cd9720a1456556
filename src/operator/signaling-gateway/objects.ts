/*
 * What the objects of a gateway depend on, their names, and its doors: Services, NetworkPolicy, Ingress,
 * certificate and monitoring. The pods are in workload.ts, the files that they read in configuration.ts, and the
 * list of all in plan.ts.
 */
import { GATEWAY_PORTS } from '../../gateway/settings.js';
import type { RelayPool } from '../../kinds/relay-pool.gen.js';
import type { SignalingGateway } from '../../kinds/signaling-gateway.gen.js';
import { childMetadata, selectorLabels } from '../../kubernetes/metadata.js';
import type { KubernetesObject } from '../../kubernetes/object.js';
import type { GatewayValues } from '../../policy/defaults.js';
import type { MergedRetention } from '../../policy/retention.js';
import { certManagerCertificate } from '../pods/certificate.js';
import { extraRules } from '../pods/extra-peers.js';
import type { ProgramImage } from '../pods/image.js';
import { ingress } from '../pods/ingress.js';
import { METRICS_PORT_NAME, serviceMonitor } from '../pods/monitoring.js';
import type { NetworkRule, Peer, PolicyPort } from '../pods/network-policy.js';
import { dnsEgress, metricsIngress, networkPolicy } from '../pods/network-policy.js';
import { serviceAccount } from '../pods/objects.js';
import { service } from '../pods/service.js';

/** What the installation says to every gateway. */
export interface Installation {
  /** Part of the SPIFFE ids of all certificates. */
  readonly installId: string;
  /** Ed25519 public keys (base64url) that sign policy bundles: current, next. */
  readonly policyKeys: readonly string[];
}

/** All that the objects of one gateway depend on. Same context, same objects. */
export interface GatewayContext {
  readonly gateway: SignalingGateway;
  /** Effective values: a constrainable field is never read from the spec. */
  readonly values: GatewayValues;
  readonly render: { readonly version: number; readonly image: ProgramImage };
  readonly installation: Installation;
  readonly pools: readonly PermittedPool[];
  readonly retention: MergedRetention;
  /** Whether the API server serves these optional kinds. */
  readonly serves: ServedKinds;
}

/** What the directory of relays depends on. */
export type DirectoryContext = Pick<GatewayContext, 'gateway' | 'installation' | 'pools'>;

/** Kinds of other projects that the API server may serve. */
export interface ServedKinds {
  readonly certificates: boolean;
  readonly serviceMonitors: boolean;
}

/** A pool that this gateway may use, with the CA certificates that its relays chain to. */
export interface PermittedPool {
  readonly pool: RelayPool;
  /** PEM; absent while the CA of that namespace is not known. */
  readonly caCertificates?: string;
}

/** The component label of everything here. */
export const COMPONENT = 'gateway';

/** Names of what is made for a gateway (architecture.md, kinds). */
export function gatewayNames({ metadata: { name } }: SignalingGateway) {
  return {
    workload: `${name}-gateway`,
    publicService: `${name}-gateway`,
    internalService: `${name}-gateway-internal`,
    settings: `${name}-gateway-settings`,
    relays: `${name}-gateway-relays`,
    policyBundle: `${name}-gateway-policy`,
    leaseKeys: `${name}-gateway-lease-keys`,
    columnKeys: `${name}-gateway-column-keys`,
    publicTls: `${name}-gateway-tls`,
    internalTls: `${name}-gateway-internal-tls`,
    goodRevision: `${name}-gateway-good`,
  } as const;
}

/** Metadata of one child: the same labels and owner for each. */
export function gatewayChild(
  gateway: SignalingGateway,
  name: string,
  labels: Readonly<Record<string, string>> = {},
) {
  return childMetadata(gateway, { name, component: COMPONENT, labels });
}

/** Where the certificate that clients see comes from. Unset means the internal CA. */
export function tlsSource({ spec }: SignalingGateway) {
  const { secretRef, certManager } = spec.listener.tls ?? {};
  if (secretRef !== undefined) return { type: 'Secret', name: secretRef.name } as const;
  if (certManager !== undefined)
    return { type: 'CertManager', issuer: certManager.issuerRef } as const;
  return { type: 'Internal' } as const;
}

/** Name of the Secret with the certificate that clients see. */
export function publicTlsSecret(gateway: SignalingGateway): string {
  const source = tlsSource(gateway);
  return source.type === 'Secret' ? source.name : gatewayNames(gateway).publicTls;
}

/** Embedded storage has an identity (its volume), so its workload is a StatefulSet. */
export function workloadKind({ spec }: SignalingGateway): 'Deployment' | 'StatefulSet' {
  return spec.storage.type === 'Embedded' ? 'StatefulSet' : 'Deployment';
}

/** Replicas that share a database share the keys that seal columns of it; beside SQLite the gateway keeps its own. */
export function hasColumnKeys({ spec }: SignalingGateway): boolean {
  return spec.storage.type === 'PostgreSQL';
}

/** How many pods are wanted; undefined while an autoscaler decides. Two need a database and a bus that both reach. */
export function wantedReplicas({ spec }: SignalingGateway): number | undefined {
  if (spec.autoscaling !== undefined) return undefined;
  const several = spec.storage.type === 'PostgreSQL' && spec.bus.type === 'NATS';
  return spec.replicas ?? (several ? 2 : 1);
}

/** Marks the one Service that is scraped: the public one has the same pods. */
const SCRAPED = { 'sallyport.dev/scraped': 'true' } as const;

/** Where clients come in. */
export function publicService({ gateway }: GatewayContext): KubernetesObject {
  return service({
    metadata: gatewayChild(gateway, gatewayNames(gateway).publicService),
    selector: selectorLabels(gateway, COMPONENT),
    ports: [
      {
        name: 'gateway',
        port: gateway.spec.listener.port,
        targetPort: 'gateway',
        protocol: 'TCP',
        appProtocol: 'kubernetes.io/wss',
      },
    ],
    exposure: gateway.spec.exposure,
  });
}

/** Where relays and the monitoring come in: never outside of the cluster, whatever the exposure. */
export function internalService({ gateway }: GatewayContext): KubernetesObject {
  return service({
    metadata: gatewayChild(gateway, gatewayNames(gateway).internalService, SCRAPED),
    selector: selectorLabels(gateway, COMPONENT),
    ports: [
      {
        name: 'internal',
        port: GATEWAY_PORTS.internal,
        targetPort: 'internal',
        protocol: 'TCP',
        appProtocol: 'kubernetes.io/wss',
      },
      {
        name: METRICS_PORT_NAME,
        port: GATEWAY_PORTS.metrics,
        targetPort: METRICS_PORT_NAME,
        protocol: 'TCP',
      },
    ],
  });
}

/** Who reaches the pods and whom they reach; everything else is denied. */
export function gatewayNetworkPolicy(context: GatewayContext): KubernetesObject {
  const { gateway, pools } = context;
  const { networkPolicy: wishes } = gateway.spec;
  return networkPolicy({
    metadata: gatewayChild(gateway, gatewayNames(gateway).workload),
    podLabels: selectorLabels(gateway, COMPONENT),
    ingress: [
      { peers: clients(context), ports: [tcp(gateway.spec.listener.port)] },
      relaysIngress(pools),
      metricsIngress(wishes?.monitoringNamespace, GATEWAY_PORTS.metrics),
      ...extraRules(wishes?.extraIngress),
    ],
    egress: egressRules(context),
  });
}

/** The way in for relays as a policy of its own, which adds to `gatewayNetworkPolicy`; none without a pool. */
export function relaysNetworkPolicy({
  gateway,
  pools,
}: DirectoryContext): readonly KubernetesObject[] {
  if (pools.length === 0) return [];
  return [
    networkPolicy({
      metadata: gatewayChild(gateway, gatewayNames(gateway).relays),
      podLabels: selectorLabels(gateway, COMPONENT),
      ingress: [relaysIngress(pools)],
      egress: [],
    }),
  ];
}

function relaysIngress(pools: readonly PermittedPool[]): NetworkRule {
  return { peers: pools.map(({ pool }) => relays(pool)), ports: [tcp(GATEWAY_PORTS.internal)] };
}

/** A cert-manager Certificate, when it is wanted and its kind is served. */
export function publicCertificate({
  gateway,
  serves,
}: GatewayContext): readonly KubernetesObject[] {
  const source = tlsSource(gateway);
  if (source.type !== 'CertManager' || !serves.certificates) return [];
  const { workload, publicTls } = gatewayNames(gateway);
  return [
    certManagerCertificate({
      metadata: gatewayChild(gateway, workload),
      secretName: publicTls,
      dnsNames: gateway.spec.hosts,
      issuer: source.issuer,
    }),
  ];
}

/** An Ingress that ends TLS and encrypts again to the gateway, when one is wanted. */
export function publicIngress({ gateway }: GatewayContext): readonly KubernetesObject[] {
  const { ingress: wanted, hosts } = gateway.spec;
  if (wanted === undefined) return [];
  const { workload, publicService: name } = gatewayNames(gateway);
  return [
    ingress({
      metadata: gatewayChild(gateway, workload),
      className: wanted.className,
      hosts,
      tlsSecretName: wanted.tlsSecretRef.name,
      backend: { service: name, port: 'gateway' },
      annotations: wanted.annotations,
    }),
  ];
}

/** The identity of the pods, which gives them nothing. */
export function identity({ gateway }: GatewayContext): KubernetesObject {
  return serviceAccount(gatewayChild(gateway, gatewayNames(gateway).workload));
}

/** A ServiceMonitor, when it is wanted and its kind is served. */
export function monitor({ gateway, serves }: GatewayContext): readonly KubernetesObject[] {
  if (!gateway.spec.observability.serviceMonitor || !serves.serviceMonitors) return [];
  const metadata = gatewayChild(gateway, gatewayNames(gateway).workload);
  return [
    serviceMonitor({ metadata, selector: { ...selectorLabels(gateway, COMPONENT), ...SCRAPED } }),
  ];
}

/** Behind an ingress only its proxies; with source ranges only those; else everyone, who then has to log in. */
function clients({ gateway: { spec } }: GatewayContext): NetworkRule['peers'] {
  if (spec.ingress !== undefined) {
    return (spec.trustedProxies?.cidrs ?? []).map((cidr) => ({ cidr }));
  }
  const ranges = spec.exposure.sourceRanges ?? [];
  return ranges.length === 0 ? 'Anyone' : ranges.map((cidr) => ({ cidr }));
}

/** The pods of one pool. */
function relays(pool: RelayPool): Peer {
  return { pods: selectorLabels(pool, 'relay'), namespace: pool.metadata.namespace };
}

/** Names are resolved only by gateways that dial somebody. */
function egressRules({ gateway: { spec }, values }: GatewayContext): readonly NetworkRule[] {
  const declared = extraRules([
    ...(spec.storage.postgresql?.peers ?? []),
    ...(spec.bus.nats?.peers ?? []),
    ...values.networkPolicy.extraEgress,
  ]);
  return declared.length === 0 ? [] : [dnsEgress(), ...declared];
}

function tcp(port: number): PolicyPort {
  return { port, protocol: 'TCP' };
}
