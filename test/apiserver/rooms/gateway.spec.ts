import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { KubernetesObject } from '../../../src/kubernetes/object.js';
import { aSignalingGateway } from '../../builders.js';
import type { TestApiServer } from '../bed/api-server.js';
import { eventually } from '../bed/eventually.js';
import { settled, startEngine, startEngineBed } from '../engine/engine-bed.js';
import type { TestEngine } from '../engine/engine-bed.js';
import { gatewayAt, gatewayRooms, managedObjects } from './gateway-rooms.js';
import { SECRETS, VARIANTS } from './gateway-variants.js';

const NAMESPACE = 'gateways';
const ADMINISTRATOR = 'sp1abcdefghijklmnopqrstuvwxyz234567';

let server: TestApiServer;
let running: TestEngine;

beforeAll(async () => {
  server = await startEngineBed({ crds: true });
  await server.createNamespace(NAMESPACE);
  running = startEngine(server, { reconcilers: gatewayRooms });
  await applyGateway('edge', {});
  await settled(running, 400);
});
afterAll(async () => {
  await running.stop();
  await server.stop();
});

async function applyGateway(name: string, spec: object, annotations = {}): Promise<void> {
  await server.apply({
    apiVersion: 'sallyport.dev/v1alpha1',
    kind: 'SignalingGateway',
    metadata: { name, namespace: NAMESPACE, annotations },
    spec: {
      hosts: ['chat.example.com'],
      authentication: { administrators: [ADMINISTRATOR] },
      ...spec,
    },
  });
}

const conditionOf = async (name: string, type: string) => {
  const { status } = await gatewayAt(server, NAMESPACE, name);
  return status?.conditions.find((condition) => condition.type === type);
};
const objects = () => managedObjects(server, NAMESPACE);
const idOf = ({ kind, metadata }: KubernetesObject) => `${kind}/${metadata.name}`;

describe('a SignalingGateway with nothing but a host', () => {
  it('becomes every object that it needs', async () => {
    expect((await objects()).map(idOf).sort()).toEqual([
      'ConfigMap/edge-gateway-relays',
      'ConfigMap/edge-gateway-settings',
      'ConfigMap/sallyport-ca',
      'NetworkPolicy/edge-gateway',
      'PodDisruptionBudget/edge-gateway',
      'Secret/edge-gateway-internal-tls',
      'Secret/edge-gateway-lease-keys',
      'Secret/edge-gateway-tls',
      'Secret/sallyport-ca',
      'Service/edge-gateway',
      'Service/edge-gateway-internal',
      'ServiceAccount/edge-gateway',
      'StatefulSet/edge-gateway',
    ]);
  });

  it('shows in status what it is doing, its keys, certificates and effective values', async () => {
    const { status, metadata } = await gatewayAt(server, NAMESPACE, 'edge');
    expect(status).toMatchObject({
      observedGeneration: metadata.generation,
      renderVersion: 1,
      endpoints: [{ address: 'edge-gateway.gateways.svc', port: 8443, state: 'NotReady' }],
    });
    expect(status?.keys?.map(({ state }) => state).sort()).toEqual(['Current', 'Next']);
    const purposes = status?.certificates?.map(({ purpose }) => purpose);
    expect([...new Set(purposes)]).toEqual(['Public', 'Internal', 'Authority']);
    expect(status?.effective).toContainEqual({
      field: 'leases.lifetimeSeconds',
      value: '600',
      source: 'Default',
    });
    expect(await conditionOf('edge', 'Reconciling')).toMatchObject({
      status: 'True',
      reason: 'RollingOut',
    });
  });

  it('makes no call when nothing is to do, whoever asks', async () => {
    await settled(running, 400);
    const since = await server.auditMark();
    await server.apply(
      {
        apiVersion: 'sallyport.dev/v1alpha1',
        kind: 'SignalingGateway',
        metadata: { name: 'edge', namespace: NAMESPACE, labels: { touched: 'yes' } },
      },
      { fieldManager: 'somebody' },
    );
    await settled(running, 400);
    const { counts } = await server.callsOf(running.user, { since });
    expect(counts).toEqual({});
  });

  it('writes nothing after a restart with an empty memory', async () => {
    await running.stop();
    const since = await server.auditMark();
    running = startEngine(server, { reconcilers: gatewayRooms });
    await settled(running, 600);
    const calls = await server.callsOf(running.user, { since });
    expect(calls.writes).toBe(0);
    // Discovery asks for optional kinds; no object is read.
    expect(
      calls.entries.filter(({ verb, objectRef }) => verb === 'get' && objectRef?.name),
    ).toEqual([]);
  });

  it('becomes Ready with its pods', async () => {
    await server.admin.call(
      'PATCH',
      `/apis/apps/v1/namespaces/${NAMESPACE}/statefulsets/edge-gateway/status`,
      {
        status: {
          observedGeneration: 1,
          replicas: 1,
          readyReplicas: 1,
          updatedReplicas: 1,
          availableReplicas: 1,
        },
      },
      { contentType: 'application/merge-patch+json' },
    );
    await eventually('Ready', async () => (await conditionOf('edge', 'Ready'))?.status === 'True');
    const { status } = await gatewayAt(server, NAMESPACE, 'edge');
    expect(status?.readyReplicas).toBe(1);
    expect(status?.endpoints?.[0]?.state).toBe('Ready');
  });
});

describe('gateways that use every field', () => {
  beforeAll(async () => {
    for (const [name, stringData] of Object.entries(SECRETS)) {
      const metadata = { name, namespace: NAMESPACE };
      await server.apply({ apiVersion: 'v1', kind: 'Secret', metadata, stringData });
    }
    for (const [name, spec] of Object.entries(VARIANTS)) await applyGateway(name, spec);
    await settled(running, 600);
  });

  it.each(Object.keys(VARIANTS))('%s has a workload and is not stalled', async (name) => {
    expect(await conditionOf(name, 'Stalled')).toMatchObject({ status: 'False' });
    const workloads = (await objects()).filter(
      ({ kind, metadata }) =>
        (kind === 'Deployment' || kind === 'StatefulSet') && metadata.name === `${name}-gateway`,
    );
    expect(workloads).toHaveLength(1);
  });

  it('make no call when nothing is to do, although they name Secrets', async () => {
    await settled(running, 600);
    const since = await server.auditMark();
    running.engine.enqueueAll();
    await settled(running, 400);
    expect((await server.callsOf(running.user, { since })).counts).toEqual({});
  });

  it('are written once: after a restart with an empty memory nothing differs', async () => {
    await running.stop();
    const before = await objects();
    running = startEngine(server, { reconcilers: gatewayRooms });
    const since = await server.auditMark();
    await settled(running, 800);
    expect((await server.callsOf(running.user, { since })).writes).toBe(0);
    expect(await objects()).toEqual(before);
  });
});

describe('a builder of tests', () => {
  it('is as the API server defaults it', async () => {
    const { spec } = await gatewayAt(server, NAMESPACE, 'edge');
    expect({ ...aSignalingGateway().spec, authentication: spec.authentication }).toEqual(spec);
  });
});
