import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Cluster } from '../../../src/kubernetes/cluster.js';
import { childMetadata } from '../../../src/kubernetes/metadata.js';
import type { TestApiServer } from '../bed/api-server.js';
import { eventually } from '../bed/eventually.js';
import {
  applyBeacon,
  beaconReconciler,
  conditionOf,
  paths,
  renderBeacon,
  settled,
  startEngine,
  startEngineBed,
  beaconOf,
} from './engine-bed.js';
import type { Beacon, TestEngine } from './engine-bed.js';

describe('an engine that works in some namespaces', () => {
  let server: TestApiServer;
  let running: TestEngine;

  beforeAll(async () => {
    server = await startEngineBed();
    await server.createNamespace('chosen', { team: 'light' });
    await server.createNamespace('other');
    for (const namespace of ['chosen', 'other', 'default'])
      await applyBeacon(server, 'b', { replicas: 1 }, { namespace });
  });

  afterAll(async () => {
    await running.stop();
    await server.stop();
  });

  const readyIn = (namespace: string): Promise<unknown> =>
    eventually(`ready in ${namespace}`, async () =>
      conditionOf(await beaconOf(server, 'b', namespace), 'Ready'),
    );
  const workloadIn = (namespace: string): Promise<unknown> =>
    server.admin.get(paths.deployment('b', namespace));

  it('by name touches these and no other', async () => {
    running = startEngine(server, { scope: { type: 'Named', namespaces: ['chosen'] } });
    await readyIn('chosen');
    await settled(running);
    expect(await workloadIn('other')).toBeUndefined();
    const { entries } = await server.callsOf('engine-a');
    // Discovery concerns no object.
    const namespaces = entries.flatMap(({ objectRef }) => (objectRef ? [objectRef.namespace] : []));
    expect(new Set(namespaces)).toEqual(new Set(['chosen']));
    await running.stop();
  });

  it('by label takes up a namespace that gets the label, and makes no needless call there', async () => {
    running = startEngine(server, { scope: { type: 'Labelled', labelSelector: 'team=light' } });
    await readyIn('chosen');
    await settled(running);
    expect(await workloadIn('other')).toBeUndefined();
    const since = await server.auditMark();
    await label('other', 'light');
    await readyIn('other');
    await settled(running);
    const { counts } = await server.callsOf('engine-a', { since });
    expect(counts).toMatchObject({ 'patch deployments': 1, 'patch beacons/status': 1 });
    expect(Object.keys(counts).some((call) => call.startsWith('get '))).toBe(false);
  });

  it('by label drops a namespace that loses it: what runs there stays and is not repaired any more', async () => {
    await label('other', 'dark');
    await new Promise((resolve) => setTimeout(resolve, 300));
    await server.request('DELETE', paths.deployment('b', 'other'));
    await applyBeacon(server, 'b', { replicas: 2 }, { namespace: 'other' });
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await workloadIn('other')).toBeUndefined();
    expect(await server.admin.get(paths.service('b', 'other'))).toBeDefined();
  });

  it('by label takes it up again, once its caches are whole: what stands there is neither read nor written', async () => {
    const since = await server.auditMark();
    await label('other', 'light');
    await eventually('it is repaired', () => workloadIn('other'));
    await readyIn('other');
    await settled(running);
    const { counts } = await server.callsOf('engine-a', { since });
    const others = Object.keys(counts).filter((call) => /(services|configmaps)$/.test(call));
    expect(others.filter((call) => !/^(list|watch) /.test(call))).toEqual([]);
  });

  const label = (namespace: string, team: string): Promise<unknown> =>
    server.admin.call(
      'PATCH',
      `/api/v1/namespaces/${namespace}`,
      { metadata: { labels: { team } } },
      {
        contentType: 'application/merge-patch+json',
      },
    );
});

