/*
 * Pods are replaced one after the other while people talk through them.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { AnyObject, Json } from '../apiserver/bed/admin.js';
import { eventually } from '../apiserver/bed/eventually.js';
import { meet } from './bed/conversation.js';
import { edgeResources, knownEdge } from './bed/edge.js';
import { Installation } from './bed/installation.js';
import type { Person } from './bed/people.js';
import { begin, personInPod } from './bed/people.js';

const NAMESPACE = 'rolling';
const PODS = `/api/v1/namespaces/${NAMESPACE}/pods`;
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
afterAll(() => installation.removeNamespace(NAMESPACE), 120_000);

/** Pods of ours whose name begins so, by name. */
async function pods(prefix: string): Promise<Json[]> {
  const { items } = (await installation.cluster.admin.get(PODS)) as { items: Json[] };
  return items.filter(({ metadata }) => (metadata.name as string).startsWith(prefix));
}

const uids = async (prefix: string): Promise<string[]> =>
  (await pods(prefix)).map(({ metadata }) => metadata.uid as string).sort();

/** Another template for every pod of a kind: the limits of its processors. */
async function change(kind: string, cpu: string): Promise<void> {
  const resource = edgeResources('ClusterIP').find((one) => one.kind === kind)!;
  const spec = { ...(resource['spec'] as object), resources: { limits: { cpu } } };
  const changed: AnyObject = { ...resource, spec };
  await installation.apply(changed, NAMESPACE);
}

/** Waits until none of the pods is one of `before`, and all is Ready. */
async function replaced(prefix: string, before: readonly string[]): Promise<void> {
  await eventually(
    `every ${prefix} is another`,
    async () => {
      const now = await uids(prefix);
      return now.length === before.length && now.every((uid) => !before.includes(uid));
    },
    { timeoutMs: 120_000, everyMs: 500 },
  );
  await installation.allReady(NAMESPACE, 90_000);
}

describe('two people who talk while every relay and the gateway is replaced', () => {
  it('hear every line that was acknowledged, once and in order', async () => {
    const listening = bob.run(['chat', 'a', '--stay'], { keepInput: true });
    await listening.says('a is not there now');
    const talking = alice.run(['chat', 'b'], { keepInput: true });
    await talking.says('You talk to b');
    let lines = 0;
    const timer = setInterval(() => {
      talking.type(`line ${lines++}.\n`);
    }, 500);
    try {
      const relays = await uids('relays-relay');
      await change('RelayPool', '300m');
      await replaced('relays-relay', relays);
      const gateways = await uids('edge-gateway');
      await change('SignalingGateway', '900m');
      await replaced('edge-gateway', gateways);
    } finally {
      clearInterval(timer);
      talking.child.stdin?.end();
    }
    const { code, stderr } = await talking.ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    bob.interrupt(listening);
    const heard = (await listening.ended).stdout.match(/line \d+\./g);
    expect(heard).toEqual(Array.from({ length: lines }, (_, index) => `line ${index}.`));
  }, 400_000);
});

describe('a pool of two relays', () => {
  it('gives up one pod to an eviction, and refuses the second while the first is away', async () => {
    const evict = async (name: string): Promise<number> => {
      const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name } };
      const path = `${PODS}/${name}/eviction`;
      return (await installation.cluster.admin.request('POST', path, eviction)).status;
    };
    const names = (await pods('relays-relay')).map(({ metadata }) => metadata.name as string);
    expect(names).toHaveLength(2);
    expect(await evict(names[0]!)).toBe(201);
    expect(await evict(names[1]!)).toBe(429);
    await eventually(
      'the second may go when the first is back',
      async () => {
        await installation.allReady(NAMESPACE, 60_000);
        return (await evict(names[1]!)) === 201;
      },
      { timeoutMs: 90_000, everyMs: 1_000 },
    );
    await installation.allReady(NAMESPACE, 90_000);
  }, 200_000);
});
