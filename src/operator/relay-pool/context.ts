import type { Child } from '../../kubernetes/cluster.js';
import { ANNOTATION_ROTATE, childMetadata } from '../../kubernetes/metadata.js';
import type { ObjectMeta, ObjectRef } from '../../kubernetes/object.js';
import type { RelayPool } from '../../kinds/relay-pool.gen.js';
import type { SignalingGateway } from '../../kinds/signaling-gateway.gen.js';
import type { RelayPoolValues } from '../../policy/relay-pool.js';
import { relayPermission } from '../../policy/relay-permission.js';
import { caPem, trustedCas } from '../keys/ca.js';
import type { CertificateFact, KeyFact } from '../keys/facts.js';
import { observedCertificates, observedKeys } from '../keys/facts.js';
import { planLeaf, spiffeId } from '../keys/leaf.js';
import { acceptedKeys } from '../keys/lease-keys.js';
import type { KeyPlan, LeafOrder } from '../keys/orders.js';
import type { ProgramImage } from '../pods/image.js';
import { rendersOf, type Renders } from '../pods/renders.js';
import type { OperatorSettings } from '../settings.js';

/** A gateway that may issue leases for this pool, with what its relays need to recognise it. */
export interface PermittedGateway {
  readonly gateway: SignalingGateway;
  /** Public halves; revoked ones are not among them. */
  readonly leaseKeys: readonly KeyFact[];
  /** PEM of the CA of its namespace, current first. */
  readonly caCertificates: readonly string[];
}

/** A gateway as the cache shows it, whether it uses the pool or not. */
export interface ObservedGateway {
  readonly gateway: SignalingGateway;
  /** Its Secret of lease keys, and the one of its namespace's CA: public facts only. */
  readonly leaseKeys: Child | undefined;
  readonly ca: Child | undefined;
}

/** What the installation says to every pool. */
export interface Installation {
  readonly installId: string;
  /** `cluster.*` of the operator's settings: ranges to which relays never send. */
  readonly serviceCidrs: readonly string[];
  readonly podCidrs: readonly string[];
  readonly apiServerCidrs: readonly string[];
  readonly servesServiceMonitors: boolean;
}

/** What the operator's settings say to this room. */
export interface RelayPoolSettings {
  readonly installation: Installation;
  /** Render versions that this operator writes. */
  readonly renders: Renders;
}

/** This room's part of the operator's settings. `serves` says whether the API server has an optional kind. */
export function relayPoolSettings(
  settings: OperatorSettings,
  serves: (apiVersion: string, kind: string) => boolean,
): RelayPoolSettings {
  const { serviceCIDRs, podCIDRs, apiServer } = settings.cluster;
  return {
    renders: rendersOf(settings),
    installation: {
      installId: settings.installId,
      serviceCidrs: serviceCIDRs,
      podCidrs: podCIDRs,
      apiServerCidrs: apiServer,
      servesServiceMonitors: serves('monitoring.coreos.com/v1', 'ServiceMonitor'),
    },
  };
}

/** All that the objects of one pool depend on, but for the rollout. Same context, same objects. */
export interface RelayPoolContext {
  readonly pool: RelayPool;
  /** Effective values: never read a constrainable field of the spec. */
  readonly values: RelayPoolValues;
  readonly render: { readonly version: number; readonly image: ProgramImage };
  readonly installation: Installation;
  readonly gateways: readonly PermittedGateway[];
  /** Relays that may exist or still drain: as many have a Service. */
  readonly services: number;
  /** Addresses of those Services. */
  readonly ownAddresses: readonly string[];
}

/** The component label of everything here. */
export const COMPONENT = 'relay';
/** Relays of a pool whose `replicas` and `autoscaling` are unset: one may fail. */
const DEFAULT_REPLICAS = 2;

/** Names of what is made for a pool (architecture.md, kinds). */
export function relayPoolNames({ metadata: { name } }: RelayPool) {
  return {
    workload: `${name}-relay`,
    settings: `${name}-relay-settings`,
    gateways: `${name}-relay-gateways`,
    tls: `${name}-relay-tls`,
    goodRevision: `${name}-relay-good`,
    replica: (ordinal: number) => `${name}-relay-${ordinal}`,
  } as const;
}

/** Metadata of one child: the same labels and owner for each. */
export function relayChild(
  pool: RelayPool,
  name: string,
  extra: {
    readonly annotations?: Readonly<Record<string, string>>;
    readonly labels?: Readonly<Record<string, string>>;
  } = {},
): ObjectMeta {
  return childMetadata(pool, { name, component: COMPONENT, ...extra });
}

/** The Secret of the pool's certificate: made by order, so no plan lists it. */
export function keptSecret(pool: RelayPool): ObjectRef {
  const { namespace = '' } = pool.metadata;
  return { apiVersion: 'v1', kind: 'Secret', namespace, name: relayPoolNames(pool).tls };
}

/** How many relays the pool wants; undefined while an autoscaler decides. */
export function wantedReplicas({ spec }: RelayPool): number | undefined {
  return spec.autoscaling === undefined ? (spec.replicas ?? DEFAULT_REPLICAS) : undefined;
}

/** The most relays that the pool can have. */
export function maxReplicas({ spec }: RelayPool): number {
  return spec.autoscaling?.maxReplicas ?? spec.replicas ?? DEFAULT_REPLICAS;
}

/** The gateways that both sides permit, sorted by namespace and name, with their public keys. */
export function permittedGateways(
  pool: RelayPool,
  observed: readonly ObservedGateway[],
  now: Date,
): readonly PermittedGateway[] {
  return observed
    .filter(({ gateway }) => relayPermission(gateway, pool) === 'Permitted')
    .map(({ gateway, leaseKeys, ca }) => ({
      gateway,
      leaseKeys: acceptedKeys(observedKeys(leaseKeys).facts),
      caCertificates: trustedCas(observedCertificates(ca).facts, now).map(caPem),
    }))
    .sort((a, b) => (idOf(a.gateway) < idOf(b.gateway) ? -1 : 1));
}

/** The certificate of a pool: relays show it to gateways as clients and to endpoints on the fallback as servers. */
export function poolLeaf(input: {
  readonly pool: RelayPool;
  readonly installId: string;
  readonly secret: Child | undefined;
  readonly ca: Child | undefined;
  readonly now: Date;
}): KeyPlan<CertificateFact, LeafOrder> {
  const { pool, installId, secret, ca, now } = input;
  const { name, namespace = '', annotations } = pool.metadata;
  const names = relayPoolNames(pool);
  const host = `${names.workload}.${namespace}`;
  return planLeaf({
    secret,
    ca,
    metadata: relayChild(pool, names.tls),
    request: {
      namespace,
      // The name that endpoints ask for; the address that they dial is not in it, so no new address needs a new leaf.
      dnsNames: [`${host}.svc`, `${host}.svc.cluster.local`],
      uri: spiffeId(installId, namespace, pool.kind, name),
      usages: ['serverAuth', 'clientAuth'],
    },
    rotate: annotations?.[ANNOTATION_ROTATE],
    now,
  });
}

function idOf({ metadata: { namespace = '', name } }: SignalingGateway): string {
  return `${namespace}/${name}`;
}
