import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RelayPool } from '../../../src/kinds/relay-pool.gen.js';
import type { KubernetesObject, ManagedFieldsEntry } from '../../../src/kubernetes/object.js';
import type { RelayGateways, RelaySettings } from '../../../src/relay/settings.js';
import type { TestApiServer } from '../bed/api-server.js';
import { eventually } from '../bed/eventually.js';
import { settled, startEngine, startEngineBed } from '../engine/engine-bed.js';
import type { TestEngine } from '../engine/engine-bed.js';
import { managedObjects } from './gateway-rooms.js';
import { allRooms } from './pool-rooms.js';

const NAMESPACE = 'relays';
const PARTNERS = 'partners';
const POOLS = `/apis/sallyport.dev/v1alpha1/namespaces/${NAMESPACE}/relaypools`;
const STATEFULSETS = `/apis/apps/v1/namespaces/${NAMESPACE}/statefulsets`;
const MERGE = { contentType: 'application/merge-patch+json' };

let server: TestApiServer;
let running: TestEngine;

beforeAll(async () => {
  server = await startEngineBed({ crds: true });
  await server.createNamespace(NAMESPACE);
  await server.createNamespace(PARTNERS);
  running = startEngine(server, { reconcilers: allRooms });
  await applyPool('eu', { replicas: 3 });
  await settled(running, 400);
});
afterAll(async () => {
  await running.stop();
  await server.stop();
});

async function applyPool(name: string, spec: object, annotations = {}): Promise<void> {
  await server.apply({
    apiVersion: 'sallyport.dev/v1alpha1',
    kind: 'RelayPool',
    metadata: { name, namespace: NAMESPACE, annotations },
    spec: { region: 'eu-central', ...spec },
  });
}

async function applyGateway(namespace: string, name: string, spec: object): Promise<void> {
  await server.apply({
    apiVersion: 'sallyport.dev/v1alpha1',
    kind: 'SignalingGateway',
    metadata: { name, namespace },
    spec: { hosts: ['chat.example.com'], ...spec },
  });
}

const pool = async (name: string) => (await server.admin.get(`${POOLS}/${name}`)) as RelayPool;
const conditionOf = async (name: string, type: string) =>
  (await pool(name)).status?.conditions.find((condition) => condition.type === type);
const idOf = ({ kind, metadata }: KubernetesObject) => `${kind}/${metadata.name}`;
const objectsOf = async (name: string) =>
  (await managedObjects(server, NAMESPACE)).filter(({ metadata }) =>
    metadata.name.startsWith(`${name}-`),
  );
const servicesOf = async (name: string) =>
  (await objectsOf(name))
    .filter(({ kind }) => kind === 'Service')
    .map(({ metadata }) => metadata.name)
    .sort();
const configOf = async (name: string, file: string) => {
  const map = await server.admin.get(`/api/v1/namespaces/${NAMESPACE}/configmaps/${name}`);
  return JSON.parse(map.data[file] as string) as unknown;
};
const gatewaysOf = async (name: string) =>
  ((await configOf(`${name}-relay-gateways`, 'gateways.json')) as RelayGateways).gateways.map(
    (gateway) => `${gateway.namespace}/${gateway.name}`,
  );
const statefulSet = (name: string) => server.admin.get(`${STATEFULSETS}/${name}-relay`);
const partitionOf = async (name: string) =>
  (await statefulSet(name)).spec.updateStrategy.rollingUpdate.partition as number;

/** What the StatefulSet's controller would count; without one, the test counts. */
async function count(name: string, status: object): Promise<void> {
  const { metadata } = await eventually(`${name} has a workload`, () => statefulSet(name));
  const body = { status: { observedGeneration: metadata.generation, ...status } };
  await server.admin.call('PATCH', `${STATEFULSETS}/${name}-relay/status`, body, MERGE);
}
const pods = (replicas: number, change: object = {}) => ({
  replicas,
  readyReplicas: replicas,
  availableReplicas: replicas,
  updatedReplicas: replicas,
  currentRevision: 'r1',
  updateRevision: 'r1',
  ...change,
});

