/*
 * Each field that we own of each object of two gateways, edited by others in three ways. An edit that the API server
 * itself refuses (immutable or invalid) is no drift; every edit that it takes is repaired.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { KubernetesObject } from '../../../src/kubernetes/object.js';
import { refOf } from '../../../src/kubernetes/object.js';
import { pathOf } from '../../../src/kubernetes/resources.js';
import { planGateway } from '../../../src/operator/signaling-gateway/plan.js';
import { goodSecrets, observedGateway } from '../../unit/rooms/observed-gateway.js';
import type { TestApiServer } from '../bed/api-server.js';
import { eventually } from '../bed/eventually.js';
import { settled, startEngine, startEngineBed } from '../engine/engine-bed.js';
import type { TestEngine } from '../engine/engine-bed.js';
import { jsonPointers, valueAt } from '../engine/json-pointer.js';
import { gatewayAt, gatewayRooms, ROOM_SETTINGS } from './gateway-rooms.js';
import { SECRETS, VARIANTS } from './gateway-variants.js';

const NAMESPACE = 'drift';
const NAMES = ['replicated', 'behind-ingress'] as const;
/** Identity is not a field, and when a template was first written is only known to the cluster. */
const NOT_EDITED =
  /^\/(apiVersion|kind|metadata\/(name|namespace)|metadata\/annotations\/.*since)$/;

let server: TestApiServer;
let running: TestEngine;
let desired: readonly KubernetesObject[];
let edits = 0;

beforeAll(async () => {
  server = await startEngineBed({ crds: true });
  await server.createNamespace(NAMESPACE);
  for (const [name, stringData] of Object.entries(SECRETS)) {
    const metadata = { name, namespace: NAMESPACE };
    await server.apply({ apiVersion: 'v1', kind: 'Secret', metadata, stringData });
  }
  running = startEngine(server, { reconcilers: gatewayRooms });
  for (const name of NAMES) {
    await server.apply({
      apiVersion: 'sallyport.dev/v1alpha1',
      kind: 'SignalingGateway',
      metadata: { name, namespace: NAMESPACE },
      spec: { hosts: ['chat.example.com'], ...VARIANTS[name] },
    });
  }
  await settled(running, 500);
  const plans = await Promise.all(NAMES.map((name) => gatewayAt(server, NAMESPACE, name)));
  desired = plans.flatMap((gateway) => {
    const serves = { certificates: false, serviceMonitors: false };
    const secrets = goodSecrets(gateway);
    const observed = observedGateway(gateway, { serves, secrets });
    return planGateway(observed, ROOM_SETTINGS, new Date()).plan.apply;
  });
});
afterAll(async () => {
  await running.stop();
  await server.stop();
});

interface Field {
  readonly object: KubernetesObject;
  readonly pointer: string;
}

const live = (object: KubernetesObject) => server.admin.get(pathOf(refOf(object)));

/** Every leaf that we wrote and that stands as we wrote it. */
async function fields(): Promise<readonly Field[]> {
  const lists = await Promise.all(
    desired.map(async (object) => {
      const standing = await live(object);
      return jsonPointers(object, true)
        .filter((pointer) => !NOT_EDITED.test(pointer))
        .filter((pointer) => same(valueAt(standing, pointer), valueAt(object, pointer)))
        .map((pointer) => ({ object, pointer }));
    }),
  );
  return lists.flat();
}

const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);

/** Another value of the same type. */
function other(value: unknown): unknown {
  if (typeof value === 'number') return value + 1;
  if (typeof value === 'boolean') return !value;
  return typeof value === 'string' ? `${value}x` : value;
}

/** Makes one edit; whether the API server took it and it changed something. */
type Edit = (field: Field, manager: string) => Promise<boolean>;

const update: Edit = ({ object, pointer }, manager) =>
  jsonPatch(object, pointer, manager, {
    op: 'replace',
    path: pointer,
    value: other(valueAt(object, pointer)),
  });

const remove: Edit = ({ object, pointer }, manager) =>
  jsonPatch(object, pointer, manager, { op: 'remove', path: pointer });

async function jsonPatch(
  object: KubernetesObject,
  pointer: string,
  manager: string,
  operation: object,
): Promise<boolean> {
  const path = `${pathOf(refOf(object))}?fieldManager=${manager}`;
  const contentType = 'application/json-patch+json';
  return tookEffect(
    object,
    pointer,
    await server.request('PATCH', path, [operation], { contentType }),
  );
}

