import { describe, expect, it } from '@jest/globals';
import { applyWaves, decideApply, decidePrune, decideSeizure, guarded } from './carry-out.js';
import type { Applied } from './carry-out.js';
import type { Child } from './cluster.js';
import type { KubernetesObject } from './object.js';

function aChild(change: Partial<Child> = {}): Child {
  return {
    ref: { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'talk', name: 'edge' },
    uid: 'child-1',
    resourceVersion: '7',
    generation: 1,
    ownedHash: 'hash-a',
    ownerUid: 'owner-1',
    labels: {},
    annotations: {},
    view: {},
    ...change,
  };
}

const applied: Applied = { uid: 'child-1', desiredHash: 'hash-a', ownedHash: 'hash-a' };

describe('an object of a plan', () => {
  const decide = (desiredHash: string, child: Child | undefined, memory?: Applied) =>
    decideApply({
      desiredHash,
      child,
      applied: memory,
      ownerUid: 'owner-1',
      ownerLives: (uid) => uid === 'owner-1' || uid === 'owner-2',
    });

  it('that is missing is created', () => {
    expect(decide('hash-a', undefined)).toEqual({ action: 'Create' });
  });

  it('that stands as wanted needs nothing, memory or not', () => {
    expect(decide('hash-a', aChild())).toEqual({ action: 'Nothing' });
    expect(decide('hash-a', aChild(), applied)).toEqual({ action: 'Nothing' });
  });

  it('that we want otherwise than before is changed', () => {
    expect(decide('hash-b', aChild(), applied)).toEqual({
      action: 'Update',
      uid: 'child-1',
      cause: 'Desired',
    });
  });

  it('that somebody changed is drift', () => {
    expect(decide('hash-a', aChild({ ownedHash: 'hash-x' }), applied)).toMatchObject({
      cause: 'Drift',
    });
  });

  it('that differs without a memory of it may be either', () => {
    expect(decide('hash-a', aChild({ ownedHash: 'hash-x' }))).toMatchObject({ cause: 'Unknown' });
    const ofAnother = { ...applied, uid: 'child-0' };
    expect(decide('hash-b', aChild(), ofAnother)).toMatchObject({ cause: 'Unknown' });
  });

  it('that the API server rewrites is quiet after one write', () => {
    const rewritten = { ...applied, ownedHash: 'hash-rewritten' };
    expect(decide('hash-a', aChild({ ownedHash: 'hash-rewritten' }), rewritten)).toEqual({
      action: 'Nothing',
    });
    expect(decide('hash-b', aChild({ ownedHash: 'hash-rewritten' }), rewritten)).toMatchObject({
      cause: 'Desired',
    });
  });

  it('that was left to another manager is looked at again', () => {
    const left = { ...applied, ownedHash: 'hash-x', left: { field: 'f', manager: 'm' } };
    expect(decide('hash-a', aChild({ ownedHash: 'hash-x' }), left)).toMatchObject({
      cause: 'Drift',
    });
  });

  it('that is being deleted is awaited', () => {
    expect(decide('hash-b', aChild({ deletionTimestamp: 'now' }))).toEqual({
      action: 'AwaitDeletion',
    });
  });

  it('of another living resource is refused; of one that is gone it is taken over', () => {
    expect(decide('hash-b', aChild({ ownerUid: 'owner-2' }))).toEqual({
      action: 'Refuse',
      ownerUid: 'owner-2',
    });
    expect(decide('hash-b', aChild({ ownerUid: 'gone' }))).toMatchObject({ action: 'Update' });
  });
});

