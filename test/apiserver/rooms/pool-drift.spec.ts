/*
 * Each field that we own of each object of two pools, and of the ConfigMap with a gateway's policy bundle, edited by
 * others in three ways (field-edits.ts). A bundle is not put back but signed anew, so what follows an edit of it is
 * a whole bundle with a higher serial, and not the same text.
 */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RelayPool } from '../../../src/kinds/relay-pool.gen.js';
import { LABEL_OWNER_KIND } from '../../../src/kubernetes/metadata.js';
import type { KubernetesObject } from '../../../src/kubernetes/object.js';
import { dataHash } from '../../../src/kubernetes/projection.js';
import { aFingerprint } from '../../builders.js';
import type { TestApiServer } from '../bed/api-server.js';
import { eventually } from '../bed/eventually.js';
import { settled, startEngine, startEngineBed } from '../engine/engine-bed.js';
import type { TestEngine } from '../engine/engine-bed.js';
import { EVERY_WAY, FieldEdits, nameOf, ownedObject } from './field-edits.js';
import type { EditKind } from './field-edits.js';
import { gatewayAt, managedObjects } from './gateway-rooms.js';
import { allRooms } from './pool-rooms.js';

const NAMESPACE = 'drift';
const POOLS: Readonly<Record<string, object>> = {
  public: {
    autoscaling: { minReplicas: 1, maxReplicas: 2 },
    exposure: {
      type: 'LoadBalancer',
      annotations: { 'service.example.com/pool': 'public' },
      sourceRanges: ['203.0.113.0/24', '2001:db8::/32'],
      allocateNodePorts: true,
    },
  },
  plain: { replicas: 2 },
};

let server: TestApiServer;
let running: TestEngine;
let edits: FieldEdits;
let desired: readonly KubernetesObject[];

beforeAll(async () => {
  server = await startEngineBed({ crds: true });
  edits = new FieldEdits(server);
  await server.createNamespace(NAMESPACE);
  running = startEngine(server, { reconcilers: allRooms });
  await apply('SignalingGateway', 'edge', { hosts: ['chat.example.com'] });
  await apply('AccessRole', 'user', {
    gateways: { names: ['edge'] },
    permissions: [{ resource: 'Chat', verbs: ['Send', 'Receive'] }],
    subjects: [aFingerprint()],
  });
  for (const [name, spec] of Object.entries(POOLS)) {
    await apply('RelayPool', name, { region: 'eu-central', ...spec });
  }
  await settled(running, 500);
  desired = (await managedObjects(server, NAMESPACE))
    .filter(({ metadata }) => metadata.labels?.[LABEL_OWNER_KIND] === 'RelayPool')
    // Keys are not put back but made anew; tests of their own show that.
    .filter(({ kind }) => kind !== 'Secret')
    .map(ownedObject);
});
afterAll(async () => {
  await running.stop();
  await server.stop();
});

async function apply(kind: string, name: string, spec: object): Promise<void> {
  const metadata = { name, namespace: NAMESPACE };
  await server.apply({ apiVersion: 'sallyport.dev/v1alpha1', kind, metadata, spec });
}

const EDITABLE = [
  'ConfigMap',
  'HorizontalPodAutoscaler',
  'NetworkPolicy',
  'PodDisruptionBudget',
  'Service',
  'ServiceAccount',
  'StatefulSet',
];

describe('every field of every object of a pool', () => {
  it.each(EVERY_WAY)(
    'is repaired after %s',
    async (_, kind, atLeast) => {
      const taken = await edits.editAll(kind, desired);
      expect([...new Set(taken)].sort()).toEqual(EDITABLE);
      expect(taken.length).toBeGreaterThan(atLeast);
    },
    300_000,
  );

  it('and the pool never said that it gave up', async () => {
    const path = `/apis/sallyport.dev/v1alpha1/namespaces/${NAMESPACE}/relaypools`;
    for (const name of Object.keys(POOLS)) {
      const { status } = (await server.admin.get(`${path}/${name}`)) as RelayPool;
      const drift = status?.conditions.find(({ type }) => type === 'DriftDetected');
      expect(drift).toMatchObject({ status: 'False', reason: 'DriftRepaired' });
    }
  });
});

