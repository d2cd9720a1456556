/*
 * Which pod reaches which port: what is open is exactly what the policies say, and what is open asks who calls.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Json } from '../apiserver/bed/admin.js';
import { eventually } from '../apiserver/bed/eventually.js';
import { API_SERVER_SERVICE, DNS_SERVICE, OUTSIDE_ADDRESS } from './bed/addresses.js';
import { edgeResources } from './bed/edge.js';
import { Installation, SYSTEM } from './bed/installation.js';
import type { Person } from './bed/people.js';
import { personInPod } from './bed/people.js';

const NAMESPACE = 'network';
const ELSEWHERE = 'elsewhere';
/** What listens outside, where nobody of ours may go. */
const OUTSIDE_PORT = 443;

let installation: Installation;
let pods: Record<'gateway' | 'relay' | 'peer' | 'operator', Json>;
let targets: Record<string, string>;
const people: Person[] = [];

beforeAll(async () => {
  installation = Installation.ready();
  const { cluster } = installation;
  for (const name of [NAMESPACE, ELSEWHERE]) await installation.namespace(name);
  for (const resource of edgeResources()) await installation.apply(resource, NAMESPACE);
  people.push(await personInPod(installation, NAMESPACE, 'neighbour'));
  people.push(await personInPod(installation, ELSEWHERE, 'stranger'));
  await installation.allReady(NAMESPACE, 90_000);
  const listen = `require('node:net').createServer((s) => s.end()).listen(${OUTSIDE_PORT})`;
  outside = cluster.spawnFar([process.execPath, '-e', listen]);
  const { items: ours } = await cluster.admin.get(`/api/v1/namespaces/${NAMESPACE}/pods`);
  const { items: system } = await cluster.admin.get(`/api/v1/namespaces/${SYSTEM}/pods`);
  const named = (list: Json[], name: string): Json =>
    list.find(({ metadata }) => (metadata.name as string).startsWith(name));
  pods = {
    gateway: named(ours, 'edge-gateway-0'),
    relay: named(ours, 'relays-relay-0'),
    peer: named(ours, 'relays-relay-1'),
    operator: named(system, 'sallyport-operator'),
  };
  const at = (pod: Json, port: number) => `${pod.status.podIP as string}:${port}`;
  targets = {
    'gateway 8443': at(pods.gateway, 8443),
    'gateway 9443': at(pods.gateway, 9443),
    'gateway 9090': at(pods.gateway, 9090),
    'relay 5349': at(pods.peer, 5349),
    'relay 9090': at(pods.peer, 9090),
    'operator 9090': at(pods.operator, 9090),
    'API server': `${API_SERVER_SERVICE}:443`,
    names: `${DNS_SERVICE}:53`,
    outside: `${OUTSIDE_ADDRESS}:${OUTSIDE_PORT}`,
  };
}, 240_000);
let outside: ReturnType<Installation['cluster']['spawnFar']>;
afterAll(async () => {
  outside.kill();
  await installation.removeNamespace(ELSEWHERE);
  await installation.removeNamespace(NAMESPACE);
}, 180_000);

/** The targets to which a pod can make a TCP connection. */
function reached(namespace: string, pod: string): string[] {
  const words = [
    'exec',
    '-n',
    namespace,
    pod,
    '--',
    'node',
    '-e',
    CONNECT,
    JSON.stringify(targets),
  ];
  return JSON.parse(installation.cluster.kubectl(words)) as string[];
}

const CONNECT = `const net = require('node:net');
  const tried = Object.entries(JSON.parse(process.argv[1])).map(([name, at]) => new Promise((resolve) => {
    const [host, port] = at.split(':'); const socket = net.connect(Number(port), host); socket.setTimeout(3000);
    const done = (open) => { socket.destroy(); resolve(open ? [name] : []); };
    socket.on('connect', () => done(true)).on('error', () => done(false)).on('timeout', () => done(false)); }));
  Promise.all(tried).then((found) => process.stdout.write(JSON.stringify(found.flat())))`;

