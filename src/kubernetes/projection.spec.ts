import { describe, expect, it } from '@jest/globals';
import type { KubernetesObject } from './object.js';
import { dataHash, metadataHash, projectChild, replicasOwners } from './projection.js';
import { StringPool } from './string-pool.js';
import { Tombstones } from './tombstones.js';

const project = (object: KubernetesObject) =>
  projectChild(object, { fieldManager: 'sallyport', intern: new StringPool().intern });
const metadata = { name: 'a', namespace: 'ns', uid: 'u', resourceVersion: '1' };

describe('the projection of a child', () => {
  it('S21: of a Secret has the names of its entries and one hash, and no data', () => {
    const secret = (value: string): KubernetesObject => ({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {
        ...metadata,
        annotations: { 'kubectl.kubernetes.io/last-applied-configuration': value },
      },
      type: 'Opaque',
      data: { 'b.key': value, 'a.key': 'Yg==' },
    });
    const child = project(secret('Y2FuYXJ5'));
    expect(JSON.stringify(child)).not.toContain('Y2FuYXJ5');
    expect(child.view).toMatchObject({ type: 'Opaque', dataKeys: ['a.key', 'b.key'] });
    expect(project(secret('b3RoZXI=')).view['dataHash']).not.toBe(child.view['dataHash']);
    expect(project(secret('Y2FuYXJ5')).view['dataHash']).toBe(child.view['dataHash']);
  });

  it('of a ConfigMap tells text and binary entries apart in its hash', () => {
    const base = { apiVersion: 'v1', kind: 'ConfigMap', metadata };
    const text = project({ ...base, data: { k: 'AAE=' } });
    const binary = project({ ...base, binaryData: { k: 'AAE=' } });
    expect(text.view['dataKeys']).toEqual(binary.view['dataKeys']);
    expect(text.view['dataHash']).not.toBe(binary.view['dataHash']);
  });

  it('of a ConfigMap shows an edit of our entries and metadata, and nothing that others add', () => {
    const ours = {
      manager: 'sallyport',
      operation: 'Apply' as const,
      fieldsV1: { 'f:data': { 'f:k': {} }, 'f:metadata': { 'f:labels': { 'f:a': {} } } },
    };
    const view = (data: object, labels: Readonly<Record<string, string>>) =>
      project({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { ...metadata, labels, managedFields: [ours] },
        data,
      }).view;
    const { dataHash: of, ownedMetadataHash } = view({ k: '1' }, { a: 'x' });
    expect(of).toBe(dataHash({ k: '1' }));
    expect(ownedMetadataHash).toBe(metadataHash({ name: 'a', labels: { a: 'x' } }));
    const added = view({ k: '1', theirs: '2' }, { a: 'x', theirs: 'y' });
    expect(added).toMatchObject({ dataHash: of, ownedMetadataHash, dataKeys: ['k', 'theirs'] });
    expect(view({ k: '2' }, { a: 'x' })['dataHash']).not.toBe(of);
    expect(view({ k: '1' }, { a: 'z' })['ownedMetadataHash']).not.toBe(ownedMetadataHash);
  });

  it('of a Deployment has what plans read at its own place, and nothing else', () => {
    const child = project({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: {
        ...metadata,
        generation: 4,
        labels: { 'sallyport.dev/owner-uid': 'owner' },
        annotations: { 'sallyport.dev/render': '3', 'other/annotation': 'x' },
        deletionTimestamp: '2026-11-22T10:00:00Z',
      },
      spec: { replicas: 3, template: { spec: { containers: [] } } },
      status: {
        readyReplicas: 2,
        observedGeneration: 4,
        collisionCount: 1,
        conditions: [{ type: 'Available' }],
      },
    });
    expect(child).toEqual({
      ref: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'ns', name: 'a' },
      uid: 'u',
      resourceVersion: '1',
      generation: 4,
      ownedHash: '',
      ownerUid: 'owner',
      labels: { 'sallyport.dev/owner-uid': 'owner' },
      annotations: { 'sallyport.dev/render': '3' },
      deletionTimestamp: '2026-11-22T10:00:00Z',
      view: {
        spec: { replicas: 3 },
        status: { readyReplicas: 2, observedGeneration: 4, conditions: [{ type: 'Available' }] },
        replicasOwners: [],
      },
    });
  });

  it('of a kind that plans do not look into has no view', () => {
    const policy = {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata,
      spec: {},
    };
    expect(project(policy).view).toEqual({});
  });
});

describe('the owners of spec.replicas', () => {
  it('are named once each, those who came through the scale subresource too', () => {
    const entry = (manager: string, fields: Record<string, unknown>, subresource?: string) => ({
      manager,
      operation: 'Apply' as const,
      fieldsV1: { 'f:spec': fields },
      ...(subresource === undefined ? {} : { subresource }),
    });
    const managedFields = [
      entry('sallyport', { 'f:replicas': {}, 'f:template': {} }),
      entry('hpa', { 'f:replicas': {} }, 'scale'),
      entry('sallyport', { 'f:replicas': {} }, 'scale'),
      entry('kubectl', { 'f:template': {} }),
    ];
    expect(
      replicasOwners({
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { ...metadata, managedFields },
      }),
    ).toEqual(['hpa', 'sallyport']);
  });
});

describe('a pool of strings', () => {
  it('is bounded, and does not keep long strings', () => {
    const pool = new StringPool();
    for (let i = 0; i < 50_000; i += 1) pool.intern(`text ${i}`);
    expect(pool.size).toBeLessThanOrEqual(20_000);
    const before = pool.size;
    expect(pool.intern('x'.repeat(1_000))).toHaveLength(1_000);
    expect(pool.size).toBe(before);
  });
});

describe('tombstones', () => {
  it('are bounded: the oldest are forgotten first', () => {
    const tombstones = new Tombstones();
    for (let i = 0; i <= 4_096; i += 1) tombstones.add(`u${i}`, '5');
    expect(tombstones.covers('u0', '1')).toBe(false);
    expect(tombstones.covers('u1', '1')).toBe(true);
    expect(tombstones.covers('u4096', '5')).toBe(true);
    expect(tombstones.covers('u4096', '6')).toBe(false);
  });
});
