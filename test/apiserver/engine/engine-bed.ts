import { ClusterClient } from '../../../src/kubernetes/cluster.client.js';
import type { ClientOptions } from '../../../src/kubernetes/client-types.js';
import type { Cluster, Resource } from '../../../src/kubernetes/cluster.js';
import { commonConditions, conditionsOf } from '../../../src/kubernetes/conditions.js';
import { Engine } from '../../../src/kubernetes/engine.runner.js';
import type { EngineOptions } from '../../../src/kubernetes/engine-options.js';
import {
  API_VERSION,
  childMetadata,
  podLabels,
  selectorLabels,
} from '../../../src/kubernetes/metadata.js';
import type { DriftRecord } from '../../../src/kubernetes/drift.js';
import type { KubernetesObject, ObjectMeta } from '../../../src/kubernetes/object.js';
import type { CommonStatus, Condition, Plan } from '../../../src/kubernetes/plan.js';
import type { Reconciler } from '../../../src/kubernetes/reconciler.js';
import { RESOURCE_KINDS } from '../../../src/kubernetes/resources.js';
import { createMetricsRegistry } from '../../../src/runtime/metrics.registry.js';
import { SILENT_LOGGER } from '../../../src/runtime/log.js';
import { systemClock } from '../../../src/runtime/system.clock.js';
import type { WriteRecord } from '../../../src/kubernetes/write-record.js';
import { EngineMetrics } from '../../../src/kubernetes/engine.metrics.js';
import type { MetricsRegistry } from '../../../src/runtime/metrics.registry.js';
import { eventually } from '../bed/eventually.js';
import { startApiServer } from '../bed/api-server.js';
import type { TestApiServer, TestApiServerOptions } from '../bed/api-server.js';

/** A kind of ours for tests alone: it has no room, so that these tests show the engine and nothing else. */
export interface Beacon extends Resource<BeaconSpec> {
  readonly kind: 'Beacon';
}

export interface BeaconSpec {
  /** Text of the ConfigMap. */
  readonly text?: string;
  /** Absent: an autoscaler's. */
  readonly replicas?: number;
  readonly image?: string;
}

export const BEACONS = {
  apiVersion: API_VERSION,
  kind: 'Beacon',
  plural: 'beacons',
  namespaced: true,
} as const;

const CRD = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'beacons.sallyport.dev' },
  spec: {
    group: 'sallyport.dev',
    scope: 'Namespaced',
    names: { kind: 'Beacon', plural: 'beacons', singular: 'beacon' },
    versions: [
      {
        name: 'v1alpha1',
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
              status: {
                type: 'object',
                'x-kubernetes-preserve-unknown-fields': true,
                properties: {
                  conditions: {
                    type: 'array',
                    'x-kubernetes-list-type': 'map',
                    'x-kubernetes-list-map-keys': ['type'],
                    items: {
                      type: 'object',
                      required: ['type'],
                      properties: { type: { type: 'string' } },
                      'x-kubernetes-preserve-unknown-fields': true,
                    },
                  },
                },
              },
            },
          },
        },
      },
    ],
  },
};

const USERS = {
  'engine-a': ['system:masters'],
  'engine-b': ['system:masters'],
  'engine-c': ['system:masters'],
};

/** An API server that serves Beacons. */
export async function startEngineBed(options: TestApiServerOptions = {}): Promise<TestApiServer> {
  const { controllerManager, ...rest } = options;
  const server = await startApiServer({ ...rest, users: { ...USERS, ...options.users } });
  await server.apply(CRD);
  await eventually('beacons are served', async () => {
    await server.admin.call('GET', '/apis/sallyport.dev/v1alpha1/beacons?limit=1');
    const found = (await server.admin.get('/apis/sallyport.dev/v1alpha1')) as {
      readonly resources: readonly { readonly kind: string }[];
    };
    return found.resources.some(({ kind }) => kind === 'Beacon');
  });
  if (controllerManager) await server.startControllerManager();
  return server;
}

