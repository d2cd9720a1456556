import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { TestApiServer } from '../bed/api-server.js';
import { eventually } from '../bed/eventually.js';
import {
  applyBeacon,
  conditionOf,
  paths,
  settled,
  startEngine,
  startEngineBed,
} from './engine-bed.js';
import type { TestEngine } from './engine-bed.js';

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
      const found = await server.admin.get(paths.beacon('left'));
      return conditionOf(found, 'Stalled') && found;
    });
    const [ready] = beacon.status.conditions;
    expect(ready).toMatchObject({ type: 'Ready', status: 'False', reason: 'ForeignObject' });
    expect(ready.message).toContain('ConfigMap default/left-settings');
    expect(ready.message).toContain('sallyport.dev/adopt');
    const theirs = await server.admin.get(paths.configMap('left-settings'));
    expect(theirs.data).toEqual({ text: 'theirs', more: 'x' });
    expect(theirs.metadata.managedFields).toHaveLength(1);
    expect(await server.admin.get(paths.deployment('left'))).toBeDefined();
  });

  it('is left alone while it stands, without a storm of calls', async () => {
    await settled(running);
    const since = await server.auditMark();
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect((await server.callsOf('engine-a', { since })).total).toBe(0);
  });

  it('is taken over when the resource says so, and keeps what we do not want of it', async () => {
    await applyBeacon(server, 'left', {}, { annotations: { 'sallyport.dev/adopt': 'true' } });
    const adopted = await eventually('it is ours', async () => {
      const found = await server.admin.get(paths.configMap('left-settings'));
      return found.metadata.labels?.['sallyport.dev/owner-uid'] && found;
    });
    expect(adopted.data).toEqual({ text: 'one', more: 'x' });
    await eventually('it is ready', async () =>
      conditionOf(await server.admin.get(paths.beacon('left')), 'Ready'),
    );
  });

  it('is created once the foreign one is gone and the resource is looked at again', async () => {
    await foreign('waits-settings');
    await applyBeacon(server, 'waits', {});
    await eventually('it is stalled', async () =>
      conditionOf(await server.admin.get(paths.beacon('waits')), 'Stalled'),
    );
    await server.request('DELETE', paths.configMap('waits-settings'));
    running.engine.enqueueAll();
    await eventually('it is ready', async () =>
      conditionOf(await server.admin.get(paths.beacon('waits')), 'Ready'),
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
    const { by } = (await server.admin.get(paths.configMap('shared'))).data;
    await settled(running);
    running.engine.enqueueAll();
    await settled(running);
    const after = await server.admin.get(paths.configMap('shared'));
    expect(after.data.by).toBe(by);
    const stalled = await Promise.all(
      ['left', 'waits', 'owner'].map(async (name) =>
        conditionOf(await server.admin.get(paths.beacon(name)), 'Stalled'),
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
      const found = await server.admin.get(paths.configMap('stripped-settings'));
      return found.metadata.labels?.['sallyport.dev/owner-uid'] && found;
    });
    expect(repaired.data.text).toBe('one');
  });
});
