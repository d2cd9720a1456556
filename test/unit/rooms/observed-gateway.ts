import type { RelayPool } from '../../../src/kinds/relay-pool.gen.js';
import type { SignalingGateway } from '../../../src/kinds/signaling-gateway.gen.js';
import type { Child } from '../../../src/kubernetes/cluster.js';
import { refOf } from '../../../src/kubernetes/object.js';
import type { KubernetesObject } from '../../../src/kubernetes/object.js';
import { desiredHash } from '../../../src/kubernetes/owned-fields.js';
import { caSecretRef } from '../../../src/operator/keys/ca.js';
import type { CertificateFact, ColumnKeyFact, KeyFact } from '../../../src/operator/keys/facts.js';
import { requestDigest } from '../../../src/operator/keys/leaf.js';
import type { KeyOrder, LeafOrder } from '../../../src/operator/keys/orders.js';
import { planGateway } from '../../../src/operator/signaling-gateway/plan.js';
import type { PlannedGateway } from '../../../src/operator/signaling-gateway/plan.js';
import type {
  GatewayRoomSettings,
  ObservedGateway,
} from '../../../src/operator/signaling-gateway/situation.js';
import { secretNeeds } from '../../../src/operator/signaling-gateway/configuration.js';
import type { ObservedSecrets } from '../../../src/operator/keys/named-secrets.js';
import type { Condition } from '../../../src/kubernetes/plan.js';
import { aRelayPool } from '../../builders.js';
import { REGISTRIES } from '../../arbitraries/values.js';
import { at } from '../../hardening/pods.js';
import type { Json } from '../../hardening/pods.js';

/** When every plan of these tests is made. */
export const NOON = new Date('2026-03-02T12:00:00Z');
const LATER = '2026-03-30T12:00:00Z';

/** What the operator's settings say in these tests. */
export const SETTINGS: GatewayRoomSettings = {
  installId: 'install-1',
  renders: [
    {
      version: 1,
      image: {
        repository: 'registry.example.com/sallyport',
        tag: '0.1.0',
        digest: `sha256:${'1'.repeat(64)}`,
        pullPolicy: 'IfNotPresent',
        allowedRepositories: REGISTRIES,
      },
    },
  ],
  checkSecretsEverySeconds: 300,
};

/** Every Secret that the gateway names, as it should be. */
export function goodSecrets(gateway: SignalingGateway): ObservedSecrets {
  const needs = secretNeeds(gateway);
  return Object.fromEntries(
    needs.map(({ name }) => {
      const keys = needs.filter((need) => need.name === name).flatMap((need) => need.keys);
      const certificate = {
        serial: '0a',
        notBefore: '2026-03-01T00:00:00Z',
        notAfter: LATER,
        pin: `sha256/${'A'.repeat(43)}=`,
        dnsNames: [...gateway.spec.hosts],
      };
      const pair = keys.includes('tls.crt') ? { certificate, keyFits: true } : { keyFits: false };
      return [name, { keys, managed: false, ...pair }];
    }),
  );
}

/** A gateway whose surroundings are all there, but for what the test changes. Nothing was made for it yet. */
export function observedGateway(
  gateway: SignalingGateway,
  change: Partial<ObservedGateway> = {},
): ObservedGateway {
  return {
    gateway,
    children: [],
    authorities: [],
    pools: [],
    neighbours: [],
    retentionPolicies: [],
    secrets: goodSecrets(gateway),
    serves: { certificates: true, serviceMonitors: true },
    policyKeys: ['P'.repeat(43)],
    failedOrders: [],
    ...change,
  };
}

/** The plan for an observation at noon. */
export function planAt(
  observed: ObservedGateway,
  settings: Partial<GatewayRoomSettings> = {},
  now = NOON,
): PlannedGateway {
  return planGateway(observed, { ...SETTINGS, ...settings }, now);
}