describe('an object in the way', () => {
  const live = (change: Partial<KubernetesObject['metadata']>): KubernetesObject => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'edge', ...change },
  });
  const owner = { ownerUid: 'owner-1', ownerLives: (uid: string) => uid === 'owner-2' };
  const ours = [{ manager: 'sallyport', operation: 'Apply' as const }];
  const CONSENT = { 'sallyport.dev/adopt': 'true' };

  it.each([
    [
      'every field was taken from us, and it names our owner',
      live({ ownerReferences: [{ apiVersion: 'v1', kind: 'X', name: 'x', uid: 'owner-1' }] }),
      false,
      'Ours',
    ],
    ['our manager has applied, labels stripped', live({ managedFields: ours }), false, 'Ours'],
    ['nobody says whose it is', live({}), false, 'Foreign'],
    [
      'its author consents, our resource does not',
      live({ annotations: CONSENT }),
      false,
      'Foreign',
    ],
    ['our resource consents, its author does not', live({}), true, 'Foreign'],
    [
      'our resource consents, its author takes it back',
      live({ annotations: { 'sallyport.dev/adopt': 'false' } }),
      true,
      'Foreign',
    ],
    ['both consent', live({ annotations: CONSENT }), true, 'Adopt'],
    [
      'both consent, and it is a Secret',
      { ...live({ annotations: CONSENT }), kind: 'Secret' },
      true,
      'Foreign',
    ],
    [
      'both consent, but another resource of ours has it',
      live({ annotations: CONSENT, labels: { 'sallyport.dev/owner-uid': 'owner-2' } }),
      true,
      'Foreign',
    ],
    [
      'our manager wrote by Update only',
      live({ managedFields: [{ manager: 'sallyport', operation: 'Update' }] }),
      false,
      'Foreign',
    ],
    [
      'our manager applied its status only',
      live({
        managedFields: [{ manager: 'sallyport', operation: 'Apply', subresource: 'status' }],
      }),
      false,
      'Foreign',
    ],
    [
      'another resource of ours has it',
      live({ managedFields: ours, labels: { 'sallyport.dev/owner-uid': 'owner-2' } }),
      true,
      'Foreign',
    ],
    [
      'a resource that is gone had it',
      live({ managedFields: ours, labels: { 'sallyport.dev/owner-uid': 'gone' } }),
      false,
      'Ours',
    ],
    [
      'it is being deleted',
      live({ managedFields: ours, deletionTimestamp: 'now' }),
      true,
      'AwaitDeletion',
    ],
  ] as const)('%s', (_, object, adopt, decision) => {
    expect(decideSeizure(object, owner, adopt)).toBe(decision);
  });
});

describe('an object whose every field was taken', () => {
  it('is ours when we remember its UID', () => {
    const live = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'edge', uid: 'child-1' },
    };
    const owner = { ownerUid: 'owner-1', ownerLives: () => false };
    expect(decideSeizure(live, { ...owner, knownUid: 'child-1' }, false)).toBe('Ours');
    expect(decideSeizure(live, { ...owner, knownUid: 'child-0' }, false)).toBe('Foreign');
  });
});

describe('pruning', () => {
  const child = (name: string, change: Partial<Child> = {}): Child =>
    aChild({ ref: { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'talk', name }, ...change });
  const plan = {
    apply: [
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'listed', namespace: 'talk' } },
    ],
    keep: [{ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'talk', name: 'kept' }],
    prune: 'Unlisted' as const,
  };

  it('takes what is neither listed nor kept, in whatever namespace', () => {
    const elsewhere = aChild({
      ref: { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'other', name: 'listed' },
    });
    const children = [child('listed'), child('kept'), child('old'), elsewhere];
    expect(decidePrune(plan, children).after).toEqual([children[2], elsewhere]);
  });

  it('takes nothing when the plan says so', () => {
    expect(decidePrune({ ...plan, prune: 'Nothing' }, [child('old')])).toEqual({
      before: [],
      after: [],
    });
  });

  it('leaves what has no field of ours, and what is being deleted', () => {
    const children = [
      child('copied', { ownedHash: '' }),
      child('going', { deletionTimestamp: 'now' }),
    ];
    expect(decidePrune(plan, children)).toEqual({ before: [], after: [] });
  });

  it('takes autoscalers before workloads are changed', () => {
    const autoscaler = aChild({
      ref: {
        apiVersion: 'autoscaling/v2',
        kind: 'HorizontalPodAutoscaler',
        namespace: 'talk',
        name: 'x',
      },
    });
    expect(decidePrune(plan, [autoscaler, child('old')])).toMatchObject({
      before: [autoscaler],
      after: [{ ref: { name: 'old' } }],
    });
  });
});

describe('the order of a plan', () => {
  it('is keys, settings and guards, then workloads, then autoscalers; each in its own order', () => {
    const kinds = [
      'StatefulSet',
      'HorizontalPodAutoscaler',
      'Secret',
      'Deployment',
      'NetworkPolicy',
    ];
    const objects = kinds.map((kind) => ({ apiVersion: 'v1', kind, metadata: { name: 'x' } }));
    expect(applyWaves(objects).map((wave) => wave.map(({ kind }) => kind))).toEqual([
      ['Secret', 'NetworkPolicy'],
      ['StatefulSet', 'Deployment'],
      ['HorizontalPodAutoscaler'],
    ]);
  });
});

describe('an apply', () => {
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' } };

  it('that creates carries a version that no object has; one that changes names the UID', () => {
    expect(guarded(object, undefined).metadata).toEqual({ name: 'x', resourceVersion: '1' });
    expect(guarded(object, { uid: 'uid-1' }).metadata).toEqual({ name: 'x', uid: 'uid-1' });
    const exactly = { uid: 'uid-1', resourceVersion: '7' };
    expect(guarded(object, exactly).metadata).toEqual({ name: 'x', ...exactly });
  });
});
