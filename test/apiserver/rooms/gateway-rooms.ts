import type { SignalingGateway } from '../../../src/kinds/signaling-gateway.gen.js';
import type { Cluster } from '../../../src/kubernetes/cluster.js';
import type { KubernetesObject } from '../../../src/kubernetes/object.js';
import type { Reconciler } from '../../../src/kubernetes/reconciler.js';
import { BundleKey } from '../../../src/operator/keys/bundle-key.keysmith.js';
import { CaKeysmith } from '../../../src/operator/keys/ca.keysmith.js';
import { KeyOrdersKeysmith } from '../../../src/operator/keys/key-orders.keysmith.js';
import { NamespaceKeysReconciler } from '../../../src/operator/keys/namespace-keys.reconciler.js';
import { SignalingGatewayReconciler } from '../../../src/operator/signaling-gateway/signaling-gateway.reconciler.js';
import type { GatewayRoomSettings } from '../../../src/operator/signaling-gateway/situation.js';
import type { Clock } from '../../../src/runtime/clock.js';
import { systemClock } from '../../../src/runtime/system.clock.js';
import type { TestApiServer } from '../bed/api-server.js';

/** What the operator's settings would say. */
export const ROOM_SETTINGS: GatewayRoomSettings = {
  installId: 'test',
  renders: [
    {
      version: 1,
      image: {
        repository: 'registry.example.com/sallyport',
        tag: '0.1.0',
        digest: `sha256:${'0'.repeat(64)}`,
        pullPolicy: 'IfNotPresent',
        allowedRepositories: ['r.example'],
      },
    },
  ],
  checkSecretsEverySeconds: 300,
};

/** The gateway's room with real keys, and the reconciler of the namespaces' CAs. */
export function gatewayRooms(
  cluster: Cluster,
  settings: Partial<GatewayRoomSettings> = {},
  clock: Clock = systemClock,
): readonly Reconciler[] {
  const authorities = new CaKeysmith({ cluster, clock });
  const keysmith = new KeyOrdersKeysmith({ cluster, authorities });
  const bundleKey = new BundleKey({ cluster, clock, keysmith, namespace: 'default' });
  return [
    new NamespaceKeysReconciler({ cluster, clock, authorities, bundleKey }),
    new SignalingGatewayReconciler({
      cluster,
      clock,
      keysmith,
      signer: bundleKey,
      settings: { ...ROOM_SETTINGS, ...settings },
    }),
  ];
}

/** Every object of our making in a namespace, whole. */
export async function managedObjects(
  server: TestApiServer,
  namespace: string,
): Promise<readonly KubernetesObject[]> {
  const kinds = [
    ['v1', 'Secret', '/api/v1', 'secrets'],
    ['v1', 'ConfigMap', '/api/v1', 'configmaps'],
    ['v1', 'Service', '/api/v1', 'services'],
    ['v1', 'ServiceAccount', '/api/v1', 'serviceaccounts'],
    ['apps/v1', 'Deployment', '/apis/apps/v1', 'deployments'],
    ['apps/v1', 'StatefulSet', '/apis/apps/v1', 'statefulsets'],
    ['apps/v1', 'ControllerRevision', '/apis/apps/v1', 'controllerrevisions'],
    ['networking.k8s.io/v1', 'NetworkPolicy', '/apis/networking.k8s.io/v1', 'networkpolicies'],
    ['networking.k8s.io/v1', 'Ingress', '/apis/networking.k8s.io/v1', 'ingresses'],
    ['policy/v1', 'PodDisruptionBudget', '/apis/policy/v1', 'poddisruptionbudgets'],
    [
      'autoscaling/v2',
      'HorizontalPodAutoscaler',
      '/apis/autoscaling/v2',
      'horizontalpodautoscalers',
    ],
  ] as const;
  const lists = await Promise.all(
    kinds.map(async ([apiVersion, kind, group, plural]) => {
      const selector = 'labelSelector=app.kubernetes.io%2Fmanaged-by%3Dsallyport';
      const { items } = await server.admin.get(
        `${group}/namespaces/${namespace}/${plural}?${selector}`,
      );
      return (items as KubernetesObject[]).map((item) => ({ ...item, apiVersion, kind }));
    }),
  );
  return lists.flat();
}

/** The gateway as the API server has it. */
export async function gatewayAt(
  server: TestApiServer,
  namespace: string,
  name: string,
): Promise<SignalingGateway> {
  const path = `/apis/sallyport.dev/v1alpha1/namespaces/${namespace}/signalinggateways/${name}`;
  return (await server.admin.get(path)) as SignalingGateway;
}
