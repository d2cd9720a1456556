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
  beaconOf,
  deploymentOf,
  configMapOf,
} from './engine-bed.js';
import type { TestEngine } from './engine-bed.js';

const MERGE = { contentType: 'application/merge-patch+json' };

describe('drift', () => {
  let server: TestApiServer;
  let running: TestEngine;
  let nowMs = Date.now();

  beforeAll(async () => {
    server = await startEngineBed();
    running = start();
    await running.engine.synced;
    await applyBeacon(server, 'lamp', { replicas: 2 });
    await eventually('it is ready', async () =>
      conditionOf(await beaconOf(server, 'lamp'), 'Ready'),
    );
    await settled(running);
  });

  afterAll(async () => {
    await running.stop();
    await server.stop();
  });

  /** An engine whose wall clock the test moves. */
  const start = (): TestEngine =>
    startEngine(server, {
      clock: { now: () => new Date(nowMs), monotonicMs: () => performance.now() },
    });

  const edit = (text: string, manager = 'kubectl-edit'): Promise<unknown> =>
    server.admin.call(
      'PATCH',
      `${paths.configMap('lamp-settings')}?fieldManager=${manager}`,
      { data: { text } },
      MERGE,
    );

  const repaired = (): Promise<unknown> =>
    eventually('it is repaired', async () => {
      const { data } = await configMapOf(server, 'lamp-settings');
      return data.text === 'one';
    });

  const statusOf = async (): Promise<Awaited<ReturnType<typeof beaconOf>>['status']> =>
    (await beaconOf(server, 'lamp')).status;

  it('by an Update is repaired within a second, and status says who changed what', async () => {
    const began = performance.now();
    await edit('theirs');
    await repaired();
    expect(performance.now() - began).toBeLessThan(1000);
    await settled(running);
    const { drift, conditions } = await statusOf();
    expect(drift).toMatchObject([
      {
        kind: 'ConfigMap',
        name: 'lamp-settings',
        field: 'data.text',
        manager: 'kubectl-edit',
        reverts: 1,
      },
    ]);
    expect(conditions.at(-1)).toMatchObject({
      type: 'DriftDetected',
      status: 'False',
      reason: 'DriftRepaired',
    });
    expect(conditions.at(-1)?.message).toContain('kubectl-edit');
  });

  it('by a forced apply of another manager is repaired and attributed', async () => {
    await server.apply(
      {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'lamp' },
        spec: { replicas: 7 },
      },
      { fieldManager: 'gitops' },
    );
    await eventually('it is repaired', async () => {
      const { spec } = await deploymentOf(server, 'lamp');
      return spec.replicas === 2;
    });
    await settled(running);
    expect((await statusOf()).drift?.[0]).toMatchObject({
      kind: 'Deployment',
      field: 'spec.replicas',
      manager: 'gitops',
      reverts: 1,
    });
  });

  it('by removal of a field is repaired', async () => {
    await server.admin.call(
      'PATCH',
      `${paths.configMap('lamp-settings')}?fieldManager=remover`,
      { data: null },
      MERGE,
    );
    await repaired();
    await settled(running);
    expect((await statusOf()).drift?.[0]).toMatchObject({ kind: 'ConfigMap', field: 'data' });
  });

  it('by deleting an object is repaired and recorded', async () => {
    await server.request('DELETE', paths.service('lamp'));
    await eventually('it is back', () => server.admin.get(paths.service('lamp')));
    await settled(running);
    expect((await statusOf()).drift?.[0]).toMatchObject({ kind: 'Service', field: '(object)' });
  });

  it('costs one read and two writes', async () => {
    const since = await server.auditMark();
    await edit('again', 'counted');
    await repaired();
    await settled(running);
    expect((await server.callsOf('engine-a', { since })).counts).toEqual({
      'get configmaps': 1,
      'patch configmaps': 1,
      'patch beacons/status': 1,
      'create events': 1,
    });
  });

  it('that happened while no operator ran is repaired and attributed too', async () => {
    await running.stop();
    await edit('at night', 'night-shift');
    running = start();
    await repaired();
    await settled(running);
    expect((await statusOf()).drift?.[0]).toMatchObject({
      field: 'data.text',
      manager: 'night-shift',
    });
  });

  it('that nobody made is not invented: our own change of mind after a restart is none', async () => {
    const before = (await statusOf()).drift;
    await running.stop();
    await applyBeacon(server, 'lamp', { replicas: 2, text: 'two' });
    running = start();
    await eventually('it is applied', async () => {
      const { data } = await configMapOf(server, 'lamp-settings');
      return data.text === 'two';
    });
    await settled(running);
    expect((await statusOf()).drift).toEqual(before);
    await applyBeacon(server, 'lamp', { replicas: 2, text: 'one' });
    await repaired();
    await settled(running);
  });

  it('is given up after five reverts of one field by one manager, and says with whom it fights', async () => {
    for (let round = 1; round <= 5; round += 1) {
      await edit(`round ${round}`, 'stubborn');
      await repaired();
      await settled(running);
      nowMs += 1000;
    }
    const since = await server.auditMark();
    await edit('round 6', 'stubborn');
    const beacon = await eventually('the fight is seen', async () => {
      const found = await beaconOf(server, 'lamp');
      return conditionOf(found, 'DriftDetected') && found;
    });
    await settled(running);
    expect(conditionOf(beacon, 'DriftDetected')).toMatchObject({ reason: 'FightDetected' });
    expect(conditionOf(beacon, 'DriftDetected')?.message).toContain(
      'stubborn keeps changing data.text',
    );
    expect((await configMapOf(server, 'lamp-settings')).data.text).toBe('round 6');
    expect((await server.callsOf('engine-a', { since })).counts).toMatchObject({
      'get configmaps': 1,
    });
    expect((await server.callsOf('engine-a', { since })).counts).not.toHaveProperty(
      'patch configmaps',
    );
    expect(await running.metrics.text()).toMatch(/sallyport_fight_active 1/);
    expect(await running.metrics.text()).toMatch(
      /sallyport_drift_reverts_total\{kind="ConfigMap"\} [5-9]/,
    );
  });

  it('in a fight costs no call while it stands, and the other objects are still repaired', async () => {
    const since = await server.auditMark();
    running.engine.enqueueAll();
    await settled(running);
    expect((await server.callsOf('engine-a', { since })).total).toBe(0);
    await server.request('DELETE', paths.service('lamp'));
    await eventually('it is back', () => server.admin.get(paths.service('lamp')));
    await settled(running);
  });

  it('in a fight is still left by an operator that starts anew', async () => {
    await running.stop();
    running = start();
    await settled(running, 400);
    expect((await configMapOf(server, 'lamp-settings')).data.text).toBe('round 6');
    expect(conditionOf(await beaconOf(server, 'lamp'), 'DriftDetected')).toBeDefined();
  });

  it('in a fight is tried once more after an hour, and left again when the other goes on', async () => {
    nowMs += 61 * 60_000;
    running.engine.enqueueAll();
    await repaired();
    await settled(running);
    await edit('round 7', 'stubborn');
    await settled(running, 400);
    expect((await configMapOf(server, 'lamp-settings')).data.text).toBe('round 7');
  });

  it('in a fight is repaired again when the resource is edited', async () => {
    await applyBeacon(server, 'lamp', { replicas: 3 });
    await repaired();
    await settled(running);
    const { conditions } = await statusOf();
    expect(conditions.find(({ type }) => type === 'DriftDetected')?.status).not.toBe('True');
  });
});