describe('a RelayPool of three relays', () => {
  it('becomes every object that it needs, with one Service per relay', async () => {
    expect((await objectsOf('eu')).map(idOf).sort()).toEqual([
      'ConfigMap/eu-relay-gateways',
      'ConfigMap/eu-relay-settings',
      'NetworkPolicy/eu-relay',
      'PodDisruptionBudget/eu-relay',
      'Secret/eu-relay-tls',
      'Service/eu-relay',
      'Service/eu-relay-0',
      'Service/eu-relay-1',
      'Service/eu-relay-2',
      'ServiceAccount/eu-relay',
      'StatefulSet/eu-relay',
    ]);
  });

  it('shows addresses, certificate and effective values in status', async () => {
    const { status, metadata } = await pool('eu');
    expect(status).toMatchObject({ observedGeneration: metadata.generation, renderVersion: 1 });
    expect(status?.conditions.slice(0, 3).map(({ type }) => type)).toEqual([
      'Ready',
      'Reconciling',
      'Stalled',
    ]);
    expect(status?.endpoints?.map(({ replica, protocol }) => `${replica}/${protocol}`)).toEqual([
      '0/UDP',
      '0/TCP',
      '1/UDP',
      '1/TCP',
      '2/UDP',
      '2/TCP',
    ]);
    expect(status?.endpoints?.every(({ address }) => address !== '')).toBe(true);
    expect(status?.certificates?.map(({ purpose }) => purpose)).toContain('Relay');
    expect(status?.effective).toContainEqual({
      field: 'rateLimits.handshakesPerSecond',
      value: '2000',
      source: 'Default',
    });
  });

  it('is Ready when its relays are, and says how many are missing before', async () => {
    await count('eu', pods(3, { readyReplicas: 2, availableReplicas: 2 }));
    await eventually('one is missing', async () =>
      (await conditionOf('eu', 'Ready'))?.message.startsWith('2 of 3 relays are ready'),
    );
    await count('eu', pods(3));
    await eventually('Ready', async () => (await conditionOf('eu', 'Ready'))?.status === 'True');
  });

  it('makes no call when nothing is to do', async () => {
    await settled(running, 400);
    const since = await server.auditMark();
    await server.apply(
      {
        apiVersion: 'sallyport.dev/v1alpha1',
        kind: 'RelayPool',
        metadata: { name: 'eu', namespace: NAMESPACE, labels: { touched: 'yes' } },
      },
      { fieldManager: 'somebody' },
    );
    await settled(running, 400);
    expect((await server.callsOf(running.user, { since })).counts).toEqual({});
  });

  it('writes nothing after a restart with an empty memory', async () => {
    await running.stop();
    const since = await server.auditMark();
    running = startEngine(server, { reconcilers: allRooms });
    await settled(running, 600);
    const { entries } = await server.callsOf(running.user, { since });
    // Without a resource it is discovery: which optional kinds the server has.
    const resources = entries.filter(({ objectRef }) => objectRef !== undefined);
    expect(resources.filter(({ verb }) => !['list', 'watch'].includes(verb))).toEqual([]);
  });
});

describe('the Services of relays', () => {
  it('come with replicas, and go only when the relay behind them has drained', async () => {
    await applyPool('scaled', { replicas: 3 });
    await eventually('three', async () => (await servicesOf('scaled')).length === 4);
    await count('scaled', pods(3));
    await applyPool('scaled', { replicas: 1 });
    await eventually('the workload shrinks', async () => {
      return (await statefulSet('scaled')).spec.replicas === 1;
    });
    await settled(running, 300);
    expect(await servicesOf('scaled')).toHaveLength(4);
    await count('scaled', pods(1));
    await eventually('they are gone', async () => (await servicesOf('scaled')).length === 2);
    expect(await servicesOf('scaled')).toEqual(['scaled-relay', 'scaled-relay-0']);
  });

  it('are as many as an autoscaler may want, and the count of relays is left to it', async () => {
    await applyPool('elastic', { autoscaling: { minReplicas: 2, maxReplicas: 4 } });
    await eventually('four', async () => (await servicesOf('elastic')).length === 5);
    await settled(running, 300);
    const { spec, metadata } = await statefulSet('elastic');
    const entries = metadata.managedFields as ManagedFieldsEntry[];
    const ours = entries.find((e) => e.manager === 'sallyport' && e.subresource === undefined);
    expect(ours?.fieldsV1?.['f:spec']).not.toHaveProperty('f:replicas');
    expect(spec.podManagementPolicy).toBe('Parallel');
    expect((await objectsOf('elastic')).map(idOf)).toContain(
      'HorizontalPodAutoscaler/elastic-relay',
    );
  });

  it('give the addresses of a load balancer to status and to the relays themselves', async () => {
    await applyPool('public', { replicas: 1, exposure: { type: 'LoadBalancer' } });
    await eventually('the Service', async () => (await servicesOf('public')).length === 2);
    await count('public', pods(1));
    await eventually('waits', async () => {
      return (await conditionOf('public', 'Ready'))?.reason === 'WaitingForAddress';
    });
    const path = `/api/v1/namespaces/${NAMESPACE}/services/public-relay-0/status`;
    const status = { loadBalancer: { ingress: [{ ip: '198.51.100.9' }] } };
    await server.admin.call('PATCH', path, { status }, MERGE);
    await eventually(
      'Ready',
      async () => (await conditionOf('public', 'Ready'))?.status === 'True',
    );
    expect((await pool('public')).status?.endpoints?.[0]).toEqual({
      replica: 0,
      address: '198.51.100.9',
      port: 3478,
      protocol: 'UDP',
      state: 'Ready',
    });
    await eventually('the relays know', async () => {
      const settings = (await configOf('public-relay-settings', 'settings.json')) as RelaySettings;
      return settings.peerAddresses.own.includes('198.51.100.9');
    });
    const { spec } = await server.admin.get(path.replace('/status', ''));
    expect(spec).toMatchObject({
      externalTrafficPolicy: 'Local',
      allocateLoadBalancerNodePorts: false,
      selector: { 'statefulset.kubernetes.io/pod-name': 'public-relay-0' },
    });
    expect((spec.ports as object[]).filter((port) => 'nodePort' in port)).toEqual([]);
  });
});

