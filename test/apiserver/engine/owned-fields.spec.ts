import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { applyAndRepair } from '../../../src/kubernetes/apply.client.js';
import { canonicalObject } from '../../../src/kubernetes/canonical.js';
import { ClusterClient } from '../../../src/kubernetes/cluster.client.js';
import { diffPaths, managersOf } from '../../../src/kubernetes/field-diff.js';
import { formatPath } from '../../../src/kubernetes/field-path.js';
import type { KubernetesObject } from '../../../src/kubernetes/object.js';
import { refOf } from '../../../src/kubernetes/object.js';
import { desiredHash, desiredPart, ownedHash } from '../../../src/kubernetes/owned-fields.js';
import { canonicalQuantity } from '../../../src/kubernetes/quantity.js';
import { RESOURCE_KINDS, pathOf } from '../../../src/kubernetes/resources.js';
import { startApiServer } from '../bed/api-server.js';
import type { TestApiServer } from '../bed/api-server.js';
import { eventually } from '../bed/eventually.js';
import { jsonPointers, valueAt, withValueAt } from './json-pointer.js';
import { realisticChildren } from './realistic-children.js';

const OURS = 'sallyport';
const FOREIGN = 'foreign-controller';
const THING = {
  apiVersion: 'test.sallyport.dev/v1',
  kind: 'Thing',
  plural: 'things',
  namespaced: true,
};

let server: TestApiServer;
let client: ClusterClient;
let children: readonly KubernetesObject[];

beforeAll(async () => {
  server = await startApiServer();
  client = new ClusterClient(
    { server: server.url, ca: server.ca, token: server.tokenOf('admin') },
    { kinds: [...RESOURCE_KINDS, THING] },
  );
  const owner = await client.create({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'owner', namespace: 'default' },
  });
  children = realisticChildren('default', { uid: owner.metadata.uid!, name: 'owner' });
});
afterAll(async () => {
  await client.close();
  await server.stop();
});

const applyOurs = (object: KubernetesObject): Promise<KubernetesObject> =>
  client.apply(canonicalObject(object), { fieldManager: OURS, force: true });

describe('an object that nobody has touched', () => {
  it('has for every kind of child the hash of what we want, in the answer, in a read and after another apply', async () => {
    for (const child of children) {
      const applied = await applyOurs(child);
      const read = await client.get(refOf(child));
      const again = await applyOurs(child);
      const wanted = desiredHash(child);
      const name = `${child.kind} ${child.metadata.name}`;
      expect([name, ownedHash(applied, OURS), ownedHash(read, OURS)]).toEqual([
        name,
        wanted,
        wanted,
      ]);
      // Written twice is written once: the server saw no difference either.
      expect([name, again.metadata.resourceVersion]).toEqual([
        name,
        applied.metadata.resourceVersion,
      ]);
      expect(diffPaths(child, read).map(formatPath)).toEqual([]);
    }
  });

  it.each([
    ['fieldRef', '/spec/template/spec/containers/0/env/0/valueFrom/fieldRef/apiVersion'],
    ['divisor', '/spec/template/spec/containers/0/env/4/valueFrom/resourceFieldRef/divisor'],
    [
      'projected',
      '/spec/template/spec/volumes/5/projected/sources/1/serviceAccountToken/expirationSeconds',
    ],
    ['volumeMode', '/spec/volumeClaimTemplates/0/spec/volumeMode'],
    ['phase', '/spec/volumeClaimTemplates/0/status'],
    ['protocol', '/spec/ingress/0/ports/0/protocol'],
  ])(
    'lacks it where a builder left out a default inside something owned as a whole: %s',
    async (name, pointer) => {
      const whole = children.find((child) => valueAt(child, pointer) !== undefined)!;
      const metadata = { ...whole.metadata, name: `without-${name.toLowerCase()}` };
      const child = withValueAt({ ...whole, metadata }, pointer, undefined);
      const applied = await applyOurs(child);
      expect(ownedHash(applied, OURS)).not.toBe(desiredHash(child));
      // Written again it stays as it is: the engine's memory of the answer keeps it quiet.
      expect(ownedHash(await applyOurs(child), OURS)).toBe(ownedHash(applied, OURS));
    },
  );

  it('keeps it while controllers write status and add fields of their own', async () => {
    const child = children.find(({ kind }) => kind === 'Deployment')!;
    const path = pathOf(refOf(child));
    await server.admin.call(
      'PATCH',
      `${path}/status?fieldManager=${FOREIGN}`,
      { status: { replicas: 3 } },
      merge,
    );
    const foreign = { metadata: { annotations: { 'deployment.kubernetes.io/revision': '1' } } };
    await server.admin.call('PATCH', `${path}?fieldManager=${FOREIGN}`, foreign, merge);
    const live = await client.get(refOf(child));
    expect(live.metadata.annotations).toMatchObject({ 'deployment.kubernetes.io/revision': '1' });
    expect(ownedHash(live, OURS)).toBe(desiredHash(child));
  });

  it('holds for custom resources, whose empty lists and maps the API server keeps', async () => {
    await server.apply(thingCrd() as never);
    const thing = {
      apiVersion: THING.apiVersion,
      kind: THING.kind,
      metadata: { name: 'thing', namespace: 'default', labels: {} },
      spec: {
        empty: {},
        none: [],
        labels: {},
        limits: { cpu: '1000m' },
        value: '',
        on: false,
        n: 0.1,
      },
    };
    const live = await eventually('the kind is served', () => applyOurs(thing));
    expect(live['spec']).toEqual(thing.spec);
    expect(ownedHash(live, OURS)).toBe(desiredHash(thing));
  });
});

