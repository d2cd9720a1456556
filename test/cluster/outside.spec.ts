/*
 * People on a machine that is not of the cluster: they see the addresses of load balancers and nothing else.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { converse, meet } from './bed/conversation.js';
import { edgeResources, knownEdge } from './bed/edge.js';
import { Installation } from './bed/installation.js';
import type { Person } from './bed/people.js';
import { begin, personOutside } from './bed/people.js';

const NAMESPACE = 'edge';
let installation: Installation;
let alice: Person;
let bob: Person;

beforeAll(async () => {
  installation = Installation.ready();
  await installation.namespace(NAMESPACE);
  for (const resource of edgeResources()) await installation.apply(resource, NAMESPACE);
  await installation.allReady(NAMESPACE, 90_000);
  const known = [await knownEdge(installation, NAMESPACE)];
  alice = await personOutside(installation, 'alice');
  bob = await personOutside(installation, 'bob');
  const prints = [await begin(alice, known), await begin(bob, known)] as const;
  await meet([alice, prints[0]], [bob, prints[1]]);
}, 300_000);
afterAll(async () => {
  await alice.leave();
  await bob.leave();
  await installation.removeNamespace(NAMESPACE);
}, 120_000);

/** Packets to the node since the count began, by protocol. */
const counted = (protocol: 'datagrams' | 'segments'): number => {
  const list = installation.cluster.outside(['nft', 'list', 'counter', 'inet', 'test', protocol]);
  return Number(/packets (\d+)/.exec(list)?.[1]);
};

/** Counts what goes to relays by protocol; with `blocked` no datagram leaves. */
function countRelays(blocked: boolean): void {
  const verdict = blocked ? 'drop' : 'accept';
  installation.cluster.outside(['nft', '-f', '-'], {
    input: `table inet test
delete table inet test
table inet test {
  counter datagrams { }
  counter segments { }
  chain out {
    type filter hook output priority 0;
    udp dport 3478 counter name datagrams ${verdict}
    tcp dport 5349 counter name segments accept
  }
}
`,
  });
}

describe('two people outside of the cluster', () => {
  it('see the gateway at its load balancer, and it is in order', async () => {
    const status = await alice.run(['status', '--output', 'json']).ended;
    expect({ code: status.code, stderr: status.stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(status.stdout)).toMatchObject({ gateway: 'edge/edge', roles: ['member'] });
  }, 60_000);

  it('exchange text, a file and call frames over UDP through relays behind load balancers', async () => {
    countRelays(false);
    const seen = await converse(alice, bob);
    expect(seen.heard).toContain('a: shall we?');
    expect(seen.sameFile).toBe(true);
    expect(seen.call.returned).toBeGreaterThan(20);
    expect(counted('datagrams')).toBeGreaterThan(100);
  }, 240_000);

  it('do the same over port 5349 alone when no datagram leaves their network', async () => {
    countRelays(true);
    const seen = await converse(alice, bob);
    expect(seen.heard).toContain('a: shall we?');
    expect(seen.sameFile).toBe(true);
    expect(seen.call.returned).toBeGreaterThan(20);
    expect(counted('segments')).toBeGreaterThan(100);
  }, 240_000);
});
