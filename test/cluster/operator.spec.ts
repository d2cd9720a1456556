/*
 * A cluster whose operator is killed, taken away, and brought back.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Json } from '../apiserver/bed/admin.js';
import { eventually } from '../apiserver/bed/eventually.js';
import { edgeResources, knownEdge } from './bed/edge.js';
import { converse, meet } from './bed/conversation.js';
import { Installation, SYSTEM } from './bed/installation.js';
import type { Person } from './bed/people.js';
import { begin, personInPod } from './bed/people.js';

const NAMESPACE = 'lonely';
let installation: Installation;
let alice: Person;
let bob: Person;

beforeAll(async () => {
  installation = Installation.ready();
  await installation.namespace(NAMESPACE);
  for (const resource of edgeResources('ClusterIP')) await installation.apply(resource, NAMESPACE);
  await installation.allReady(NAMESPACE, 90_000);
  const known = [await knownEdge(installation, NAMESPACE)];
  alice = await personInPod(installation, NAMESPACE, 'alice');
  bob = await personInPod(installation, NAMESPACE, 'bob');
  const prints = [await begin(alice, known), await begin(bob, known)] as const;
  await meet([alice, prints[0]], [bob, prints[1]]);
}, 300_000);
afterAll(() => {
  Installation.ready();
}, 120_000);

/** Every pod and workload of ours in the namespace, by name and by what it is. */
async function uids(): Promise<string[]> {
  const { admin } = installation.cluster;
  const lists = await Promise.all(
    ['/api/v1', '/apis/apps/v1'].flatMap((root) =>
      (root === '/api/v1'
        ? ['pods', 'services', 'secrets']
        : ['statefulsets', 'replicasets', 'controllerrevisions']
      ).map((plural) => admin.get(`${root}/namespaces/${NAMESPACE}/${plural}`)),
    ),
  );
  const items = lists.flatMap((list): Json[] => list.items as Json[]);
  return items.map(({ metadata }) => `${metadata.name as string} ${metadata.uid as string}`).sort();
}

const operators = async (): Promise<Json[]> => {
  const path = `/api/v1/namespaces/${SYSTEM}/pods`;
  return (await installation.cluster.admin.get(path)).items as Json[];
};

describe('a namespace whose operator is killed', () => {
  it('is reconciled by the other replica, and nothing in it is made anew', async () => {
    const before = await uids();
    const { admin } = installation.cluster;
    for (const pod of await operators()) {
      const path = `/api/v1/namespaces/${SYSTEM}/pods/${pod.metadata.name as string}`;
      await admin.call('DELETE', path, { gracePeriodSeconds: 0 });
    }
    const path = `/apis/networking.k8s.io/v1/namespaces/${NAMESPACE}/networkpolicies/edge-gateway`;
    await admin.call('DELETE', path);
    await eventually('the network policy is back', () => admin.get(path), {
      timeoutMs: 60_000,
      everyMs: 250,
    });
    expect(await uids()).toEqual(before);
    await installation.allReady(NAMESPACE, 60_000);
  }, 150_000);
});

describe('a namespace whose operator is uninstalled', () => {
  it('keeps its resources, and people go on talking through its pods', async () => {
    installation.uninstall();
    await eventually('no operator runs', async () => (await operators()).length === 0, {
      timeoutMs: 60_000,
    });
    expect(await installation.resource(NAMESPACE, 'signalinggateways', 'edge')).toBeDefined();
    const seen = await converse(alice, bob);
    expect(seen.heard).toContain('a: shall we?');
    expect(seen.sameFile).toBe(true);
  }, 200_000);

  it('is as it was when an operator comes back: nothing is made anew', async () => {
    const before = await uids();
    Installation.ready();
    await installation.allReady(NAMESPACE, 60_000);
    expect(await uids()).toEqual(before);
  }, 150_000);

  it('goes when it is deleted, also while no operator is there, and its data stay', async () => {
    installation.uninstall();
    const { admin } = installation.cluster;
    const volumes = async (): Promise<string[]> => {
      const { items } = (await admin.get('/api/v1/persistentvolumes')) as { items: Json[] };
      const claimed = items.filter(({ spec }) => spec.claimRef?.namespace === NAMESPACE);
      return claimed.map(({ spec }) => spec.local.path as string);
    };
    const [path] = await volumes();
    await admin.call('DELETE', `/api/v1/namespaces/${NAMESPACE}`);
    await eventually(
      'the namespace is gone',
      async () => (await admin.get(`/api/v1/namespaces/${NAMESPACE}`)) === undefined,
      { timeoutMs: 90_000, everyMs: 500 },
    );
    expect(installation.cluster.node(['ls', path!]).trim()).not.toBe('');
    const group = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
    expect(await admin.get(`${group}/signalinggateways.sallyport.dev`)).toBeDefined();
    await installation.removeNamespace(NAMESPACE);
  }, 150_000);
});