const merge = { contentType: 'application/merge-patch+json' };
const jsonPatch = { contentType: 'application/json-patch+json' };

/** One way to harm one place of an object. Gives the object as it is afterwards, undefined when refused. */
type Harm = (child: KubernetesObject, pointer: string) => Promise<KubernetesObject | undefined>;

const update =
  (operation: 'replace' | 'remove'): Harm =>
  async (child, pointer) => {
    const value = operation === 'remove' ? {} : { value: changed(valueAt(child, pointer)) };
    const body = [{ op: operation, path: pointer, ...value }];
    const path = `${pathOf(refOf(child))}?fieldManager=${FOREIGN}`;
    const answer = await server.admin.request('PATCH', path, body, jsonPatch);
    return answer.status < 300 ? (answer.body as KubernetesObject) : undefined;
  };

const foreignApply: Harm = async (child, pointer) => {
  const theirs = withValueAt(canonicalObject(child), pointer, changed(valueAt(child, pointer)));
  const path = `${pathOf(refOf(child))}?fieldManager=${FOREIGN}&force=true`;
  const contentType = 'application/apply-patch+yaml';
  const answer = await server.admin.request('PATCH', path, theirs, { contentType });
  return answer.status < 300 ? (answer.body as KubernetesObject) : undefined;
};

/** Gives up what the foreign manager applied, so that the next case starts as the first. */
async function release({ apiVersion, kind, metadata }: KubernetesObject): Promise<void> {
  const nothing = {
    apiVersion,
    kind,
    metadata: { name: metadata.name, namespace: metadata.namespace },
  };
  await client.apply(nothing as KubernetesObject, { fieldManager: FOREIGN, force: true });
}

function changed(value: unknown): unknown {
  if (typeof value === 'number') return value + 1;
  if (typeof value === 'boolean') return !value;
  if (typeof value !== 'string') return value;
  // Enumerations that have another value, forms that must stay what they are.
  const other = OTHERS[value];
  if (other !== undefined) return other;
  return /^\d+(Mi|Gi|m)?$/.test(value) ? `1${value}` : `${value}x`;
}

const OTHERS: Readonly<Record<string, string>> = {
  TCP: 'SCTP',
  UDP: 'SCTP',
  '25%': '26%',
  '50%': '51%',
  RollingUpdate: 'Recreate',
  LoadBalancer: 'ClusterIP',
  Local: 'Cluster',
  ScheduleAnyway: 'DoNotSchedule',
  NoSchedule: 'NoExecute',
  Retain: 'Delete',
  IfNotPresent: 'Always',
  HTTP: 'HTTPS',
  c2VjcmV0: 'YW5vdGhlcg==',
  'c2VjcmV0MQ==': 'YW5vdGhlcg==',
  AlwaysAllow: 'IfHealthyBudget',
  OnRootMismatch: 'Always',
  RuntimeDefault: 'Unconfined',
  FallbackToLogsOnError: 'File',
  Prefix: 'Exact',
  Memory: 'HugePages',
};

