import type { RelayPool } from '../../../src/kinds/relay-pool.gen.js';
import type { Child } from '../../../src/kubernetes/cluster.js';
import type { KubernetesObject } from '../../../src/kubernetes/object.js';
import type {
  ObservedGateway,
  RelayPoolSettings,
} from '../../../src/operator/relay-pool/context.js';
import { planRelayPool } from '../../../src/operator/relay-pool/plan.js';
import type { PlannedRelayPool } from '../../../src/operator/relay-pool/plan.js';
import type { ObservedRelayPool } from '../../../src/operator/relay-pool/situation.js';
import { aSignalingGateway } from '../../builders.js';
import { applied, authority, fulfilled, NOON, SETTINGS } from './observed-gateway.js';

/** What the operator's settings say to pools in these tests. */
export const POOL_SETTINGS: RelayPoolSettings = {
  installation: {
    installId: SETTINGS.installId,
    serviceCidrs: ['10.96.0.0/12', 'fd00:10:96::/112'],
    podCidrs: ['10.244.0.0/16'],
    apiServerCidrs: ['192.0.2.10/32'],
    servesServiceMonitors: true,
  },
  renders: SETTINGS.renders,
};

/** A gateway with its lease keys and the CA of its namespace. */
export function aServingGateway(
  overrides: Parameters<typeof aSignalingGateway>[0] = {},
): ObservedGateway {
  const gateway = aSignalingGateway(overrides);
  const { name, namespace = '' } = gateway.metadata;
  const fact = {
    kid: '1'.repeat(22),
    public: 'K'.repeat(43),
    notBefore: '2026-03-01T00:00:00Z',
    notAfter: '2026-03-03T00:00:00Z',
    publishedAt: '2026-03-01T00:00:00Z',
    state: 'current',
  };
  const metadata = {
    name: `${name}-gateway-lease-keys`,
    namespace,
    annotations: { 'sallyport.dev/keys': JSON.stringify([fact]), 'sallyport.dev/material': 'm' },
  };
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata };
  return { gateway, leaseKeys: applied(secret, { dataHash: 'm' }), ca: authority(namespace) };
}

/** A pool whose surroundings are all there, but for what the test changes. Nothing was made for it yet. */
export function observedPool(
  pool: RelayPool,
  change: Partial<ObservedRelayPool> = {},
): ObservedRelayPool {
  const ca = authority(pool.metadata.namespace ?? '');
  return { pool, children: [], ca, gateways: [], failedOrders: [], ...change };
}

/** The plan for an observation at noon. */
export function planPoolAt(
  observed: ObservedRelayPool,
  settings: RelayPoolSettings = POOL_SETTINGS,
  now = NOON,
): PlannedRelayPool {
  return planRelayPool(observed, settings, now);
}

/** What a StatefulSet's controller counts. */
export interface Counted {
  readonly replicas?: number;
  readonly readyReplicas?: number;
  readonly availableReplicas?: number;
  readonly updatedReplicas?: number;
  readonly currentRevision?: string;
  readonly updateRevision?: string;
}

/** All of `count` pods are there, ready, and of one revision. */
export const all = (count: number): Counted => ({
  replicas: count,
  readyReplicas: count,
  availableReplicas: count,
  updatedReplicas: count,
  currentRevision: 'r1',
  updateRevision: 'r1',
});

/** The observation after its plan was carried out: certificate made, objects applied, pods counted. */
export function afterCarryingOut(observed: ObservedRelayPool, counted: Counted): ObservedRelayPool {
  const made = planPoolAt(observed).orders.map(fulfilled);
  const { plan } = planPoolAt({ ...observed, children: [...observed.children, ...made] });
  const objects = plan.apply.map((object) => applied(object, viewOf(object, counted)));
  const kept = observed.children.filter(({ ref }) => ref.kind === 'Secret');
  const pool = { ...observed.pool, status: plan.status };
  return { ...observed, pool, children: [...kept, ...made, ...objects] };
}

function viewOf(object: KubernetesObject, counted: Counted): Child['view'] {
  if (object.kind === 'ControllerRevision') return { data: object['data'] };
  if (object.kind === 'Service') return { spec: { clusterIPs: ['10.96.0.7'] } };
  if (object.kind !== 'StatefulSet') return {};
  const { replicas = counted.replicas } = object['spec'] as { readonly replicas?: number };
  return { spec: { replicas }, status: { observedGeneration: 1, ...counted } };
}