/** What a Beacon becomes. */
export type Render = (beacon: Beacon) => readonly KubernetesObject[];

/** A ConfigMap, a Service and a Deployment, each value as the API server writes it. */
export const renderBeacon: Render = (beacon) => [
  settings(beacon),
  service(beacon),
  deployment(beacon),
];

export function settings(beacon: Beacon): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: childMetadata(beacon, {
      name: `${beacon.metadata.name}-settings`,
      component: 'beacon',
    }),
    data: { text: beacon.spec.text ?? 'one' },
  };
}

export function service(beacon: Beacon): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: childMetadata(beacon, { name: beacon.metadata.name, component: 'beacon' }),
    spec: {
      type: 'ClusterIP',
      selector: selectorLabels(beacon, 'beacon'),
      ports: [{ name: 'light', port: 8443, protocol: 'TCP', targetPort: 8443 }],
    },
  };
}

export function deployment(beacon: Beacon): KubernetesObject {
  const { replicas, image = 'registry.invalid/beacon:1' } = beacon.spec;
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: childMetadata(beacon, { name: beacon.metadata.name, component: 'beacon' }),
    spec: {
      ...(replicas === undefined ? {} : { replicas }),
      selector: { matchLabels: selectorLabels(beacon, 'beacon') },
      template: {
        metadata: { labels: podLabels(beacon, 'beacon') },
        spec: { containers: [{ name: 'beacon', image, terminationGracePeriodSeconds: undefined }] },
      },
    },
  };
}

/** The reconciler of Beacons. */
export function beaconReconciler(
  cluster: Cluster,
  render: Render,
  change: Partial<Plan> = {},
): Reconciler {
  return {
    name: 'beacon',
    primary: BEACONS,
    watches: [
      { apiVersion: 'v1', kind: 'ConfigMap', keysOf: () => [] },
      { apiVersion: 'v1', kind: 'Service', keysOf: () => [] },
      { apiVersion: 'apps/v1', kind: 'Deployment', keysOf: () => [] },
    ],
    reconcile: async (key) => {
      const beacon = cluster.get<Beacon>({ ...BEACONS, ...key });
      if (!beacon) return {};
      const generation = beacon.metadata.generation ?? 0;
      const verdicts = commonConditions({
        state: 'Ready',
        reason: 'Applied',
        message: 'It shines.',
      });
      const status: CommonStatus = {
        observedGeneration: generation,
        conditions: conditionsOf(beacon.status?.conditions ?? [], verdicts, {
          generation,
          now: systemClock.now(),
        }),
      };
      const plan: Plan = {
        apply: render(beacon),
        keep: [],
        prune: 'Unlisted',
        status,
        events: [],
        ...change,
      };
      await cluster.carryOut(beacon, plan);
      return plan.requeueAfterMs === undefined ? {} : { requeueAfterMs: plan.requeueAfterMs };
    },
  };
}

export interface TestEngine {
  readonly engine: Engine;
  readonly client: ClusterClient;
  readonly writes: WriteRecord[];
  readonly metrics: MetricsRegistry;
  readonly user: string;
  /** Engine and client. */
  stop(): Promise<void>;
}

export interface TestEngineOptions extends Partial<Omit<EngineOptions, 'client'>> {
  readonly user?: string;
  readonly url?: string;
  readonly client?: ClientOptions;
  readonly render?: Render;
  readonly plan?: Partial<Plan>;
  readonly reconcilers?: (cluster: Cluster) => readonly Reconciler[];
}