/** How many places of each kind the API server let a foreigner change; validation protects the others. */
interface Tally {
  changed: number;
  unseen: string[];
  unattributed: string[];
  unrepaired: string[];
}

/** What the engine does about drift: one apply, more only when somebody has changed the key of a list item. */
function repair(object: KubernetesObject, live: KubernetesObject): Promise<KubernetesObject> {
  return applyAndRepair(
    { object, manager: OURS, live },
    {
      apply: () => applyOurs(object),
      read: () => client.find(refOf(object)),
      mergePatch: (patch) => client.mergePatch(refOf(object), patch, { fieldManager: OURS }),
    },
  );
}

async function harmEverywhere(
  child: KubernetesObject,
  harm: Harm,
  leavesOnly: boolean,
): Promise<Tally> {
  const tally: Tally = { changed: 0, unseen: [], unattributed: [], unrepaired: [] };
  const desired = desiredPart(child);
  const wanted = desiredHash(child);
  for (const pointer of jsonPointers(desired, leavesOnly).filter(
    (at) => !isRepetition(child, at),
  )) {
    const after = await harm(canonicalObject(child), pointer);
    if (!after) continue;
    if (!contains(after, desired)) {
      tally.changed += 1;
      if (ownedHash(after, OURS) === wanted) tally.unseen.push(pointer);
      if (!attributed(child, after, harm)) tally.unattributed.push(pointer);
    }
    const repaired = await repair(child, after);
    if (ownedHash(repaired, OURS) !== wanted || !contains(repaired, desired)) {
      tally.unrepaired.push(pointer);
    }
    if (ownsByUpdate(repaired)) tally.unrepaired.push(`${pointer}: owned by update`);
    if (harm === foreignApply) await release(child);
  }
  return tally;
}

/** Containers are alike, and so are the two pod templates: one of each is walked. */
function isRepetition({ kind }: KubernetesObject, pointer: string): boolean {
  const inTemplate = /^\/spec\/template\/spec\/./.test(pointer);
  return (
    inTemplate &&
    (kind === 'StatefulSet' || /\/(containers\/[1-9]|initContainers\/0\/)/.test(pointer))
  );
}

function ownsByUpdate({ metadata }: KubernetesObject): boolean {
  return (metadata.managedFields ?? []).some(
    ({ manager, operation }) => manager === OURS && operation === 'Update',
  );
}

/** Whether everything in `desired` stands in `live`, in whatever order and with whatever else. */
function contains(live: unknown, desired: unknown): boolean {
  if (Array.isArray(desired)) {
    return (
      Array.isArray(live) && desired.every((item) => live.some((other) => contains(other, item)))
    );
  }
  if (typeof desired !== 'object' || desired === null) return live === desired;
  if (typeof live !== 'object' || live === null) return false;
  return Object.entries(desired).every(([key, value]) =>
    contains((live as Record<string, unknown>)[key], value),
  );
}

/** What differs is found, and unless it was removed, who changed it. */
function attributed(child: KubernetesObject, after: KubernetesObject, harm: Harm): boolean {
  const paths = diffPaths(canonicalObject(child), after);
  // What is not there any more has no owner; to write a zero value is to remove it.
  if (harm === remove || paths.every((path) => managersOf(after, path).length === 0)) {
    return paths.length > 0;
  }
  // An item whose key was changed is gone; the one that took its place tells by whom.
  return paths.some((path) =>
    [path, path.slice(0, -1)].some((at) =>
      managersOf(after, at).some(({ manager }) => manager === FOREIGN),
    ),
  );
}

const edit = update('replace');
const remove = update('remove');

const CLEAN = { unseen: [], unattributed: [], unrepaired: [] };

