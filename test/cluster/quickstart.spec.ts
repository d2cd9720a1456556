/*
 * What the readme promises: two commands, and two people talk.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Installation, SYSTEM } from './bed/installation.js';
import { countEgress, egressPackets } from './bed/egress.js';
import { converse, meet } from './bed/conversation.js';
import type { KnownGateway, Person } from './bed/people.js';
import { begin, personInPod } from './bed/people.js';

const NAMESPACE = 'quickstart';
const people: Person[] = [];
let installation: Installation;

beforeAll(async () => {
  installation = Installation.attach();
  installation.uninstall();
  countEgress(installation.cluster);
  Installation.ready();
  await installation.namespace(NAMESPACE);
});
afterAll(async () => {
  for (const person of people) await person.leave();
  await installation.removeNamespace(NAMESPACE);
}, 120_000);

/** The quickstart's gateway as pods reach it: its service, and the pins of its status. */
async function gateway(): Promise<KnownGateway> {
  const { status } = await installation.resource(NAMESPACE, 'signalinggateways', 'demo');
  const certificates = status.certificates as { purpose: string; pins: string[] }[];
  const [endpoint] = status.endpoints as { address: string; port: number }[];
  const [service] = endpoint!.address.split('.');
  const path = `/api/v1/namespaces/${NAMESPACE}/services/${service!}`;
  const { spec } = await installation.cluster.admin.get(path);
  return {
    host: 'localhost',
    port: endpoint!.port,
    pins: certificates.find(({ purpose }) => purpose === 'Public')!.pins,
    address: spec.clusterIP as string,
  };
}

describe('the quickstart on a real node', () => {
  it('has an operator of two ready replicas after helm install', async () => {
    const path = `/apis/apps/v1/namespaces/${SYSTEM}/deployments/sallyport-operator`;
    const { status } = await installation.cluster.admin.get(path);
    expect(status.readyReplicas).toBe(2);
  });

  it('is Ready within a minute of kubectl apply', async () => {
    await installation.applyFolder('config/quickstart', NAMESPACE);
    const tookMs = await installation.allReady(NAMESPACE);
    expect(tookMs).toBeLessThan(60_000);
  });

  it('lets two people in pods talk, send a file and call through its pods', async () => {
    const known = await gateway();
    const made: (readonly [Person, string])[] = [];
    for (const name of ['alice', 'bob']) {
      const person = await personInPod(installation, NAMESPACE, name);
      people.push(person);
      made.push([person, await begin(person, [known])]);
    }
    const [alice, bob] = made as [readonly [Person, string], readonly [Person, string]];
    await meet(alice, bob);
    const seen = await converse(alice[0], bob[0]);
    expect(seen.heard).toContain('a: shall we?');
    expect(seen.sameFile).toBe(true);
    expect(seen.call.returned).toBeGreaterThan(20);
  }, 240_000);

  it('S79, S211: has sent no packet out of the cluster, through installation and use', () => {
    expect(egressPackets(installation.cluster)).toBe(0);
    // The count counts: this one goes out.
    const lookup =
      "require('node:net').connect(9, '192.0.2.1').on('error', () => process.exit()); setTimeout(process.exit, 500)";
    installation.cluster.node([process.execPath, '-e', lookup]);
    expect(egressPackets(installation.cluster)).toBeGreaterThan(0);
  });
});
