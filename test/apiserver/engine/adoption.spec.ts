import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { childMetadata } from '../../../src/kubernetes/metadata.js';
import { refOf } from '../../../src/kubernetes/object.js';
import type { KubernetesObject } from '../../../src/kubernetes/object.js';
import type { TestApiServer } from '../bed/api-server.js';
import { eventually } from '../bed/eventually.js';
import {
  applyBeacon,
  beaconReconciler,
  BEACONS,
  conditionOf,
  paths,
  settled,
  startEngine,
  startEngineBed,
  beaconOf,
  deploymentOf,
  configMapOf,
} from './engine-bed.js';
import type { Beacon, TestEngine } from './engine-bed.js';

const CONSENT = { 'sallyport.dev/adopt': 'true' };

describe('an object of somebody else that stands where a child belongs', () => {
  let server: TestApiServer;
  let running: TestEngine;

  beforeAll(async () => {
    server = await startEngineBed();
    running = startEngine(server);
    await running.engine.synced;
  });

  afterAll(async () => {
    await running.stop();
    await server.stop();
  });

  const foreign = async (name: string): Promise<void> => {
    await server.apply(
      {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name },
        data: { text: 'theirs', more: 'x' },
      },
      { fieldManager: 'somebody' },
    );
  };

  it('is not touched; status names it and the annotation; everything else is applied', async () => {
    await foreign('left-settings');
    await applyBeacon(server, 'left', {});
    const beacon = await eventually('it is stalled', async () => {
      const found = await beaconOf(server, 'left');
      return conditionOf(found, 'Stalled') && found;
    });
    const [ready] = beacon.status.conditions;
    expect(ready).toMatchObject({ type: 'Ready', status: 'False', reason: 'ForeignObject' });
    expect(ready?.message).toContain('ConfigMap default/left-settings');
    expect(ready?.message).toContain('sallyport.dev/adopt');
    const theirs = await configMapOf(server, 'left-settings');
    expect(theirs.data).toEqual({ text: 'theirs', more: 'x' });
    expect(theirs.metadata.managedFields).toHaveLength(1);
    expect(await deploymentOf(server, 'left')).toBeDefined();
  });

  const consent = (path: string): Promise<unknown> =>
    server.admin.call(
      'PATCH',
      path,
      { metadata: { annotations: CONSENT } },
      { contentType: 'application/merge-patch+json' },
    );

  it('is left alone while it stands, without a storm of calls', async () => {
    await settled(running);
    const since = await server.auditMark();
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect((await server.callsOf('engine-a', { since })).total).toBe(0);
  });

  it('T51: is not taken over when the resource alone says so: its author has not consented', async () => {
    await applyBeacon(server, 'left', {}, { annotations: CONSENT });
    await settled(running, 400);
    const theirs = await configMapOf(server, 'left-settings');
    expect(theirs.data).toEqual({ text: 'theirs', more: 'x' });
    expect(theirs.metadata.managedFields).toHaveLength(1);
    const beacon = await beaconOf(server, 'left');
    expect(conditionOf(beacon, 'Stalled')?.reason).toBe('ForeignObject');
  });

  it('is taken over when both say so, and keeps what we do not want of it', async () => {
    await consent(paths.configMap('left-settings'));
    running.engine.enqueueAll();
    const adopted = await eventually('it is ours', async () => {
      const found = await configMapOf(server, 'left-settings');
      return found.metadata.labels?.['sallyport.dev/owner-uid'] === undefined ? undefined : found;
    });
    expect(adopted.data).toEqual({ text: 'one', more: 'x' });
    await eventually('it is ready', async () =>
      conditionOf(await beaconOf(server, 'left'), 'Ready'),
    );
  });

  it('is created once the foreign one is gone and the resource is looked at again', async () => {
    await foreign('waits-settings');
    await applyBeacon(server, 'waits', {});
    await eventually('it is stalled', async () =>
      conditionOf(await beaconOf(server, 'waits'), 'Stalled'),
    );
    await server.request('DELETE', paths.configMap('waits-settings'));
    running.engine.enqueueAll();
    await eventually('it is ready', async () =>
      conditionOf(await beaconOf(server, 'waits'), 'Ready'),
    );
  });

  it('is never another resource of ours: two that want one object do not take it from each other', async () => {
    await running.stop();
    running = startEngine(server, {
      render: (beacon) => [
        {
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: {
            name: 'shared',
            namespace: 'default',
            labels: {
              'app.kubernetes.io/managed-by': 'sallyport',
              'sallyport.dev/owner-uid': beacon.metadata.uid ?? '',
            },
          },
          data: { by: beacon.metadata.name },
        },
      ],
      plan: { prune: 'Nothing' },
    });
    await applyBeacon(server, 'owner', {});
    await eventually('it is made', () => server.admin.get(paths.configMap('shared')));
    const { by } = (await configMapOf(server, 'shared')).data;
    await settled(running);
    running.engine.enqueueAll();
    await settled(running);
    const after = await configMapOf(server, 'shared');
    expect(after.data.by).toBe(by);
    const stalled = await Promise.all(
      ['left', 'waits', 'owner'].map(async (name) =>
        conditionOf(await beaconOf(server, name), 'Stalled'),
      ),
    );
    expect(stalled.filter(Boolean)).toHaveLength(2);
  });

  it('our own object whose labels were stripped is recognised by its fields and repaired', async () => {
    await running.stop();
    running = startEngine(server);
    await applyBeacon(server, 'stripped', {});
    await eventually('it is made', () => server.admin.get(paths.configMap('stripped-settings')));
    await settled(running);
    await server.request(
      'PATCH',
      paths.configMap('stripped-settings'),
      { metadata: { labels: null }, data: { text: 'edited' } },
      { contentType: 'application/merge-patch+json' },
    );
    const repaired = await eventually('it is repaired', async () => {
      const found = await configMapOf(server, 'stripped-settings');
      return found.metadata.labels?.['sallyport.dev/owner-uid'] === undefined ? undefined : found;
    });
    expect(repaired.data.text).toBe('one');
  });
});