describe('an engine', () => {
  let server: TestApiServer;
  let running: TestEngine;

  beforeAll(async () => {
    server = await startEngineBed();
    await applyBeacon(server, 'lone', { replicas: 1 });
  });

  afterAll(async () => {
    await running.stop();
    await server.stop();
  });

  /** Beacons with a ServiceMonitor where that kind is served. */
  const monitored = (cluster: Cluster) => [
    {
      ...beaconReconciler(cluster, (beacon: Beacon) => [
        ...renderBeacon(beacon),
        ...(cluster.serves('monitoring.coreos.com/v1', 'ServiceMonitor')
          ? [
              {
                apiVersion: 'monitoring.coreos.com/v1',
                kind: 'ServiceMonitor',
                metadata: childMetadata(beacon, {
                  name: beacon.metadata.name,
                  component: 'beacon',
                }),
                spec: { endpoints: [{ port: 'metrics' }] },
              },
            ]
          : []),
      ]),
      watches: [
        ...beaconReconciler(cluster, renderBeacon).watches,
        { apiVersion: 'monitoring.coreos.com/v1', kind: 'ServiceMonitor', keysOf: () => [] },
      ],
    },
  ];

  it('does without a kind that is not served', async () => {
    running = startEngine(server, { reconcilers: monitored, recheckKindsMs: 1_000 });
    await eventually('it is ready', async () =>
      conditionOf(await beaconOf(server, 'lone'), 'Ready'),
    );
    expect(running.engine.health()).toMatchObject({ synced: true, leader: true });
  });

  it('uses the kind once it is served', async () => {
    await server.apply(SERVICE_MONITORS);
    const path = '/apis/monitoring.coreos.com/v1/namespaces/default/servicemonitors';
    await eventually('it is served', () => server.admin.get(path));
    await eventually('it is used', () => server.admin.get(`${path}/lone`));
  });

  it('records what it did as events, each once', async () => {
    await running.stop();
    running = startEngine(server, {
      plan: { events: [{ type: 'Normal', reason: 'Lit', note: 'The beacon is lit.' }] },
    });
    await applyBeacon(server, 'eventful', { replicas: 1 });
    const events = async (): Promise<readonly StoredEvent[]> => {
      const path = '/apis/events.k8s.io/v1/namespaces/default/events';
      const { items } = (await server.admin.get(path)) as {
        readonly items: readonly StoredEvent[];
      };
      return items.filter(({ regarding }) => regarding.name === 'eventful');
    };
    await eventually('there is one', async () => (await events()).length > 0);
    await applyBeacon(server, 'eventful', { replicas: 2 });
    await applyBeacon(server, 'eventful', { replicas: 3 });
    await settled(running, 400);
    expect(await events()).toMatchObject([
      {
        reason: 'Lit',
        note: 'The beacon is lit.',
        type: 'Normal',
        reportingController: 'sallyport.dev/operator',
        regarding: { kind: 'Beacon', name: 'eventful' },
      },
    ]);
  });

  it('repeats no event when it starts anew', async () => {
    await running.stop();
    const since = await server.auditMark();
    running = startEngine(server, {
      plan: { events: [{ type: 'Normal', reason: 'Lit', note: 'The beacon is lit.' }] },
    });
    await settled(running, 400);
    expect((await server.callsOf('engine-a', { since })).writes).toBe(0);
  });

  it('shows every metric at 0 before anything happened, and counts calls of the client', async () => {
    const text = await running.metrics.text();
    for (const line of [
      'controller_runtime_reconcile_total{controller="beacon",result="error"} 0',
      'controller_runtime_reconcile_errors_total{controller="beacon"} 0',
      'sallyport_drift_reverts_total{kind="Deployment"} 0',
      'sallyport_applies_total{kind="Deployment",outcome="Failed"} 0',
      'workqueue_depth{name="beacon"} 0',
      'leader_election_master_status{name="sallyport"} 1',
      'sallyport_fight_active 0',
      'sallyport_paused{kind="Beacon"} 0',
    ])
      expect(text).toContain(line);
    expect(text).toMatch(/sallyport_cache_objects\{kind="Deployment"\} [1-9]/);
    expect(text).toMatch(/workqueue_adds_total\{name="beacon"\} [1-9]/);
  });

  it('finishes what is in work when it is stopped, within two seconds', async () => {
    await running.stop();
    running = startEngine(server, {
      client: {
        hooks: {
          afterCall: async ({ verb }) => {
            if (verb === 'patch') await new Promise((resolve) => setTimeout(resolve, 100));
          },
        },
      },
    });
    await running.engine.synced;
    const since = await server.auditMark();
    await applyBeacon(server, 'last', { replicas: 1 });
    await eventually('it has begun', () => server.admin.get(paths.configMap('last-settings')));
    const began = performance.now();
    await running.stop();
    expect(performance.now() - began).toBeLessThan(2_000);
    expect(conditionOf(await beaconOf(server, 'last'), 'Ready')).toBeDefined();
    expect((await server.callsOf('engine-a', { since })).counts['patch deployments']).toBe(1);
  });

  it('cuts off what hangs when it is stopped', async () => {
    running = startEngine(server);
    await settled(running);
    await server.freeze();
    try {
      running.engine.cluster
        .read({ apiVersion: 'v1', kind: 'Secret', namespace: 'default', name: 'x' })
        .catch(() => undefined);
      const began = performance.now();
      await running.engine.stop();
      expect(performance.now() - began).toBeLessThan(2_000);
    } finally {
      server.thaw();
    }
  });

  it('survives an outage of the API server and converges after it', async () => {
    await running.stop();
    running = startEngine(server);
    await settled(running);
    await server.killKubeApiServer();
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    await server.startKubeApiServer();
    await applyBeacon(server, 'after', { replicas: 1 });
    await eventually('it is ready', async () =>
      conditionOf(await beaconOf(server, 'after'), 'Ready'),
    );
  });
});

interface StoredEvent {
  readonly regarding: { readonly name: string };
}

const SERVICE_MONITORS = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'servicemonitors.monitoring.coreos.com' },
  spec: {
    group: 'monitoring.coreos.com',
    scope: 'Namespaced',
    names: { kind: 'ServiceMonitor', plural: 'servicemonitors', singular: 'servicemonitor' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: { spec: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
          },
        },
      },
    ],
  },
};