describe('a new template', () => {
  it('reaches one relay at a time, and the next only when all others are ready', async () => {
    await applyPool('stepped', { replicas: 3 });
    await eventually('it stands', async () => (await statefulSet('stepped')) !== undefined);
    await count('stepped', pods(3));
    await settled(running, 300);
    expect(await partitionOf('stepped')).toBe(64);

    await applyPool('stepped', { replicas: 3, drain: { seconds: 60 } });
    await eventually('the template is written', async () => {
      const { spec } = await statefulSet('stepped');
      return spec.template.spec.terminationGracePeriodSeconds === 70;
    });
    expect(await partitionOf('stepped')).toBe(64);
    const step = (updated: number, ready: number) =>
      count(
        'stepped',
        pods(3, {
          updatedReplicas: updated,
          readyReplicas: ready,
          availableReplicas: ready,
          updateRevision: 'r2',
        }),
      );
    for (const [updated, partition] of [
      [0, 2],
      [1, 1],
      [2, 0],
    ] as const) {
      await step(updated, 2);
      await settled(running, 300);
      expect(await partitionOf('stepped')).toBe(partition === 2 ? 64 : partition + 1);
      await step(updated, 3);
      await eventually(
        `partition ${partition}`,
        async () => (await partitionOf('stepped')) === partition,
      );
    }
    expect((await conditionOf('stepped', 'Reconciling'))?.reason).toBe('RollingOut');
    await count('stepped', pods(3, { currentRevision: 'r2', updateRevision: 'r2' }));
    await eventually('frozen again', async () => (await partitionOf('stepped')) === 64);
    // The freeze is a change too: Ready comes when it is seen, not before, and stays.
    expect((await conditionOf('stepped', 'Ready'))?.status).toBe('False');
    await count('stepped', pods(3, { currentRevision: 'r2', updateRevision: 'r2' }));
    await eventually(
      'Ready',
      async () => (await conditionOf('stepped', 'Ready'))?.status === 'True',
    );
  });

  it('is not made by what a relay takes up live', async () => {
    const before = (await statefulSet('eu')).metadata.generation;
    await applyPool('eu', {
      replicas: 3,
      rateLimits: { handshakesPerSecond: 77 },
      stun: { allowPlain: true },
    });
    await eventually('the settings say so', async () => {
      const settings = (await configOf('eu-relay-settings', 'settings.json')) as RelaySettings;
      return settings.rateLimits.handshakesPerSecond === 77 && settings.stun.allowPlain;
    });
    expect((await statefulSet('eu')).metadata.generation).toBe(before);
  });

  it('of somebody else is put back and restarts nothing', async () => {
    await server.admin.call(
      'PATCH',
      `${STATEFULSETS}/eu-relay`,
      {
        spec: {
          template: { spec: { terminationGracePeriodSeconds: 1 } },
          updateStrategy: { rollingUpdate: { partition: 0 } },
        },
      },
      MERGE,
    );
    await eventually('put back', async () => {
      const { spec } = await statefulSet('eu');
      const { partition } = spec.updateStrategy.rollingUpdate;
      return spec.template.spec.terminationGracePeriodSeconds === 130 && partition === 64;
    });
  });
});