describe('an object that is applied outside of a plan, such as a Secret with keys', () => {
  let server: TestApiServer;
  let running: TestEngine;
  let owner: Beacon;

  beforeAll(async () => {
    server = await startEngineBed();
    await server.createNamespace('unseen');
    running = startEngine(server, {
      scope: { type: 'Named', namespaces: ['default'] },
      render: () => [],
      plan: { prune: 'Nothing' },
    });
    await running.engine.synced;
    owner = await applyBeacon(server, 'keyed', { text: 'one' });
    await settled(running);
  });

  afterAll(async () => {
    await running.stop();
    await server.stop();
  });

  const secret = (name: string, value: string, namespace = 'default'): KubernetesObject => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: childMetadata(owner, { name, component: 'beacon', namespace }),
    type: 'Opaque',
    data: { key: Buffer.from(value).toString('base64') },
  });
  const path = (name: string, namespace = 'default'): string =>
    `/api/v1/namespaces/${namespace}/secrets/${name}`;
  const dataOf = async (name: string, namespace?: string): Promise<string> => {
    const { data } = (await server.admin.get(path(name, namespace))) as {
      readonly data: { readonly key: string };
    };
    return Buffer.from(data.key, 'base64').toString();
  };

  it('is made, changed, and in the cache when the call is answered, without its data', async () => {
    const { cluster } = running.engine;
    await cluster.apply(owner, secret('keys', 'first'));
    expect(cluster.child(refOf(secret('keys', '')))).toMatchObject({
      ownerUid: owner.metadata.uid,
    });
    await cluster.apply(owner, secret('keys', 'second'));
    expect(await dataOf('keys')).toBe('second');
    expect(JSON.stringify(cluster.child(refOf(secret('keys', ''))))).not.toContain('c2Vjb25k');
  });

  it('never overwrites keys that the cache has not seen', async () => {
    const { cluster } = running.engine;
    await server.apply(secret('keys', 'older', 'unseen') as never, { fieldManager: 'sallyport' });
    await expect(cluster.apply(owner, secret('keys', 'newer', 'unseen'))).rejects.toThrow(
      'not in the cache',
    );
    expect(await dataOf('keys', 'unseen')).toBe('older');
  });

  it('never overwrites a newer version than the cache has', async () => {
    const { cluster } = running.engine;
    const stale = startEngine(server, {
      user: 'engine-b',
      scope: { type: 'Named', namespaces: ['default'] },
      render: () => [],
      plan: { prune: 'Nothing' },
    });
    await stale.engine.synced;
    const [ours, theirs] = await Promise.allSettled([
      cluster.apply(owner, secret('keys', 'by a')),
      stale.engine.cluster.apply(owner, secret('keys', 'by b')),
    ]);
    await stale.stop();
    expect([ours.status, theirs.status].sort()).toEqual(['fulfilled', 'rejected']);
    expect(await dataOf('keys')).toBe(ours.status === 'fulfilled' ? 'by a' : 'by b');
  });

  it('gets its labels back with the keys that it has, and is seen again', async () => {
    const { cluster } = running.engine;
    await server.admin.call(
      'PATCH',
      path('keys'),
      { metadata: { labels: null } },
      {
        contentType: 'application/merge-patch+json',
      },
    );
    const ref = refOf(secret('keys', ''));
    await eventually('it is out of sight', () => cluster.child(ref) === undefined);
    const before = await dataOf('keys');
    await expect(cluster.apply(owner, secret('keys', 'made anew'))).rejects.toThrow(
      'lost its labels',
    );
    expect(await dataOf('keys')).toBe(before);
    await eventually('it is seen again', () => cluster.child(ref) !== undefined);
    await cluster.apply(owner, secret('keys', 'rotated'));
    expect(await dataOf('keys')).toBe('rotated');
  });

  it('is tried again when the call failed and the room made a condition of that', async () => {
    let failures = 3;
    const flaky = startEngine(server, {
      user: 'engine-c',
      client: {
        hooks: {
          beforeCall: ({ verb, resource }) => {
            if (verb === 'patch' && resource === 'secrets' && (failures -= 1) >= 0)
              throw new Error('away');
          },
        },
      },
      reconcilers: (cluster) => [
        {
          ...beaconReconciler(cluster, () => []),
          reconcile: async (key) => {
            const beacon = cluster.get<Beacon>({ ...BEACONS, ...key });
            if (beacon?.metadata.name !== 'keyed') return {};
            if (!cluster.child(refOf(secret('flaky', ''))))
              await cluster.apply(beacon, secret('flaky', 'made')).catch(() => undefined);
            return {};
          },
        },
      ],
    });
    await eventually('it is made', () => server.admin.get(path('flaky')));
    expect(failures).toBeLessThan(0);
    await flaky.stop();
  });

  it('refuses to seize one of somebody else', async () => {
    await server.apply({ ...secret('theirs', 'theirs'), metadata: { name: 'theirs' } });
    await expect(running.engine.cluster.apply(owner, secret('theirs', 'ours'))).rejects.toThrow(
      /not made for/,
    );
    expect(await dataOf('theirs')).toBe('theirs');
  });

  it('T51: never takes over a Secret of somebody else, whoever consents', async () => {
    const metadata = { name: 'given', annotations: CONSENT };
    await server.apply({ ...secret('given', 'theirs'), metadata });
    const adopting = await applyBeacon(server, 'keyed', { text: 'one' }, { annotations: CONSENT });
    const { cluster } = running.engine;
    await expect(cluster.apply(adopting, secret('given', 'ours'))).rejects.toThrow(/not made for/);
    expect(await dataOf('given')).toBe('theirs');
  });
});
