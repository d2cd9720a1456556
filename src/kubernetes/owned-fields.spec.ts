import { describe, expect, it } from '@jest/globals';
import { diffPaths, managersOf } from './field-diff.js';
import { formatPath } from './field-path.js';
import { listRepairPatch, withoutUpdatesPatch } from './list-repair.js';
import type { KubernetesObject, ManagedFieldsEntry } from './object.js';
import { desiredHash, ownedHash, ownedPart } from './owned-fields.js';

const PORTS = {
  'k:{"port":53,"protocol":"TCP"}': { '.': {}, 'f:port': {}, 'f:protocol': {}, 'f:name': {} },
  'k:{"port":53,"protocol":"UDP"}': { '.': {}, 'f:port': {}, 'f:protocol': {}, 'f:name': {} },
};
const FIELDS = {
  'f:metadata': {
    'f:finalizers': { '.': {}, 'v:"a/b"': {} },
    'f:labels': { 'f:app.kubernetes.io/name': {} },
  },
  'f:spec': {
    'f:ports': PORTS,
    'f:selector': {},
    'f:ranges': { 'i:1': {} },
    'f:gone': {},
    'f:type': {},
  },
};
const ours = (fieldsV1: Record<string, unknown> = FIELDS): ManagedFieldsEntry => ({
  manager: 'sallyport',
  operation: 'Apply',
  time: '2026-11-22T10:00:00Z',
  fieldsV1,
});

const service = (...managedFields: ManagedFieldsEntry[]): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: {
    name: 'web',
    namespace: 'ns',
    uid: 'u',
    resourceVersion: '7',
    labels: { 'app.kubernetes.io/name': 'web', foreign: 'x' },
    finalizers: ['other', 'a/b'],
    managedFields,
  },
  spec: {
    type: 'ClusterIP',
    clusterIP: '10.0.0.1',
    selector: { app: 'web' },
    ranges: ['one', 'two'],
    ports: [
      { name: 'foreign', port: 80, protocol: 'TCP' },
      { name: 'udp', port: 53, protocol: 'UDP', targetPort: 53 },
      { name: 'tcp', port: 53, protocol: 'TCP', targetPort: 53 },
    ],
  },
  status: { loadBalancer: {} },
});

const desired: KubernetesObject = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: {
    name: 'web',
    namespace: 'ns',
    labels: { 'app.kubernetes.io/name': 'web' },
    finalizers: ['a/b'],
  },
  spec: {
    type: 'ClusterIP',
    selector: { app: 'web' },
    ranges: ['two'],
    ports: [
      { name: 'udp', port: 53, protocol: 'UDP' },
      { name: 'tcp', port: 53, protocol: 'TCP' },
    ],
  },
};

describe('what we own of an object', () => {
  it('is cut out of it in its own shape: keys, values, indexes, live order, nothing of others', () => {
    expect(ownedPart(service(ours()), 'sallyport')).toEqual({
      metadata: desired.metadata.labels && { labels: desired.metadata.labels, finalizers: ['a/b'] },
      spec: desired['spec'],
    });
    expect(ownedHash(service(ours()), 'sallyport')).toBe(desiredHash(desired));
  });

  it('is what our Apply covers: not an Update, not a subresource, not another manager', () => {
    const others: ManagedFieldsEntry[] = [
      { ...ours(), operation: 'Update' },
      { ...ours(), subresource: 'status' },
      { ...ours(), manager: 'kubectl' },
    ];
    expect(ownedHash(service(...others), 'sallyport')).toBe('');
    expect(ownedHash(service(), 'sallyport')).toBe('');
    expect(ownedHash(service(...others, ours()), 'sallyport')).toBe(desiredHash(desired));
  });

  it.each<[string, (spec: Record<string, unknown>) => void]>([
    ['a scalar', (spec) => (spec['type'] = 'LoadBalancer')],
    ['a whole map', (spec) => (spec['selector'] = { app: 'web', more: '1' })],
    ['an item', (spec) => ((spec['ports'] as { name: string }[])[1]!.name = 'x')],
    ['the order of our items', (spec) => (spec['ports'] as unknown[]).reverse()],
    ['the shape', (spec) => (spec['ports'] = 'none')],
  ])('has another hash when somebody changes %s', (_what, change) => {
    const live = structuredClone(service(ours()));
    change(live['spec'] as Record<string, unknown>);
    expect(ownedHash(live, 'sallyport')).not.toBe(desiredHash(desired));
  });

  it('has the same hash whatever happens to fields of others', () => {
    // Written to as plain JSON, which the readonly types forbid.
    const live = structuredClone(service(ours())) as unknown as Record<
      string,
      Record<string, unknown>
    >;
    live['spec']!['clusterIP'] = '10.0.0.2';
    live['status'] = {};
    expect(ownedHash(live as unknown as KubernetesObject, 'sallyport')).toBe(desiredHash(desired));
  });

  it('survives managedFields that are not understood', () => {
    const odd = {
      'f:spec': { 'k:not json': {}, 'x:y': {}, 'f:type': 1, 'f:ports': { 'v:{': {}, 'k:[]': {} } },
    };
    expect(ownedPart(service(ours(odd)), 'sallyport')).toEqual({ spec: { ports: [] } });
  });
});

