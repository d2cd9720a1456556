import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Cluster } from '../../../src/kubernetes/cluster.js';
import { commonConditions, conditionsOf } from '../../../src/kubernetes/conditions.js';
import { desiredHash } from '../../../src/kubernetes/owned-fields.js';
import { holdWhilePaused, readPause } from '../../../src/kubernetes/pause.js';
import { refOf } from '../../../src/kubernetes/object.js';
import type { Plan } from '../../../src/kubernetes/plan.js';
import type { Reconciler } from '../../../src/kubernetes/reconciler.js';
import { systemClock } from '../../../src/runtime/system.clock.js';
import type { TestApiServer } from '../bed/api-server.js';
import { eventually } from '../bed/eventually.js';
import {
  applyBeacon,
  BEACONS,
  beaconReconciler,
  conditionOf,
  paths,
  renderBeacon,
  settled,
  startEngine,
  startEngineBed,
  beaconOf,
  deploymentOf,
  configMapOf,
} from './engine-bed.js';
import type { Beacon, TestEngine } from './engine-bed.js';

/** As a room pauses: ConfigMaps (here: what stands for certificates) go on, everything else waits. */
function pausingReconciler(cluster: Cluster): Reconciler {
  return {
    ...beaconReconciler(cluster, renderBeacon),
    reconcile: async (key) => {
      const beacon = cluster.get<Beacon>({ ...BEACONS, ...key });
      if (!beacon) return {};
      const now = systemClock.now();
      const generation = beacon.metadata.generation ?? 0;
      const planned: Plan = {
        apply: renderBeacon(beacon),
        keep: [],
        prune: 'Unlisted',
        status: { observedGeneration: generation, conditions: [] },
        events: [],
      };
      const { plan, verdict } = holdWhilePaused(planned, {
        pause: readPause(beacon.metadata.annotations, now),
        now,
        child: (object) => cluster.child(refOf(object)),
        hash: desiredHash,
        goesOn: ({ kind }) => kind === 'ConfigMap',
      });
      const ready = commonConditions({ state: 'Ready', reason: 'Applied', message: 'It shines.' });
      const conditions = conditionsOf(beacon.status?.conditions ?? [], [...ready, verdict], {
        generation,
        now,
      });
      await cluster.carryOut(beacon, { ...plan, status: { ...plan.status, conditions } });
      return { requeueAfterMs: plan.requeueAfterMs };
    },
  };
}

describe('a paused resource', () => {
  let server: TestApiServer;
  let running: TestEngine;

  beforeAll(async () => {
    server = await startEngineBed();
    running = startEngine(server, { reconcilers: (cluster) => [pausingReconciler(cluster)] });
    await running.engine.synced;
    await applyBeacon(server, 'sleepy', { replicas: 2 });
    await eventually('it is ready', async () =>
      conditionOf(await beaconOf(server, 'sleepy'), 'Ready'),
    );
    await settled(running);
  });

  afterAll(async () => {
    await running.stop();
    await server.stop();
  });

  const pausedFor = (ms: number): { readonly annotations: Readonly<Record<string, string>> } => ({
    annotations: {
      'sallyport.dev/paused-until': new Date(Date.now() + ms).toISOString(),
      'sallyport.dev/paused-reason': 'change freeze',
    },
  });

  it('keeps what runs, applies what goes on, and says how many changes wait and why', async () => {
    await applyBeacon(server, 'sleepy', { replicas: 4, text: 'renewed' }, pausedFor(60_000));
    const beacon = await eventually('it is paused', async () => {
      const found = await beaconOf(server, 'sleepy');
      return conditionOf(found, 'Paused') && found;
    });
    await settled(running);
    expect(conditionOf(beacon, 'Paused')?.message).toContain('change freeze');
    expect(conditionOf(beacon, 'Paused')?.message).toContain('1 change waits');
    expect((await deploymentOf(server, 'sleepy')).spec.replicas).toBe(2);
    expect((await configMapOf(server, 'sleepy-settings')).data.text).toBe('renewed');
    expect(await running.metrics.text()).toMatch(/sallyport_paused\{kind="Beacon"\} 1/);
  });

  it('is left as an administrator makes it: no drift is repaired in what waits', async () => {
    await server.admin.call(
      'PATCH',
      paths.deployment('sleepy'),
      { spec: { replicas: 9 } },
      {
        contentType: 'application/merge-patch+json',
      },
    );
    await settled(running, 400);
    expect((await deploymentOf(server, 'sleepy')).spec.replicas).toBe(9);
  });

  it('goes on by itself when the time has come, without any event', async () => {
    await applyBeacon(server, 'sleepy', { replicas: 4, text: 'renewed' }, pausedFor(3_000));
    await settled(running);
    expect((await deploymentOf(server, 'sleepy')).spec.replicas).toBe(9);
    await eventually('it is applied', async () => {
      const { spec } = await deploymentOf(server, 'sleepy');
      return spec.replicas === 4;
    });
    await settled(running);
    const { status } = await beaconOf(server, 'sleepy');
    expect(status.conditions.at(-1)).toMatchObject({ reason: 'DriftRepaired' });
    expect(status.conditions.find(({ type }) => type === 'Paused')).toMatchObject({
      status: 'False',
      reason: 'PauseExpired',
    });
  });

  it('is not paused by a value that is no time, and says what to write', async () => {
    await applyBeacon(
      server,
      'sleepy',
      { replicas: 5 },
      {
        annotations: { 'sallyport.dev/paused-until': 'tomorrow' },
      },
    );
    await eventually('it is applied', async () => {
      const { spec } = await deploymentOf(server, 'sleepy');
      return spec.replicas === 5;
    });
    await settled(running);
    const { status } = await beaconOf(server, 'sleepy');
    expect(status.conditions.find(({ type }) => type === 'Paused')).toMatchObject({
      status: 'False',
      reason: 'PauseInvalid',
    });
  });
});
