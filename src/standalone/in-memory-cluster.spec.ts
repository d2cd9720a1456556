import { describe, expect, it } from '@jest/globals';
import type { Resource } from '../kubernetes/cluster.js';
import { commonConditions, conditionsOf } from '../kubernetes/conditions.js';
import { childMetadata } from '../kubernetes/metadata.js';
import { refOf } from '../kubernetes/object.js';
import type { KubernetesObject } from '../kubernetes/object.js';
import type { CommonStatus, Plan } from '../kubernetes/plan.js';
import type { Reconciler } from '../kubernetes/reconciler.js';
import type { Change } from '../kubernetes/store.js';
import { SILENT_LOGGER } from '../runtime/log.js';
import { InMemoryCluster } from './in-memory-cluster.js';
import { RoomsRunner } from './rooms.runner.js';

const NOON = new Date('2030-01-01T12:00:00Z');
const pools = { apiVersion: 'sallyport.dev/v1alpha1', kind: 'RelayPool' };
const pool = (spec: object, annotations?: Readonly<Record<string, string>>): KubernetesObject => ({
  ...pools,
  metadata: { name: 'eu', namespace: 'talk', ...(annotations ? { annotations } : {}) },
  spec,
});

function aCluster() {
  const changes: Change[] = [];
  let uids = 0;
  const cluster = new InMemoryCluster({
    now: () => NOON,
    newUid: () => `uid-${(uids += 1)}`,
    onChange: (change) => changes.push(change),
  });
  return { cluster, changes };
}

const configMap = (owner: KubernetesObject, name: string, text = 'one'): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: childMetadata(owner, { name, component: 'relay' }),
  data: { text },
});

function planOf(owner: KubernetesObject, apply: readonly KubernetesObject[]): Plan {
  const generation = owner.metadata.generation ?? 0;
  const verdicts = commonConditions({ state: 'Ready', reason: 'Applied', message: 'ok' });
  const status: CommonStatus = {
    observedGeneration: generation,
    conditions: conditionsOf([], verdicts, { generation, now: NOON }),
  };
  return { apply, keep: [], prune: 'Unlisted', status, events: [] };
}