/** An engine with the reconciler of Beacons, started. */
export function startEngine(server: TestApiServer, options: TestEngineOptions = {}): TestEngine {
  const { user = 'engine-a', url = server.url, client: clientOptions, render, plan } = options;
  const { reconcilers, ...rest } = options;
  const kinds = [...RESOURCE_KINDS, BEACONS];
  const config = { server: url, ca: server.ca, token: server.tokenOf(user) };
  const client = new ClusterClient(config, { kinds, ...clientOptions });
  const writes: WriteRecord[] = [];
  const registry = createMetricsRegistry({ processMetrics: false });
  const engine = new Engine({
    scope: { type: 'All' },
    workers: 4,
    clock: systemClock,
    random: Math.random,
    identity: user,
    log: SILENT_LOGGER,
    onWrite: (record) => writes.push(record),
    metrics: new EngineMetrics({ metrics: registry, lease: 'sallyport' }),
    kinds,
    ...rest,
    client,
  });
  engine.start(
    reconcilers?.(engine.cluster) ?? [
      beaconReconciler(engine.cluster, render ?? renderBeacon, plan),
    ],
  );
  return {
    engine,
    client,
    writes,
    metrics: registry,
    user,
    stop: async () => {
      await engine.stop();
      await client.close();
    },
  };
}

/** Applies a Beacon as a user would. */
export async function applyBeacon(
  server: TestApiServer,
  name: string,
  spec: BeaconSpec,
  more: {
    readonly namespace?: string;
    readonly annotations?: Readonly<Record<string, string>>;
  } = {},
): Promise<Beacon> {
  const { namespace = 'default', annotations = {} } = more;
  return (await server.apply({
    apiVersion: API_VERSION,
    kind: 'Beacon',
    metadata: { name, namespace, annotations },
    spec,
  })) as Beacon;
}

/** Resolves when the engine has had nothing to do for `quietMs`. */
export async function settled({ engine }: TestEngine, quietMs = 150): Promise<void> {
  await engine.synced;
  let quietSince = performance.now();
  while (performance.now() - quietSince < quietMs) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    if (!engine.idle) quietSince = performance.now();
  }
}

/** Paths of the objects of these tests. */
export const paths = {
  beacon: (name: string, namespace = 'default'): string =>
    `/apis/sallyport.dev/v1alpha1/namespaces/${namespace}/beacons/${name}`,
  configMap: (name: string, namespace = 'default'): string =>
    `/api/v1/namespaces/${namespace}/configmaps/${name}`,
  service: (name: string, namespace = 'default'): string =>
    `/api/v1/namespaces/${namespace}/services/${name}`,
  deployment: (name: string, namespace = 'default'): string =>
    `/apis/apps/v1/namespaces/${namespace}/deployments/${name}`,
};

/** The condition of `type` of an object as stored, if it is True for the object's generation. */
export function conditionOf(
  object:
    | { readonly metadata: { readonly generation?: number }; readonly status?: CommonStatus }
    | undefined,
  type: string,
): Condition | undefined {
  return object?.status?.conditions.find(
    (condition) =>
      condition.type === type &&
      condition.status === 'True' &&
      condition.observedGeneration === object.metadata.generation,
  );
}

/** A Beacon as stored. @throws Error when it does not exist */
export async function beaconOf(
  server: TestApiServer,
  name: string,
  namespace?: string,
): Promise<StoredBeacon> {
  return found((await server.admin.get(paths.beacon(name, namespace))) as StoredBeacon | undefined);
}

/** A Deployment as stored. */
export async function deploymentOf(server: TestApiServer, name: string): Promise<StoredDeployment> {
  return found((await server.admin.get(paths.deployment(name))) as StoredDeployment | undefined);
}

/** A ConfigMap as stored. */
export async function configMapOf(server: TestApiServer, name: string): Promise<StoredConfigMap> {
  return found((await server.admin.get(paths.configMap(name))) as StoredConfigMap | undefined);
}

interface StoredBeacon {
  readonly metadata: { readonly generation?: number };
  readonly status: CommonStatus & { readonly drift?: readonly DriftRecord[] };
}

interface StoredDeployment {
  readonly metadata: ObjectMeta;
  readonly spec: {
    readonly replicas: number;
    readonly template: {
      readonly spec: { readonly containers: readonly { readonly image: string }[] };
    };
  };
}

interface StoredConfigMap {
  readonly metadata: ObjectMeta;
  readonly data: Readonly<Record<string, string>>;
}

function found<T>(object: T | undefined): T {
  if (object === undefined) throw new Error('it does not exist');
  return object;
}