describe.each([
  { how: 'edited by Update', harm: edit, leavesOnly: true, atLeast: 150 },
  { how: 'taken by a foreign forced apply', harm: foreignApply, leavesOnly: true, atLeast: 150 },
  { how: 'removed', harm: remove, leavesOnly: false, atLeast: 200 },
])('each field of each child, $how', ({ harm, leavesOnly, atLeast }) => {
  it('changes the hash of what we own, tells who did it, and one apply repairs it', async () => {
    const tallies = new Map<string, Tally>();
    await Promise.all(
      children.map(async (child) => {
        const key = `${child.kind}/${child.metadata.name}`;
        tallies.set(key, await harmEverywhere(child, harm, leavesOnly));
      }),
    );
    for (const [kind, tally] of tallies)
      expect({ kind, ...tally }).toMatchObject({ kind, ...CLEAN });
    const total = [...tallies.values()].reduce((sum, tally) => sum + tally.changed, 0);
    expect(total).toBeGreaterThan(atLeast);
  });
});

describe('quantities', () => {
  it('come back as they were sent when they are in their canonical form', async () => {
    const digits = fc.oneof(
      fc.integer({ min: 0, max: 2_000_000 }).map(String),
      fc.tuple(fc.nat(2048), fc.stringMatching(/^\d{1,4}$/)).map(([a, b]) => `${a}.${b}`),
    );
    const suffixes = ['', 'n', 'u', 'm', 'k', 'M', 'G', 'Ki', 'Mi', 'Gi', 'Ti', 'e3', 'E2', 'e-2'];
    const sample = fc.sample(fc.tuple(digits, fc.constantFrom(...suffixes)), {
      numRuns: 400,
      seed: 7,
    });
    const quantities = [
      '0',
      '0.5',
      '1024Mi',
      '1e3',
      '1000m',
      '.5',
      '1.5Gi',
      '0Ki',
      '1023Ki',
      '0.1n',
    ]
      .concat(sample.map(([number, suffix]) => number + suffix))
      .map((text) => canonicalQuantity(text)!);
    const stored: string[] = [];
    for (let start = 0; start < quantities.length; start += 50) {
      const some = quantities.slice(start, start + 50);
      stored.push(...(await storedQuantities(some, `quantities-${start}`)));
    }
    expect(stored).toEqual(quantities);
  });

  it('are canonical as the API server makes them in requests and limits', async () => {
    const written = [
      '0.25',
      '1000m',
      '1e3',
      '1024Mi',
      '1.5Gi',
      '134217728',
      '1023Ki',
      '2048Ki',
      '.5',
      '1.5',
    ];
    const stored = await storedLimits(written);
    expect(written.map((text) => [text, canonicalQuantity(text)])).toEqual(
      written.map((text, i) => [text, stored[i]]),
    );
  });
});

async function storedLimits(texts: readonly string[]): Promise<string[]> {
  const containers = texts.map((memory, i) => ({
    name: `c${i}`,
    image: 'i',
    resources: { limits: { memory } },
  }));
  const live = await client.apply(deployment('limits', { containers }), { fieldManager: 'limits' });
  return texts.map(
    (_, i) =>
      valueAt(live, `/spec/template/spec/containers/${i}/resources/limits/memory`) as string,
  );
}

async function storedQuantities(texts: readonly string[], name: string): Promise<string[]> {
  const volumes = texts.map((sizeLimit, i) => ({ name: `v${i}`, emptyDir: { sizeLimit } }));
  const containers = [{ name: 'c', image: 'i' }];
  const object = deployment(name, { containers, volumes });
  const live = await client.apply(object, { fieldManager: 'quantities' });
  return texts.map(
    (_, i) => valueAt(live, `/spec/template/spec/volumes/${i}/emptyDir/sizeLimit`) as string,
  );
}

function deployment(name: string, spec: Record<string, unknown>): KubernetesObject {
  const labels = { app: name };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: 'default' },
    spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
  };
}

function thingCrd(): KubernetesObject {
  const schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'things.test.sallyport.dev' },
    spec: {
      group: 'test.sallyport.dev',
      scope: 'Namespaced',
      names: { plural: 'things', kind: 'Thing', singular: 'thing', listKind: 'ThingList' },
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema } }],
    },
  };
}
