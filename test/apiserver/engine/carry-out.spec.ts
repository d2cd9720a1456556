import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { childMetadata } from '../../../src/kubernetes/metadata.js';
import type { TestApiServer } from '../bed/api-server.js';
import { eventually } from '../bed/eventually.js';
import {
  applyBeacon,
  conditionOf,
  paths,
  renderBeacon,
  settings,
  settled,
  startEngine,
  startEngineBed,
  beaconOf,
  deploymentOf,
  configMapOf,
} from './engine-bed.js';
import type { TestEngine } from './engine-bed.js';

describe('carrying out a plan', () => {
  let server: TestApiServer;
  let running: TestEngine;

  beforeAll(async () => {
    server = await startEngineBed();
    running = startEngine(server, {
      render: (beacon) => [
        ...renderBeacon(beacon),
        ...(beacon.metadata.name === 'rejected'
          ? [
              {
                ...settings(beacon),
                metadata: { ...settings(beacon).metadata, name: 'Not-A-Name' },
              },
            ]
          : []),
      ],
    });
    await running.engine.synced;
  });

  afterAll(async () => {
    await running.stop();
    await server.stop();
  });

  const converged = async (name: string): Promise<void> => {
    await eventually(`${name} is ready`, async () =>
      conditionOf(await beaconOf(server, name), 'Ready'),
    );
    await settled(running);
  };

  it('creates every object with one write each and one status write, without a single read', async () => {
    const since = await server.auditMark();
    await applyBeacon(server, 'first', { replicas: 2 });
    await converged('first');
    expect((await server.callsOf('engine-a', { since })).counts).toEqual({
      'patch configmaps': 1,
      'patch services': 1,
      'patch deployments': 1,
      'patch beacons/status': 1,
    });
  });

  it('makes no call at all when nothing is to do', async () => {
    const since = await server.auditMark();
    running.engine.enqueueAll();
    await settled(running);
    expect((await server.callsOf('engine-a', { since })).total).toBe(0);
  });

  it('answers an edit with one write for the object and one for the status, without a read', async () => {
    const since = await server.auditMark();
    await applyBeacon(server, 'first', { replicas: 3 });
    await eventually('3 replicas', async () => {
      const { spec } = await deploymentOf(server, 'first');
      return spec.replicas === 3;
    });
    await settled(running);
    expect((await server.callsOf('engine-a', { since })).counts).toEqual({
      'patch deployments': 1,
      'patch beacons/status': 1,
    });
  });

  it('after a restart with nothing changed only lists and watches', async () => {
    await running.stop();
    const since = await server.auditMark();
    running = startEngine(server);
    await settled(running, 500);
    const calls = await server.callsOf('engine-a', { since });
    expect(calls.writes).toBe(0);
    // Discovery of optional kinds is no read of an object.
    const ofObjects = calls.entries.filter(({ objectRef }) => objectRef !== undefined);
    expect(new Set(ofObjects.map(({ verb }) => verb))).toEqual(new Set(['watch']));
  });

  it('goes on after one object is rejected, says so in status, and leaves what runs', async () => {
    await running.stop();
    running = startEngine(server, {
      render: (beacon) => [
        ...renderBeacon(beacon),
        ...(beacon.spec.text === 'bad'
          ? [
              {
                ...settings(beacon),
                metadata: { ...settings(beacon).metadata, name: 'Not-A-Name' },
              },
            ]
          : [
              {
                apiVersion: 'v1',
                kind: 'ConfigMap',
                metadata: childMetadata(beacon, {
                  name: `${beacon.metadata.name}-more`,
                  component: 'beacon',
                }),
              },
            ]),
      ],
    });
    await applyBeacon(server, 'rejected', { text: 'good' });
    await converged('rejected');
    await applyBeacon(server, 'rejected', { text: 'bad' });
    const beacon = await eventually('it is stalled', async () => {
      const found = await beaconOf(server, 'rejected');
      return conditionOf(found, 'Stalled') && found;
    });
    expect(beacon.status.conditions).toMatchObject([
      { type: 'Ready', status: 'False', reason: 'ObjectRejected' },
      { type: 'Reconciling', status: 'False' },
      { type: 'Stalled', status: 'True', reason: 'ObjectRejected' },
    ]);
    expect(beacon.status.conditions[0]?.message).toContain('ConfigMap Not-A-Name');
    expect((await configMapOf(server, 'rejected-settings')).data.text).toBe('bad');
    // What an earlier plan made is not taken down while the new one could not be carried out.
    expect(await configMapOf(server, 'rejected-more')).toBeDefined();
    await applyBeacon(server, 'rejected', { text: 'good' });
    await converged('rejected');
  });

  it('hands each write to the audit callback once, as the API server has it', async () => {
    await running.stop();
    const since = await server.auditMark();
    running = startEngine(server);
    await settled(running);
    await applyBeacon(server, 'audited', {});
    await converged('audited');
    await server.request('DELETE', paths.deployment('audited'));
    await eventually('it is back', () => server.admin.get(paths.deployment('audited')));
    await settled(running);
    const { entries } = await server.callsOf('engine-a', { since });
    const served = entries
      .filter(({ verb }) => ['create', 'update', 'patch', 'delete'].includes(verb))
      .map(({ verb, objectRef }) => `${verb} ${objectRef?.resource} ${objectRef?.name ?? ''}`)
      // The name of an event is in the body of its POST.
      .map((line) => (line.startsWith('create events') ? 'create events ' : line));
    const recorded = running.writes.map(
      ({ verb, ref }) => `${verb} ${PLURALS[ref.kind]} ${ref.kind === 'Event' ? '' : ref.name}`,
    );
    expect(recorded.sort()).toEqual(served.sort());
    expect(
      running.writes.every(({ uid, outcome }) => uid !== undefined && outcome === 'success'),
    ).toBe(true);
  });

  it('retries with backoff what throws, and stops no other key', async () => {
    await running.stop();
    const broken = new Set(['throws']);
    running = startEngine(server, {
      render: (beacon) => {
        if (broken.has(beacon.metadata.name)) throw new Error('no plan for this one');
        return renderBeacon(beacon);
      },
    });
    await applyBeacon(server, 'throws', {});
    await applyBeacon(server, 'works', {});
    await converged('works');
    await eventually('it was tried again', async () => {
      const text = await running.metrics.text();
      return (
        Number(
          /controller_runtime_reconcile_errors_total\{controller="beacon"\} (\d+)/.exec(text)?.[1],
        ) > 2
      );
    });
    broken.clear();
    await converged('throws');
  });
});

const PLURALS: Readonly<Record<string, string>> = {
  ConfigMap: 'configmaps',
  Service: 'services',
  Deployment: 'deployments',
  Beacon: 'beacons',
  Event: 'events',
};