/** An object as the cache shows it after we applied it. */
export function applied(object: KubernetesObject, view: Child['view'] = {}): Child {
  const { labels = {}, annotations = {}, uid = `uid-${object.metadata.name}` } = object.metadata;
  return {
    ref: refOf(object),
    uid,
    resourceVersion: '7',
    generation: 1,
    ownedHash: desiredHash(object),
    ...(labels['sallyport.dev/owner-uid'] && { ownerUid: labels['sallyport.dev/owner-uid'] }),
    labels,
    annotations,
    view,
  };
}

/** The Secret that fulfilling `order` leaves in the cache. */
export function fulfilled(order: KeyOrder): Child {
  const annotations: Record<string, string> =
    order.type === 'SigningKeys' || order.type === 'ColumnKeys'
      ? { 'sallyport.dev/keys': JSON.stringify(keysOf(order)) }
      : { 'sallyport.dev/certificates': JSON.stringify([leafOf(order as LeafOrder)]) };
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      ...order.metadata,
      annotations: { ...annotations, 'sallyport.dev/material': 'm' },
    },
  };
  return applied(secret, { dataHash: 'm' });
}

function keysOf(
  order: Extract<KeyOrder, { type: 'SigningKeys' | 'ColumnKeys' }>,
): readonly (KeyFact | ColumnKeyFact)[] {
  if (order.type === 'ColumnKeys') {
    const fresh = order.make.map((fact, index) => ({ id: String(index + 1).repeat(16), ...fact }));
    return [...fresh, ...order.keep];
  }
  const made = order.make.map((fact, index) => ({
    kid: String(index + 1).repeat(22),
    public: 'K'.repeat(43),
    ...fact,
  }));
  return [...made, ...order.keep];
}

function leafOf(order: LeafOrder): CertificateFact {
  return {
    serial: '01',
    notBefore: order.notBefore,
    notAfter: order.notAfter,
    pins: [`sha256/${'B'.repeat(43)}=`, `sha256/${'C'.repeat(43)}=`],
    issuer: 'I'.repeat(22),
    keySince: order.keySince,
    request: requestDigest(order.request),
    certificate: 'MAo=',
  };
}

/** The Secret of a namespace's CA. */
export function authority(namespace: string): Child {
  const fact: CertificateFact = {
    serial: '02',
    notBefore: '2026-03-01T00:00:00Z',
    notAfter: '2036-03-01T00:00:00Z',
    pins: [`sha256/${'D'.repeat(43)}=`],
    issuer: 'I'.repeat(22),
    keySince: '2026-03-01T00:00:00Z',
    state: 'current',
    certificate: 'MAo=',
  };
  const { apiVersion, kind, name } = caSecretRef(namespace);
  const annotations = {
    'sallyport.dev/certificates': JSON.stringify([fact]),
    'sallyport.dev/material': 'm',
  };
  const secret = { apiVersion, kind, metadata: { name, namespace, annotations } };
  return applied(secret, { dataHash: 'm' });
}

/** The observation after its plan was carried out: keys made, objects applied, workload in the given state. */
export function afterwards(
  observed: ObservedGateway,
  workload: {
    readonly ready?: number;
    readonly updated?: number;
    readonly [field: string]: unknown;
  } = {},
): ObservedGateway {
  const { namespace = '' } = observed.gateway.metadata;
  const authorities = observed.authorities.some(({ ref }) => ref.namespace === namespace)
    ? observed.authorities
    : [...observed.authorities, authority(namespace)];
  const first = planAt({ ...observed, authorities });
  const standing = observed.children.filter(({ ref }) => ref.kind === 'Secret');
  const secrets = [...standing, ...first.orders.map(fulfilled)];
  const { plan } = planAt({
    ...observed,
    authorities,
    children: [...observed.children, ...first.orders.map(fulfilled)],
  });
  const objects = plan.apply.map((object) => applied(object, viewOf(object, workload)));
  return {
    ...observed,
    authorities,
    children: [...secrets, ...objects],
    gateway: { ...observed.gateway, status: plan.status },
  };
}

