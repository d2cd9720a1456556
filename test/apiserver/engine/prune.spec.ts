import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { childMetadata } from '../../../src/kubernetes/metadata.js';
import type { TestApiServer } from '../bed/api-server.js';
import { eventually } from '../bed/eventually.js';
import {
  applyBeacon,
  paths,
  renderBeacon,
  settings,
  settled,
  startEngine,
  startEngineBed,
} from './engine-bed.js';
import type { Render, TestEngine } from './engine-bed.js';

/** `text` decides which objects there are. */
const render: Render = (beacon) => [
  ...renderBeacon(beacon),
  ...(beacon.spec.text === 'with-extra'
    ? [
        {
          ...settings(beacon),
          metadata: { ...settings(beacon).metadata, name: `${beacon.metadata.name}-extra` },
        },
      ]
    : []),
  ...(beacon.spec.text === 'with-copy'
    ? [
        {
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: childMetadata(beacon, {
            name: 'copy',
            component: 'beacon',
            namespace: 'elsewhere',
          }),
          data: { text: 'copy' },
        },
      ]
    : []),
];

describe('an object that an earlier plan made and this one does not list', () => {
  let server: TestApiServer;
  let running: TestEngine;

  beforeAll(async () => {
    server = await startEngineBed({
      controllerManager: true,
    });
    await server.createNamespace('elsewhere');
    running = startEngine(server, { render });
    await running.engine.synced;
  });

  afterAll(async () => {
    await running.stop();
    await server.stop();
  });

  it('is deleted', async () => {
    await applyBeacon(server, 'prunes', { text: 'with-extra' });
    await eventually('it is made', () => server.admin.get(paths.configMap('prunes-extra')));
    await applyBeacon(server, 'prunes', { text: 'without' });
    await eventually(
      'it is gone',
      async () => !(await server.admin.get(paths.configMap('prunes-extra'))),
    );
    expect(running.writes.filter(({ verb }) => verb === 'delete')).toMatchObject([
      { ref: { kind: 'ConfigMap', name: 'prunes-extra' }, outcome: 'success', reason: 'Pruned' },
    ]);
  });

  it('is deleted by an engine that never saw it made', async () => {
    await applyBeacon(server, 'prunes', { text: 'with-extra' });
    await eventually('it is made', () => server.admin.get(paths.configMap('prunes-extra')));
    await running.stop();
    await applyBeacon(server, 'prunes', { text: 'without' });
    running = startEngine(server, { render });
    await eventually(
      'it is gone',
      async () => !(await server.admin.get(paths.configMap('prunes-extra'))),
    );
  });

  it('stays when it only carries our labels: controllers copy labels', async () => {
    const { metadata } = await server.admin.get(paths.deployment('prunes'));
    await server.request('POST', '/api/v1/namespaces/default/configmaps', {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'looks-like-ours', labels: metadata.labels },
    });
    await new Promise((resolve) => setTimeout(resolve, 300));
    running.engine.enqueueAll();
    await settled(running);
    expect(await server.admin.get(paths.configMap('looks-like-ours'))).toBeDefined();
  });

  it('in another namespace goes when its owner goes, although no owner reference leads there', async () => {
    await applyBeacon(server, 'copies', { text: 'with-copy' });
    const copy = await eventually('it is made', () =>
      server.admin.get(paths.configMap('copy', 'elsewhere')),
    );
    expect(copy.metadata.ownerReferences).toBeUndefined();
    await server.request('DELETE', paths.beacon('copies'));
    await eventually(
      'the copy is gone',
      async () => !(await server.admin.get(paths.configMap('copy', 'elsewhere'))),
      {
        timeoutMs: 15_000,
      },
    );
    // Children in the owner's namespace are Kubernetes' to collect.
    await eventually(
      'the others are gone',
      async () => !(await server.admin.get(paths.deployment('copies'))),
      {
        timeoutMs: 15_000,
      },
    );
  });

  it('in another namespace goes when its owner went while no operator ran', async () => {
    await applyBeacon(server, 'copies', { text: 'with-copy' });
    await eventually('it is made', () => server.admin.get(paths.configMap('copy', 'elsewhere')));
    await settled(running);
    await running.stop();
    await server.request('DELETE', paths.beacon('copies'));
    running = startEngine(server, { render });
    await eventually(
      'the copy is gone',
      async () => !(await server.admin.get(paths.configMap('copy', 'elsewhere'))),
      {
        timeoutMs: 15_000,
      },
    );
  });
});