describe('a gateway of another namespace', () => {
  const allowing = { replicas: 1, allowedGateways: [{ name: 'far', namespace: PARTNERS }] };

  it('gets its keys into the pool when both sides permit, and out when either takes it back', async () => {
    await applyPool('shared', { replicas: 1 });
    await applyGateway(PARTNERS, 'far', { relayPools: [{ name: 'shared', namespace: NAMESPACE }] });
    await eventually('the pool says why not', async () => {
      return (await conditionOf('shared', 'GatewaysPermitted'))?.reason === 'GatewayNotAllowed';
    });
    expect(await gatewaysOf('shared')).toEqual([]);

    await applyPool('shared', allowing);
    await eventually('the copy', async () =>
      (await gatewaysOf('shared')).includes(`${PARTNERS}/far`),
    );
    const policy = await server.admin.get(
      `/apis/networking.k8s.io/v1/namespaces/${NAMESPACE}/networkpolicies/shared-relay`,
    );
    expect(JSON.stringify(policy.spec.egress)).toContain(
      '"kubernetes.io/metadata.name":"partners"',
    );

    await applyGateway(PARTNERS, 'far', {
      relayPools: [{ name: 'another', namespace: NAMESPACE }],
    });
    await eventually('gone', async () => (await gatewaysOf('shared')).length === 0);

    await applyGateway(PARTNERS, 'far', { relayPools: [{ name: 'shared', namespace: NAMESPACE }] });
    await eventually('back', async () => (await gatewaysOf('shared')).length === 1);
    await server.admin.call(
      'DELETE',
      `/apis/sallyport.dev/v1alpha1/namespaces/${PARTNERS}/signalinggateways/far`,
    );
    await eventually('gone with it', async () => (await gatewaysOf('shared')).length === 0);
  });

  it('S13: gives public halves only', async () => {
    await applyGateway(NAMESPACE, 'near', {});
    await eventually('its keys', async () =>
      (await gatewaysOf('eu')).includes(`${NAMESPACE}/near`),
    );
    const { gateways } = (await configOf('eu-relay-gateways', 'gateways.json')) as RelayGateways;
    expect(gateways[0]?.leaseKeys.length).toBeGreaterThan(1);
    expect(Object.keys(gateways[0]!.leaseKeys[0]!).sort()).toEqual([
      'kid',
      'notAfter',
      'notBefore',
      'publicKey',
    ]);
    const { spec } = (await statefulSet('eu')).spec.template;
    const volumes = spec.volumes as { readonly secret?: object }[];
    const secrets = volumes.flatMap(({ secret }) => secret ?? []);
    expect(secrets).toMatchObject([
      { secretName: 'eu-relay-tls', items: [{ key: 'tls.crt' }, { key: 'tls.key' }] },
    ]);
  });
});

describe('a paused pool', () => {
  it('holds its changes, lists them, and goes on when the annotation is gone', async () => {
    await applyPool('held', { replicas: 1 });
    await eventually('it stands', async () => (await statefulSet('held')) !== undefined);
    const until = new Date(Date.now() + 3_600_000).toISOString();
    await applyPool('held', { replicas: 2 }, { 'sallyport.dev/paused-until': until });
    await eventually('paused', async () => (await pool('held')).status?.paused?.pendingChanges);
    const { status } = await pool('held');
    expect(status?.plan?.map(({ kind, name, change }) => `${change} ${kind}/${name}`)).toEqual(
      expect.arrayContaining(['Create Service/held-relay-1', 'Update StatefulSet/held-relay']),
    );
    expect((await statefulSet('held')).spec.replicas).toBe(1);
    await applyPool('held', { replicas: 2 });
    await eventually('it goes on', async () => (await statefulSet('held')).spec.replicas === 2);
  });
});

describe('a pool in whose way a foreign Secret stands', () => {
  it('says so, and everything else is made', async () => {
    await server.apply(
      {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'blocked-relay-tls', namespace: NAMESPACE },
      },
      { fieldManager: 'somebody' },
    );
    await applyPool('blocked', { replicas: 1 });
    await eventually('stalled', async () => {
      return (await conditionOf('blocked', 'Stalled'))?.reason === 'ForeignObject';
    });
    expect((await conditionOf('blocked', 'Stalled'))?.message).toContain('blocked-relay-tls');
    expect((await objectsOf('blocked')).map(idOf)).toContain('StatefulSet/blocked-relay');
  });
});