const CONFIG_MAP: KubernetesObject = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'edge-gateway-policy', namespace: NAMESPACE },
};
const SERIAL = 'sallyport.dev/bundle-serial';
const MATERIAL = 'sallyport.dev/material';

const serialOf = ({ metadata }: KubernetesObject) => Number(metadata.annotations?.[SERIAL]);
const bundleNow = async () => ownedObject(await edits.live(CONFIG_MAP));

/** What of the ConfigMap is the same with each serial. */
function lasting({ apiVersion, kind, metadata, ...rest }: KubernetesObject) {
  const { data = {}, ...more } = rest as { readonly data?: object };
  const annotations = { ...metadata.annotations, [SERIAL]: '', [MATERIAL]: '' };
  return { ...more, metadata: { ...metadata, annotations }, entries: Object.keys(data) };
}

/** @throws Error that shows what is not as it should be */
async function expectSignedAnew(before: KubernetesObject): Promise<void> {
  const now = await bundleNow();
  const data = now['data'] as Readonly<Record<string, string>>;
  const { bundle } = JSON.parse(data['bundle.json'] ?? '') as { readonly bundle: string };
  const serial = serialOf(now);
  expect(serial).toBeGreaterThan(serialOf(before));
  expect(lasting(now)).toEqual(lasting(before));
  expect(now.metadata.annotations?.[MATERIAL]).toBe(dataHash(data));
  expect(JSON.parse(bundle)).toMatchObject({ serial, roles: [{ name: 'user' }] });
  const { status } = await gatewayAt(server, NAMESPACE, 'edge');
  const digest = createHash('sha256').update(bundle).digest('hex');
  expect(status?.policyBundle).toMatchObject({ serial, digest });
}

/** Edits one field after the other and waits each time; the fields that could be edited. */
async function editBundle(kind: EditKind): Promise<readonly string[]> {
  const edited: string[] = [];
  const fields = await edits.fieldsOf(await bundleNow());
  for (const { pointer } of fields) {
    const object = await bundleNow();
    const field = { object, pointer };
    if (!(await edits.edit(kind, field))) continue;
    edited.push(pointer);
    await eventually(
      `${nameOf(field)} is signed anew`,
      () => expectSignedAnew(object).then(() => true),
      { timeoutMs: 30_000 },
    );
  }
  return edited;
}

describe('the ConfigMap with a policy bundle', () => {
  it.each<EditKind>(['Update', 'ForeignApply', 'Removal'])(
    'T51: is signed anew after each edit of a field of ours by %s',
    async (kind) => {
      const edited = await editBundle(kind);
      const annotations = ['bundle-kid', 'bundle-roles', 'bundle-serial', 'material'];
      expect(edited).toEqual(
        expect.arrayContaining([
          '/data/bundle.json',
          ...annotations.map((name) => `/metadata/annotations/sallyport.dev~1${name}`),
          '/metadata/labels/app.kubernetes.io~1component',
          '/metadata/labels/app.kubernetes.io~1managed-by',
          '/metadata/labels/sallyport.dev~1owner-uid',
          ...(kind === 'Update' ? ['/metadata/ownerReferences/0/controller'] : []),
        ]),
      );
    },
    180_000,
  );

  it('is left alone when somebody adds to it what is not ours', async () => {
    await settled(running, 500);
    const before = await bundleNow();
    await server.admin.call(
      'PATCH',
      `/api/v1/namespaces/${NAMESPACE}/configmaps/edge-gateway-policy`,
      { data: { note: 'x' }, metadata: { labels: { team: 'x' } } },
      { contentType: 'application/merge-patch+json' },
    );
    await settled(running, 500);
    expect(await bundleNow()).toEqual(before);
  });
});
