import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { checkTimings } from '../../../src/kubernetes/leader-lease.js';
import { systemClock } from '../../../src/runtime/system.clock.js';
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
} from './engine-bed.js';
import type { TestEngine, TestEngineOptions } from './engine-bed.js';

const TIMINGS = { leaseDurationMs: 3_000, renewDeadlineMs: 2_000, retryPeriodMs: 300 };
const LEASE = { namespace: 'default', name: 'sallyport' };
const LEASE_PATH = '/apis/coordination.k8s.io/v1/namespaces/default/leases/sallyport';

describe('several operators on one Lease', () => {
  let server: TestApiServer;
  let engines: TestEngine[] = [];

  beforeAll(async () => {
    server = await startEngineBed();
  });

  afterEach(async () => {
    await Promise.all(engines.map((one) => one.stop()));
    engines = [];
  });

  afterAll(async () => {
    await server.stop();
  });

  const start = (user: string, options: TestEngineOptions = {}): TestEngine => {
    const running = startEngine(server, {
      user,
      election: { lease: LEASE, timings: TIMINGS },
      ...options,
    });
    engines.push(running);
    return running;
  };

  const holder = async (): Promise<string> =>
    (await server.admin.get(LEASE_PATH))?.spec?.holderIdentity as string;

  const leader = (running: TestEngine): Promise<boolean> =>
    eventually(`${running.user} leads`, () => running.engine.health().leader, {
      timeoutMs: 20_000,
    });

  it('one writes, the other keeps its cache warm and writes nothing', async () => {
    const a = start('engine-a');
    await leader(a);
    const b = start('engine-b');
    await b.engine.synced;
    await applyBeacon(server, 'one', { replicas: 1 });
    await eventually('it is ready', async () =>
      conditionOf(await beaconOf(server, 'one'), 'Ready'),
    );
    expect(b.engine.health()).toMatchObject({ synced: true, leader: false });
    expect((await server.callsOf('engine-b')).writes).toBe(0);
    const { spec } = await server.admin.get(LEASE_PATH);
    expect(spec).toMatchObject({ holderIdentity: 'engine-a', leaseDurationSeconds: 3 });
    expect(spec.renewTime).toMatch(/\.\d{6}Z$/);
  });

  it('an orderly end gives the lease back: the other writes within two seconds', async () => {
    const a = start('engine-a');
    await leader(a);
    const b = start('engine-b');
    await b.engine.synced;
    await applyBeacon(server, 'handed', { replicas: 1 });
    await settled(a);
    const began = performance.now();
    const stopped = a.stop();
    await applyBeacon(server, 'handed', { replicas: 2 });
    await stopped;
    expect(performance.now() - began).toBeLessThan(2_000);
    await eventually('the other has applied it', async () => {
      const { spec } = await deploymentOf(server, 'handed');
      return spec.replicas === 2;
    });
    expect(performance.now() - began).toBeLessThan(2_500);
    expect(await holder()).toBe('engine-b');
    expect((await server.admin.get(LEASE_PATH)).spec.leaseTransitions).toBeGreaterThan(0);
  });

  it('one that hangs is followed after the lease has run out, and writes nothing when it wakes', async () => {
    let hangs = false;
    const frozen = { ms: 0 };
    const a = start('engine-a', {
      // Its clock stands still, as in a process that sleeps, and no call of its gets through.
      clock: {
        now: () => systemClock.now(),
        monotonicMs: () => (hangs ? frozen.ms : performance.now()),
      },
      client: {
        hooks: {
          beforeCall: ({ resource }) => {
            if (hangs && resource === 'leases') throw new Error('asleep');
          },
        },
      },
    });
    await leader(a);
    frozen.ms = performance.now();
    hangs = true;
    const b = start('engine-b');
    await leader(b);
    expect(await holder()).toBe('engine-b');
    // It wakes: the clock has moved on.
    const since = await server.auditMark();
    hangs = false;
    expect(a.engine.health().leader).toBe(false);
    a.engine.enqueueAll();
    await server.request('DELETE', paths.deployment('handed'));
    await eventually('the leader has repaired it', () =>
      server.admin.get(paths.deployment('handed')),
    );
    const calls = await server.callsOf('engine-a', { since });
    expect(calls.writes).toBe(0);
  });

  it('one that could not reach the API server goes on by itself when it comes back', async () => {
    let away = false;
    const a = start('engine-a', {
      client: {
        hooks: {
          beforeCall: ({ resource }) => {
            if (away && resource === 'leases') throw new Error('away');
          },
        },
      },
    });
    await leader(a);
    away = true;
    await eventually('it leads no more', () => !a.engine.health().leader);
    const since = await server.auditMark();
    await applyBeacon(server, 'meanwhile', { replicas: 1 });
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect((await server.callsOf('engine-a', { since })).writes).toBe(0);
    away = false;
    await leader(a);
    await eventually('it is ready', async () =>
      conditionOf(await beaconOf(server, 'meanwhile'), 'Ready'),
    );
  });

  it('T51: two operators racing: three that start at once elect exactly one', async () => {
    await server.request('DELETE', LEASE_PATH);
    const three = ['engine-a', 'engine-b', 'engine-c'].map((user) => start(user));
    await eventually('one leads', () => three.some(({ engine }) => engine.health().leader));
    for (let look = 0; look < 20; look += 1) {
      expect(three.filter(({ engine }) => engine.health().leader)).toHaveLength(1);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  });

  it('a slow API server costs nobody the lease', async () => {
    let lost = 0;
    const a = start('engine-a', {
      client: {
        hooks: {
          beforeCall: async ({ resource, verb }) => {
            if (resource === 'leases' && verb === 'update')
              await new Promise((resolve) => setTimeout(resolve, 800));
          },
        },
      },
    });
    await leader(a);
    for (let look = 0; look < 50; look += 1) {
      if (!a.engine.health().leader) lost += 1;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(lost).toBe(0);
  });

  it('refuses timings with which two could lead at once', () => {
    expect(() => {
      checkTimings({ leaseDurationMs: 2_000, renewDeadlineMs: 2_000, retryPeriodMs: 300 });
    }).toThrow(RangeError);
  });
});