function viewOf(
  { kind, ...object }: KubernetesObject,
  { ready = 0, updated = ready, ...status }: Parameters<typeof afterwards>[1] & object,
): Child['view'] {
  if (kind === 'ControllerRevision') return { data: object['data'] };
  if (kind !== 'Deployment' && kind !== 'StatefulSet') return {};
  const spec = object['spec'] as { readonly replicas?: number };
  return {
    spec: { replicas: spec.replicas ?? ready },
    status: {
      observedGeneration: 1,
      replicas: ready,
      readyReplicas: ready,
      updatedReplicas: updated,
      ...status,
    },
  };
}

/** A pool with one relay that has an address. */
export function aServingPool(overrides: Parameters<typeof aRelayPool>[0] = {}): RelayPool {
  return aRelayPool({
    ...overrides,
    status: {
      endpoints: [
        { replica: 0, address: '198.51.100.7', port: 3478, protocol: 'UDP', state: 'Ready' },
        { replica: 0, address: '198.51.100.7', port: 5349, protocol: 'TCP', state: 'Ready' },
        { replica: 1, address: '', port: 3478, protocol: 'UDP', state: 'Pending' },
      ],
      certificates: [
        {
          purpose: 'Relay',
          secretName: 'frankfurt-relay-tls',
          notBefore: '2026-03-01T00:00:00Z',
          notAfter: LATER,
          pins: [`sha256/${'E'.repeat(43)}=`],
        },
      ],
    },
  });
}

/** Noon and some minutes. */
export const minutesAfter = (minutes: number): Date => new Date(NOON.getTime() + minutes * 60_000);

/** One condition of the plan. */
export const condition = (
  observed: ObservedGateway,
  type: string,
  ...rest: [Partial<GatewayRoomSettings>?, Date?]
): Condition | undefined =>
  planAt(observed, ...rest).plan.status.conditions.find((each) => each.type === type);

/** Kinds of objects, in their order. */
export const kinds = (objects: readonly KubernetesObject[]): readonly string[] =>
  objects.map(({ kind }) => kind);

/** The planned object of this kind whose name ends so. */
export function objectOf(
  observed: ObservedGateway,
  kind: string,
  ending = '',
  ...rest: [Partial<GatewayRoomSettings>?, Date?]
): KubernetesObject {
  const found = planAt(observed, ...rest).plan.apply.find(
    (object) => object.kind === kind && object.metadata.name.endsWith(ending),
  );
  if (!found) throw new Error(`no ${kind} ${ending} is planned`);
  return found;
}

/** The pod template of the planned workload. */
export const templateOf = (
  observed: ObservedGateway,
  ...rest: [Partial<GatewayRoomSettings>?, Date?]
): unknown => {
  const kind = observed.gateway.spec.storage.type === 'Embedded' ? 'StatefulSet' : 'Deployment';
  return at(objectOf(observed, kind, '', ...rest), 'spec', 'template');
};

/** A JSON file in a planned ConfigMap. */
export function fileOf(observed: ObservedGateway, ending: string, name: string): Json {
  const text = at(objectOf(observed, 'ConfigMap', ending), 'data', name);
  return JSON.parse(String(text)) as Json;
}

/** The gateway as edited: a new generation, with the status that stands. */
export function edited(observed: ObservedGateway, spec: object, generation = 2): ObservedGateway {
  const { gateway } = observed;
  const metadata = { ...gateway.metadata, generation };
  const changed = { ...gateway, metadata, spec: { ...gateway.spec, ...spec } };
  return { ...observed, gateway: changed };
}

/** The gateway with annotations. */
export function annotated(
  observed: ObservedGateway,
  annotations: Readonly<Record<string, string>>,
): ObservedGateway {
  const { gateway } = observed;
  return { ...observed, gateway: { ...gateway, metadata: { ...gateway.metadata, annotations } } };
}