describe('the difference between what we want and what is there', () => {
  const changed = (
    change: (spec: Record<string, unknown>) => void,
    ...more: ManagedFieldsEntry[]
  ) => {
    const live = structuredClone(service(ours(), ...more));
    change(live['spec'] as Record<string, unknown>);
    return live;
  };
  const paths = (live: KubernetesObject) => diffPaths(desired, live).map(formatPath);

  it('is nothing when nobody has changed our fields', () => {
    expect(
      paths({ ...service(ours()), spec: { ...(service()['spec'] as object), ranges: ['two'] } }),
    ).toEqual([]);
  });

  it('names the path as people write it', () => {
    const live = changed((spec) => {
      spec['ranges'] = ['two'];
      spec['type'] = 'LoadBalancer';
      (spec['ports'] as { name: string }[])[1]!.name = 'x';
      (spec['ports'] as unknown[]).splice(2, 1);
    });
    expect(paths(live)).toEqual([
      'spec.type',
      'spec.ports[port=53,protocol="UDP"].name',
      'spec.ports[port=53,protocol="TCP"]',
    ]);
    expect(
      formatPath([{ field: 'metadata' }, { field: 'labels' }, { field: 'app.kubernetes.io/name' }]),
    ).toBe('metadata.labels[app.kubernetes.io/name]');
  });

  it('is told of sets, whole lists and the order of items with keys', () => {
    const live = changed((spec) => (spec['ports'] as unknown[]).reverse());
    (live.metadata.finalizers as string[]).pop();
    expect(paths(live)).toEqual(['spec.ranges', 'spec.ports', 'metadata.finalizers[="a/b"]']);
  });

  it('leads to who owns the path now, and since when', () => {
    const kubectl = {
      manager: 'kubectl-edit',
      operation: 'Update',
      time: '2026-11-22T11:00:00Z',
    } as const;
    const live = changed(() => undefined, { ...kubectl, fieldsV1: { 'f:spec': { 'f:type': {} } } });
    expect(managersOf(live, [{ field: 'spec' }, { field: 'type' }])).toEqual([
      { manager: 'sallyport', operation: 'Apply', time: '2026-11-22T10:00:00Z' },
      kubectl,
    ]);
    const item = { keys: { protocol: 'UDP', port: 53 } };
    expect(
      managersOf(live, [{ field: 'spec' }, { field: 'ports' }, item]).map(({ manager }) => manager),
    ).toEqual(['sallyport']);
    // Above: owns something below it. Below a leaf: owns it as part of the whole.
    expect(managersOf(live, [{ field: 'spec' }])).toHaveLength(2);
    expect(
      managersOf(live, [{ field: 'spec' }, { field: 'selector' }, { field: 'app' }]),
    ).toHaveLength(1);
  });
});

describe('a list item whose key somebody changed', () => {
  const live = structuredClone(service(ours()));
  (live['spec'] as { ports: { protocol: string }[] }).ports[1]!.protocol = 'SCTP';

  it('needs an update that leaves just our items, guarded by the version that was read', () => {
    const patch = listRepairPatch(desired, live);
    expect(patch).toMatchObject({ metadata: { resourceVersion: '7' } });
    expect((patch?.['spec'] as { ports: unknown[] }).ports).toEqual([
      { name: 'udp', port: 53, protocol: 'UDP' },
      { name: 'tcp', port: 53, protocol: 'TCP', targetPort: 53 },
    ]);
  });

  it('needs none when all of ours are there, or when nothing took the place of a missing one', () => {
    expect(listRepairPatch(desired, service(ours()))).toBeUndefined();
    const bare = structuredClone(service(ours()));
    (bare['spec'] as { ports: unknown[] }).ports = [{ name: 'tcp', port: 53, protocol: 'TCP' }];
    expect(listRepairPatch(desired, bare)).toBeUndefined();
    expect(listRepairPatch(desired, bare, { refused: true })).toBeDefined();
  });

  it('leaves no update of ours in managedFields', () => {
    const update: ManagedFieldsEntry = { ...ours(), operation: 'Update' };
    const status = { ...update, subresource: 'status' };
    expect(withoutUpdatesPatch(service(ours(), update, status), 'sallyport')).toEqual({
      metadata: { resourceVersion: '7', managedFields: [ours(), status] },
    });
    expect(withoutUpdatesPatch(service(ours(), status), 'sallyport')).toBeUndefined();
  });
});