describe('a cluster in memory', () => {
  it('gives UID, version and generation, which grows with the spec and not with the status', () => {
    const { cluster } = aCluster();
    const first = cluster.put(pool({ replicas: 1 }));
    expect(first.metadata).toMatchObject({
      uid: 'uid-1',
      generation: 1,
      creationTimestamp: '2030-01-01T12:00:00Z',
    });
    cluster.putStatus(refOf(first), { readyReplicas: 1 });
    const second = cluster.put(pool({ replicas: 2 }));
    expect(second).toMatchObject({
      metadata: { uid: 'uid-1', generation: 2 },
      status: { readyReplicas: 1 },
    });
    expect(cluster.put(pool({ replicas: 2 }, { a: 'b' })).metadata.generation).toBe(2);
    expect(Number(second.metadata.resourceVersion)).toBeGreaterThan(
      Number(first.metadata.resourceVersion),
    );
  });

  it('carries out a plan, and does nothing the second time', async () => {
    const { cluster, changes } = aCluster();
    const owner = cluster.put(pool({})) as Resource;
    const plan = planOf(owner, [configMap(owner, 'a'), configMap(owner, 'b')]);
    const first = await cluster.carryOut(owner, plan);
    expect(first).toMatchObject({ applied: [{ name: 'a' }, { name: 'b' }], statusWritten: true });
    const seen = changes.length;
    const again = await cluster.carryOut(cluster.get<Resource>(refOf(owner))!, plan);
    expect(again).toEqual({ applied: [], pruned: [], failed: [], statusWritten: false });
    expect(changes).toHaveLength(seen);
  });

  it('changes what differs and prunes what is not listed any more', async () => {
    const { cluster } = aCluster();
    const owner = cluster.put(pool({})) as Resource;
    await cluster.carryOut(owner, planOf(owner, [configMap(owner, 'a'), configMap(owner, 'b')]));
    const done = await cluster.carryOut(owner, planOf(owner, [configMap(owner, 'a', 'two')]));
    expect(done).toMatchObject({ applied: [{ name: 'a' }], pruned: [{ name: 'b' }] });
    expect((await cluster.read(refOf(configMap(owner, 'a'))))?.['data']).toEqual({ text: 'two' });
    expect(cluster.children('uid-1')).toHaveLength(1);
  });

  it('refuses what a user has put there, prunes nothing then, and takes it over when both sides say so', async () => {
    const { cluster } = aCluster();
    const theirs = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'a', namespace: 'talk' },
    };
    const owner = cluster.put(pool({})) as Resource;
    await cluster.carryOut(owner, planOf(owner, [configMap(owner, 'old')]));
    cluster.put(theirs);
    const refused = await cluster.carryOut(owner, planOf(owner, [configMap(owner, 'a')]));
    expect(refused).toMatchObject({ applied: [], pruned: [], failed: [{ ref: { name: 'a' } }] });
    const status = cluster.get<Resource>(refOf(owner))?.status;
    expect(status?.conditions[2]).toMatchObject({
      type: 'Stalled',
      status: 'True',
      reason: 'ForeignObject',
    });
    expect(await cluster.read(refOf(theirs))).not.toHaveProperty('data');
    const consent = { 'sallyport.dev/adopt': 'true' };
    const adopting = cluster.put(pool({}, consent)) as Resource;
    const alone = await cluster.carryOut(adopting, planOf(adopting, [configMap(adopting, 'a')]));
    expect(alone).toMatchObject({ applied: [], failed: [{ ref: { name: 'a' } }] });
    cluster.put({ ...theirs, metadata: { ...theirs.metadata, annotations: consent } });
    const done = await cluster.carryOut(adopting, planOf(adopting, [configMap(adopting, 'a')]));
    expect(done).toMatchObject({ applied: [{ name: 'a' }], pruned: [{ name: 'old' }], failed: [] });
  });

  it('refuses a single apply of a foreign object, too', async () => {
    const { cluster } = aCluster();
    cluster.put({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'a', namespace: 'talk' },
    });
    const owner = cluster.put(pool({}));
    await expect(cluster.apply(owner, configMap(owner, 'a'))).rejects.toThrow(/not made for this/);
    await expect(cluster.apply(owner, configMap(owner, 'b'))).resolves.toMatchObject({
      kind: 'ConfigMap',
    });
  });

  it('deletes with a resource all that was made for it', async () => {
    const { cluster } = aCluster();
    const owner = cluster.put(pool({})) as Resource;
    await cluster.carryOut(owner, planOf(owner, [configMap(owner, 'a')]));
    expect(cluster.delete(refOf(owner))).toBe(true);
    expect(cluster.objects()).toEqual([]);
  });

  it('never shows the data of a Secret in the cache', async () => {
    const { cluster, changes } = aCluster();
    const owner = cluster.put(pool({}));
    const secret = {
      ...configMap(owner, 'keys'),
      kind: 'Secret',
      data: { key: 'Y2FuYXJ5' },
    };
    await cluster.apply(owner, secret);
    expect(JSON.stringify([cluster.child(refOf(secret)), changes])).not.toContain('Y2FuYXJ5');
    expect((await cluster.read(refOf(secret)))?.['data']).toEqual({ key: 'Y2FuYXJ5' });
  });
});

describe('rooms on a cluster in memory', () => {
  it('converge after each change, as on an API server', async () => {
    const { cluster } = aCluster();
    const room: Reconciler = {
      name: 'pool',
      primary: pools,
      watches: [],
      reconcile: async (key) => {
        const owner = cluster.get<Resource<{ text: string }>>({ ...pools, ...key });
        if (owner)
          await cluster.carryOut(owner, planOf(owner, [configMap(owner, 'a', owner.spec.text)]));
        return {};
      },
    };
    const clock = { now: () => NOON, monotonicMs: () => performance.now() };
    const runner = new RoomsRunner({ cluster, reconcilers: [room], clock, log: SILENT_LOGGER });
    cluster.put(pool({ text: 'before' }));
    runner.start();
    const text = async () =>
      (await cluster.read({ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'talk', name: 'a' }))?.[
        'data'
      ];
    await idle(runner);
    expect(await text()).toEqual({ text: 'before' });
    cluster.put(pool({ text: 'after' }));
    await idle(runner);
    expect(await text()).toEqual({ text: 'after' });
    await cluster.remove(cluster.childrenOfKind('v1', 'ConfigMap', 'talk')[0]!);
    await idle(runner);
    expect(await text()).toEqual({ text: 'after' });
    await runner.stop();
  });
});

async function idle(runner: RoomsRunner): Promise<void> {
  do await new Promise((resolve) => setTimeout(resolve, 5));
  while (!runner.idle);
}
