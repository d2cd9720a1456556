import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ClusterClient } from '../../../src/kubernetes/cluster.client.js';
import { childMetadata } from '../../../src/kubernetes/metadata.js';
import type { TestApiServer } from '../bed/api-server.js';
import { eventually } from '../bed/eventually.js';
import {
  applyBeacon,
  conditionOf,
  paths,
  renderBeacon,
  settled,
  startEngine,
  startEngineBed,
  beaconOf,
  deploymentOf,
} from './engine-bed.js';
import type { Render, TestEngine } from './engine-bed.js';

/** Without `replicas`, an autoscaler of at least two. */
const render: Render = (beacon) => [
  ...renderBeacon(beacon),
  ...(beacon.spec.replicas === undefined
    ? [
        {
          apiVersion: 'autoscaling/v2',
          kind: 'HorizontalPodAutoscaler',
          metadata: childMetadata(beacon, { name: beacon.metadata.name, component: 'beacon' }),
          spec: {
            minReplicas: 2,
            maxReplicas: 10,
            scaleTargetRef: {
              apiVersion: 'apps/v1',
              kind: 'Deployment',
              name: beacon.metadata.name,
            },
          },
        },
      ]
    : []),
];

describe('replicas that pass between the resource and an autoscaler', () => {
  let server: TestApiServer;
  let running: TestEngine;
  const seen: number[] = [];
  const watching = new AbortController();
  let watcher: ClusterClient;

  beforeAll(async () => {
    server = await startEngineBed();
    running = startEngine(server, { render });
    await running.engine.synced;
    await applyBeacon(server, 'scaled', { replicas: 5 });
    await eventually('it is ready', async () =>
      conditionOf(await beaconOf(server, 'scaled'), 'Ready'),
    );
    watcher = new ClusterClient({
      server: server.url,
      ca: server.ca,
      token: server.tokenOf('admin'),
    });
    void follow(watcher, seen, watching.signal);
    await eventually('it is watched', () => seen.length > 0);
  });

  afterAll(async () => {
    watching.abort();
    await watcher.close();
    await running.stop();
    await server.stop();
  });

  const replicas = async (): Promise<number> =>
    (await deploymentOf(server, 'scaled')).spec.replicas;

  const managerOfReplicas = async (): Promise<readonly (string | undefined)[]> =>
    ((await deploymentOf(server, 'scaled')).metadata.managedFields ?? [])
      .filter(
        ({ fieldsV1 }) => 'f:replicas' in ((fieldsV1?.['f:spec'] as object | undefined) ?? {}),
      )
      .map(({ manager }) => manager);

  it('to an autoscaler: are never fewer than before, in any version of the Deployment', async () => {
    await applyBeacon(server, 'scaled', { text: 'one' });
    await eventually(
      'they are not ours any more',
      async () => !(await managerOfReplicas()).includes('sallyport'),
    );
    await settled(running);
    expect(await replicas()).toBe(5);
    expect(await managerOfReplicas()).toEqual(['sallyport-handover']);
  });

  it('with an autoscaler: are left to it, and an edit of the resource needs no hand-over again', async () => {
    const path = `${paths.deployment('scaled')}/scale`;
    await server.admin.call(
      'PATCH',
      `${path}?fieldManager=autoscaler`,
      { spec: { replicas: 8 } },
      {
        contentType: 'application/merge-patch+json',
      },
    );
    await settled(running);
    const since = await server.auditMark();
    await applyBeacon(server, 'scaled', { text: 'one', image: 'registry.invalid/beacon:2' });
    await eventually('it is applied', async () => {
      const { spec } = await deploymentOf(server, 'scaled');
      return spec.template.spec.containers[0]?.image.endsWith(':2') ?? false;
    });
    await settled(running);
    expect(await replicas()).toBe(8);
    expect((await server.callsOf('engine-a', { since })).counts).toEqual({
      'patch deployments': 1,
      'patch beacons/status': 1,
    });
  });

  it('back to the resource: are what it says, and the autoscaler is gone before', async () => {
    await applyBeacon(server, 'scaled', { replicas: 6 });
    await eventually('they are ours', async () => (await replicas()) === 6);
    await settled(running);
    const writes = running.writes.slice(-4).map(({ verb, ref }) => `${verb} ${ref.kind}`);
    expect(writes.indexOf('delete HorizontalPodAutoscaler')).toBeLessThan(
      writes.indexOf('patch Deployment'),
    );
    expect(writes).toContain('delete HorizontalPodAutoscaler');
  });

  it('to an autoscaler, by an engine that starts in the middle: are never fewer', async () => {
    await running.stop();
    await applyBeacon(server, 'scaled', { text: 'one' });
    const crashing = startEngine(server, {
      render,
      client: {
        hooks: {
          afterCall: ({ verb, resource }) => {
            // After the hand-over itself.
            if (verb === 'patch' && resource === 'deployments') throw new Error('crash');
          },
        },
      },
    });
    await eventually('the hand-over is made', async () =>
      (await managerOfReplicas()).includes('sallyport-handover'),
    );
    await crashing.stop();
    running = startEngine(server, { render });
    await eventually(
      'they are not ours any more',
      async () => !(await managerOfReplicas()).includes('sallyport'),
    );
    await settled(running);
    expect(await replicas()).toBe(6);
  });

  it('a gateway at 5 has never shown fewer than 5, watched at the server', () => {
    expect(seen.length).toBeGreaterThan(4);
    expect(Math.min(...seen)).toBe(5);
  });
});

/** Notes `spec.replicas` of every version of the Deployment. */
async function follow(client: ClusterClient, seen: number[], signal: AbortSignal): Promise<void> {
  const scope = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'default' };
  const { items, resourceVersion } = await client.list(scope, { resourceVersion: '' });
  const note = (object: { readonly [field: string]: unknown }): void => {
    seen.push((object['spec'] as { replicas: number }).replicas);
  };
  items.forEach(note);
  try {
    for await (const event of client.watch(scope, {
      signal,
      resourceVersion,
      timeoutSeconds: 300,
      livenessMs: 300_000,
    })) {
      if (event.type !== 'BOOKMARK') note(event.object);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