const foreignApply: Edit = async ({ object, pointer }, manager) => {
  const keys = pointer
    .split('/')
    .slice(1)
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
  // List items have no position in an apply, so only fields outside of lists are edited in this way.
  if (keys.some((key) => /^\d+$/.test(key))) return false;
  const value = keys.reduceRight<unknown>(
    (inner, key) => ({ [key]: inner }),
    other(valueAt(object, pointer)),
  );
  const { apiVersion, kind, metadata } = object;
  const body = { ...(value as object), apiVersion, kind } as KubernetesObject;
  const identity = { ...body.metadata, name: metadata.name, namespace: metadata.namespace };
  const path = `${pathOf(refOf(object))}?fieldManager=${manager}&force=true`;
  const contentType = 'application/apply-patch+yaml';
  const answer = await server.request(
    'PATCH',
    path,
    { ...body, metadata: identity },
    { contentType },
  );
  return tookEffect(object, pointer, answer);
};

function tookEffect(
  object: KubernetesObject,
  pointer: string,
  { status, body }: { readonly status: number; readonly body: unknown },
): boolean {
  return status === 200 && !same(valueAt(body, pointer), valueAt(object, pointer));
}

/** Edits in flight in one object. */
const AT_ONCE = 12;

/** Edits every field and waits for each repair. An edit that moves list items is made alone. */
async function editAll(edit: Edit): Promise<readonly string[]> {
  const all = await fields();
  const taken = await Promise.all(
    desired.map(async (object) => {
      const mine = all.filter((field) => field.object === object);
      const edited: string[] = [];
      for (const batch of batches(mine)) {
        const took = await Promise.all(batch.map((field) => editAndWait(edit, field)));
        edited.push(...took.filter(Boolean).map(() => object.kind));
      }
      return edited;
    }),
  );
  return taken.flat();
}

/** Fields by which the API server tells list items apart (listMapKeys). */
const LIST_KEY =
  /^(.*)\/\d+\/(name|uid|mountPath|containerPort|port|protocol|topologyKey|whenUnsatisfiable|host|path|ip)$/;

function batches(mine: readonly Field[]): readonly (readonly Field[])[] {
  const alone = mine.filter(({ pointer }) => /\/\d+$/.test(pointer) || LIST_KEY.test(pointer));
  const others = mine.filter((field) => !alone.includes(field));
  const count = Math.ceil(others.length / AT_ONCE);
  const together = Array.from({ length: count }, (_, index) =>
    others.slice(index * AT_ONCE, (index + 1) * AT_ONCE),
  );
  return [...together, ...alone.map((field) => [field])];
}

async function editAndWait(edit: Edit, field: Field): Promise<boolean> {
  edits += 1;
  if (!(await edit(field, `editor-${edits}`))) return false;
  const { object, pointer } = field;
  await eventually(
    `${object.kind} ${object.metadata.name} ${pointer} is repaired`,
    async () => isRepaired(field, await live(object)),
    { timeoutMs: 30_000 },
  );
  return true;
}

/** An item whose key was edited is another item: ours comes back beside it, at any place of the list. */
function isRepaired({ object, pointer }: Field, standing: unknown): boolean {
  const wanted = valueAt(object, pointer);
  const [, list, key] = LIST_KEY.exec(pointer) ?? [];
  if (list === undefined || key === undefined) return same(valueAt(standing, pointer), wanted);
  const items = valueAt(standing, list) as readonly Readonly<Record<string, unknown>>[];
  return items.some((item) => same(item[key], wanted));
}

const EDITABLE = [
  'ConfigMap',
  'Deployment',
  'Ingress',
  'NetworkPolicy',
  'PodDisruptionBudget',
  'Service',
  'ServiceAccount',
  'StatefulSet',
];

describe('every field of every object of a gateway', () => {
  it('is repaired after an Update by somebody else', async () => {
    const taken = await editAll(update);
    expect([...new Set(taken)].sort()).toEqual(EDITABLE);
    expect(taken.length).toBeGreaterThan(250);
  }, 300_000);

  it('is repaired after somebody else has applied it by force', async () => {
    const taken = await editAll(foreignApply);
    expect([...new Set(taken)].sort()).toEqual(EDITABLE);
    expect(taken.length).toBeGreaterThan(80);
  }, 300_000);

  it('is repaired after somebody else has removed it', async () => {
    const taken = await editAll(remove);
    expect([...new Set(taken)].sort()).toEqual(EDITABLE);
    expect(taken.length).toBeGreaterThan(150);
  }, 300_000);

  it('and the gateway never said that it gave up', async () => {
    for (const name of NAMES) {
      const { status } = await gatewayAt(server, NAMESPACE, name);
      const drift = status?.conditions.find(({ type }) => type === 'DriftDetected');
      expect(drift).toMatchObject({ status: 'False', reason: 'DriftRepaired' });
    }
  });
});