/** Policies are carried out a moment after the pods have started. */
const settles = (namespace: string, pod: string, expected: readonly string[]) =>
  eventually(
    `${pod} reaches ${expected.join(', ')}`,
    () => {
      const found = reached(namespace, pod);
      if (found.join() !== expected.join()) throw new Error(`It reaches ${found.join(', ')}.`);
      return true;
    },
    { timeoutMs: 30_000, everyMs: 500 },
  );

describe('from the pods of a cluster, of all ports of ours', () => {
  const forClients = ['gateway 8443', 'relay 5349'];
  const ofTheCluster = ['API server', 'names', 'outside'];

  it.each([
    ['a pod of the same namespace', NAMESPACE, 'neighbour'],
    ['a pod of another namespace', ELSEWHERE, 'stranger'],
  ])('S143: %s reaches those for clients alone', async (_, namespace, pod) => {
    await settles(namespace, pod, [...forClients, ...ofTheCluster]);
  });

  it('S143: a gateway reaches none, nor anything else', async () => {
    targets = Object.fromEntries(
      Object.entries(targets).filter(([name]) => !name.startsWith('gateway')),
    );
    await settles(NAMESPACE, pods.gateway.metadata.name as string, []);
  });

  it('S143: a relay reaches its gateway and names alone', async () => {
    // Both relays are under one policy, and the enforcer of this tier lets such pods through to what it opens for everybody.
    delete targets['relay 5349'];
    targets = { ...targets, 'gateway 9443': `${pods.gateway.status.podIP as string}:9443` };
    await settles(NAMESPACE, pods.relay.metadata.name as string, ['names', 'gateway 9443']);
  });

  it('S143: an operator reaches the API server alone', async () => {
    const { 'operator 9090': own, ...others } = targets;
    expect(own).toBeDefined();
    targets = others;
    await settles(SYSTEM, pods.operator.metadata.name as string, ['API server']);
  });
});

describe('the port for relays, from a pod that the policies let through', () => {
  const answer = (certificate: object): string => {
    const name = pods.relay.metadata.name as string;
    const words = ['exec', '-i', '-n', NAMESPACE, name, '--', 'node', '-e', ASK];
    const host = pods.gateway.status.podIP as string;
    return installation.cluster.kubectl(words, { input: JSON.stringify({ host, ...certificate }) });
  };

  it('S42: answers nobody without a certificate', () => {
    expect(answer({})).toBe('cut');
  });

  it("S42: refuses a gateway's own certificate, which is of another component", async () => {
    const path = `/api/v1/namespaces/${NAMESPACE}/secrets`;
    const { items } = (await installation.cluster.admin.get(path)) as { items: Json[] };
    const leaves = items.filter(({ data }) => data?.['tls.crt'] && data?.['tls.key']);
    const internal = leaves.find(({ metadata }) => /internal/.test(metadata.name as string));
    const text = (name: string) => Buffer.from(internal.data[name] as string, 'base64').toString();
    expect(answer({ cert: text('tls.crt'), key: text('tls.key') })).toMatch(/^(cut|HTTP\/1.1 403)/);
  });
});

const ASK = `const { host, ...credentials } = JSON.parse(require('node:fs').readFileSync(0, 'utf8'));
  const socket = require('node:tls').connect({ host, port: 9443, rejectUnauthorized: false, ...credentials });
  let heard = ''; const end = () => { process.stdout.write(heard.split('\\r\\n')[0] || 'cut'); process.exit(); };
  socket.on('secureConnect', () => socket.write('GET /relay-registry HTTP/1.1\\r\\nHost: x\\r\\nConnection: Upgrade\\r\\nUpgrade: websocket\\r\\nSec-WebSocket-Version: 13\\r\\nSec-WebSocket-Key: MDEyMzQ1Njc4OTAxMjM0NQ==\\r\\nSec-WebSocket-Protocol: sallyport.relay-registry.v1\\r\\n\\r\\n'));
  socket.on('data', (chunk) => { heard += chunk; end(); }).on('error', end).on('close', end); setTimeout(end, 5000)`;
