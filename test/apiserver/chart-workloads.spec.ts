import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { loadAll } from 'js-yaml';
import { rendered } from '../chart/helm.js';
import type { AnyObject, Answer } from './bed/admin.js';
import { startApiServer, type TestApiServer } from './bed/api-server.js';
import { eventually } from './bed/eventually.js';
import { OPERATOR_ACCOUNT } from './chart-bed.js';

const GOLDEN = join(import.meta.dirname, '../golden');
const DEPLOYMENTS = '/apis/apps/v1/namespaces/office/deployments?dryRun=All';
const CONTAINER = 'spec.template.spec.containers.0';

let server: TestApiServer;
/** What the operator writes for a gateway. */
let good: AnyObject;

beforeAll(async () => {
  server = await startApiServer({
    users: { [OPERATOR_ACCOUNT]: ['system:serviceaccounts', 'system:authenticated'] },
  });
  for (const name of ['office', 'sallyport-system']) await server.createNamespace(name);
  const values = { images: { allowedRepositories: ['mirror.example.com'] } };
  const wanted = /^(ClusterRole|ValidatingAdmissionPolicy)/;
  for (const object of rendered({ values }).filter(({ kind }) => wanted.test(kind)))
    await server.apply(object);
  const text = await readFile(join(GOLDEN, 'signaling-gateway/gateway-ha.yaml'), 'utf8');
  const found = (loadAll(text) as AnyObject[]).find(({ kind }) => kind === 'Deployment')!;
  good = { ...found, metadata: { name: 'edge-gateway', namespace: 'office' } };
  // With user namespaces the API server itself refuses those of the node, and the policy would not be asked.
  good = changed({ 'spec.template.spec.hostUsers': undefined }) as AnyObject;
  await eventually(
    'the policy is in force',
    async () => (await create({ [`${CONTAINER}.image`]: 'x/y:1' })).status === 422,
  );
});
afterAll(() => server.stop());

/** `good` with other values at paths (`a.b.0.c`). */
function changed(changes: Readonly<Record<string, unknown>>): object {
  const object = structuredClone(good) as unknown as Record<string, unknown>; // Walked by path.
  for (const [path, value] of Object.entries(changes)) {
    const steps = path.split('.');
    const last = steps.pop()!;
    let place = object;
    for (const step of steps) place = place[step] as Record<string, unknown>;
    place[last] = value;
  }
  return object;
}

function create(
  changes: Readonly<Record<string, unknown>>,
  user = OPERATOR_ACCOUNT,
): Promise<Answer> {
  return server.request('POST', DEPLOYMENTS, changed(changes), { user });
}

const BAD: readonly (readonly [string, Readonly<Record<string, unknown>>])[] = [
  ['image', { [`${CONTAINER}.image`]: 'evil.example.net/sallyport:0.1.0' }],
  ['image', { [`${CONTAINER}.image`]: 'registry.example.com/sallyport-evil:0.1.0' }],
  ['image', { [`${CONTAINER}.image`]: 'mirror.example.com:5000/sallyport:0.1.0' }],
  ['image', { [`${CONTAINER}.image`]: 'registryXexample.com/sallyport:0.1.0' }],
  ['image', { 'spec.template.spec.initContainers.0.image': 'evil.example.net/x:1' }],
  ['node', { 'spec.template.spec.hostNetwork': true }],
  ['token', { 'spec.template.spec.automountServiceAccountToken': true }],
  ['token', { 'spec.template.spec.volumes.0': { name: 'settings', hostPath: { path: '/' } } }],
  [
    'token',
    {
      'spec.template.spec.volumes.0': {
        name: 'settings',
        projected: { sources: [{ serviceAccountToken: { path: 'token' } }] },
      },
    },
  ],
  [
    'hardened',
    {
      [`${CONTAINER}.securityContext.privileged`]: true,
      [`${CONTAINER}.securityContext.allowPrivilegeEscalation`]: true,
    },
  ],
  ['hardened', { [`${CONTAINER}.securityContext.readOnlyRootFilesystem`]: false }],
  ['hardened', { [`${CONTAINER}.securityContext.runAsUser`]: 0 }],
  [
    'hardened',
    { [`${CONTAINER}.securityContext.capabilities`]: { drop: ['ALL'], add: ['NET_ADMIN'] } },
  ],
  ['hardened', { [`${CONTAINER}.securityContext`]: {} }],
  ['hardened', { 'spec.template.spec.securityContext.seccompProfile': { type: 'Unconfined' } }],
];

describe('the policy on workloads that chart sallyport renders', () => {
  it.each([
    ['what the operator renders', {}],
    ['an allowed registry', { [`${CONTAINER}.image`]: 'mirror.example.com/a/sallyport:1' }],
  ])('lets the operator write %s', async (_, changes) => {
    const { status, body } = await create(changes);
    expect([status, body?.message]).toEqual([201, undefined]);
  });

  it.each(BAD)('refuses it another %s: %j', async (word, changes) => {
    const { status, body } = await create(changes);
    expect(status).toBe(422);
    expect(body.message).toContain(word);
  });

  it('does not concern anybody else', async () => {
    expect((await create({ 'spec.template.spec.hostPID': true }, 'admin')).status).toBe(201);
  });
});
