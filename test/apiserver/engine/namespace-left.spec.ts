import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Cluster } from '../../../src/kubernetes/cluster.js';
import { childMetadata } from '../../../src/kubernetes/metadata.js';
import type { KubernetesObject, ObjectRef } from '../../../src/kubernetes/object.js';
import type { Reconciler } from '../../../src/kubernetes/reconciler.js';
import type { TestApiServer } from '../bed/api-server.js';
import { eventually } from '../bed/eventually.js';
import {
  applyBeacon,
  beaconOf,
  beaconReconciler,
  BEACONS,
  conditionOf,
  paths,
  settings,
  settled,
  startEngine,
  startEngineBed,
} from './engine-bed.js';
import type { Beacon, TestEngine } from './engine-bed.js';

/** A Beacon becomes a ConfigMap that lists every Beacon there is, as a pool lists the gateways of other namespaces. */
const listing = (cluster: Cluster): readonly Reconciler[] => {
  const all = () => cluster.list<Beacon>(BEACONS.apiVersion, BEACONS.kind);
  const reconciler = beaconReconciler(cluster, (beacon) => {
    const names = all().map(({ metadata }) => `${metadata.namespace ?? ''}/${metadata.name}`);
    return [{ ...settings(beacon), data: { text: names.sort().join(' ') } }];
  });
  const keysOf = () => all().map(({ metadata: { namespace = '', name } }) => ({ namespace, name }));
  const secrets = { apiVersion: 'v1', kind: 'Secret', keysOf: () => [] };
  return [{ ...reconciler, watches: [...reconciler.watches, { ...BEACONS, keysOf }, secrets] }];
};

describe('a namespace that leaves the scope of an engine', () => {
  let server: TestApiServer;
  let running: TestEngine;

  beforeAll(async () => {
    server = await startEngineBed({ controllerManager: true });
    for (const namespace of ['here', 'there', 'doomed']) {
      await server.createNamespace(namespace, { team: 'light' });
      await applyBeacon(server, 'b', { text: 'one' }, { namespace });
    }
    running = startEngine(server, {
      scope: { type: 'Labelled', labelSelector: 'team=light' },
      reconcilers: listing,
    });
    await listedHere('doomed/b here/b there/b');
  });

  afterAll(async () => {
    await running.stop();
    await server.stop();
  });

  const textHere = async (): Promise<string> => {
    const found = await server.admin.get(paths.configMap('b-settings', 'here'));
    return (found as { readonly data?: { readonly text: string } } | undefined)?.data?.text ?? '';
  };
  const listedHere = (names: string): Promise<unknown> =>
    eventually(`${names} are listed`, async () => (await textHere()) === names);
  const label = (namespace: string, team: string): Promise<unknown> =>
    server.admin.call(
      'PATCH',
      `/api/v1/namespaces/${namespace}`,
      { metadata: { labels: { team } } },
      { contentType: 'application/merge-patch+json' },
    );
  const cached = async (kind: string): Promise<string | undefined> =>
    new RegExp(`^sallyport_cache_objects\\{kind="${kind}"\\} (\\d+)$`, 'm').exec(
      await running.metrics.text(),
    )?.[1];
  /** A change here makes the list anew. */
  const lookAgainHere = async (text: string): Promise<void> => {
    await applyBeacon(server, 'b', { text }, { namespace: 'here' });
    await eventually('it was looked at', async () =>
      conditionOf(await beaconOf(server, 'b', 'here'), 'Ready'),
    );
    await settled(running);
  };

  it('is gone for the others when it was deleted', async () => {
    await server.request('DELETE', '/api/v1/namespaces/doomed');
    await listedHere('here/b there/b');
    await eventually(
      'it is gone',
      async () => !(await server.admin.get('/api/v1/namespaces/doomed')),
    );
    await settled(running);
    expect(await textHere()).toBe('here/b there/b');
  });

  it('is unknown, not empty: what it had stays as it was for plans of other namespaces', async () => {
    const there = 'there';
    await label(there, 'dark');
    await eventually('it has left', () => !running.engine.follows(there));
    await lookAgainHere('two');
    expect(await textHere()).toBe('here/b there/b');
    expect(running.engine.follows('here')).toBe(true);
  });

  it('is not counted in the cache, and the answer to a late write does not enter it', async () => {
    expect([await cached('Beacon'), await cached('ConfigMap')]).toEqual(['1', '1']);
    const ref: ObjectRef = { ...BEACONS, namespace: 'there', name: 'b' };
    const owner = running.engine.cluster.get<Beacon>(ref)!;
    const late: KubernetesObject = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: childMetadata(owner, { name: 'late', component: 'beacon' }),
      data: { text: 'late' },
    };
    await running.engine.cluster.apply(owner, late);
    expect(running.engine.cluster.childrenOfKind('v1', 'ConfigMap', 'there')).toEqual([]);
    expect(await cached('ConfigMap')).toBe('1');
  });

  it('is known again when it comes back, without what was deleted meanwhile', async () => {
    await server.request('DELETE', paths.beacon('b', 'there'));
    await applyBeacon(server, 'c', { text: 'one' }, { namespace: 'there' });
    await lookAgainHere('three');
    expect(await textHere()).toBe('here/b there/b');
    await label('there', 'light');
    await listedHere('here/b there/c');
    await settled(running);
    expect(await cached('Beacon')).toBe('2');
  });

  it('may leave and come back at once, and nothing of it is lost', async () => {
    await label('there', 'dark');
    await label('there', 'light');
    await settled(running, 500);
    await lookAgainHere('four');
    expect(await textHere()).toBe('here/b there/c');
    expect([await cached('Beacon'), running.engine.follows('there')]).toEqual(['2', true]);
  });
});
