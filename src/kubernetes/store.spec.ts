import { describe, expect, it } from '@jest/globals';
import type { KubernetesObject } from './object.js';
import { Store, type Change } from './store.js';

const APPS = 'apps/v1';
const SCOPE = { apiVersion: APPS, kind: 'Deployment', namespace: 'ns' };
const REF = { ...SCOPE, name: 'web' };

interface Built {
  readonly name?: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly version: number;
  readonly owner?: string;
}

function aDeployment({
  name = 'web',
  namespace = 'ns',
  uid = 'u1',
  version,
  owner,
}: Built): KubernetesObject {
  return {
    apiVersion: APPS,
    kind: 'Deployment',
    metadata: {
      name,
      namespace,
      uid,
      resourceVersion: String(version),
      labels: owner === undefined ? {} : { 'sallyport.dev/owner-uid': owner },
    },
    spec: { replicas: version },
  };
}
const aGateway = (version: number): KubernetesObject => ({
  apiVersion: 'sallyport.dev/v1alpha1',
  kind: 'SignalingGateway',
  metadata: {
    name: 'web',
    namespace: 'ns',
    uid: 'g1',
    resourceVersion: String(version),
    managedFields: [{ manager: 'kubectl' }],
  },
  spec: { futureField: 1 },
});
const aStore = () => new Store({ fieldManager: 'sallyport' });
const told = (changes: readonly Change[]): string[] =>
  changes.map(({ type, uid, tombstone }) => `${type} ${uid}${tombstone ? ' tombstone' : ''}`);

describe('a store', () => {
  it('keeps our kinds whole, without managedFields, and all others projected', () => {
    const store = aStore();
    store.put(aGateway(1));
    store.put(aDeployment({ version: 2 }));
    const ref = {
      apiVersion: 'sallyport.dev/v1alpha1',
      kind: 'SignalingGateway',
      namespace: 'ns',
      name: 'web',
    };
    expect(store.get(ref)).toMatchObject({ spec: { futureField: 1 } });
    expect(store.get(ref)?.metadata).not.toHaveProperty('managedFields');
    expect(store.child(ref)).toBeUndefined();
    expect(store.get(REF)).toBeUndefined();
    expect(store.child(REF)).toMatchObject({
      uid: 'u1',
      resourceVersion: '2',
      view: { spec: { replicas: 2 } },
    });
    expect(store.list(ref.apiVersion, ref.kind, 'ns')).toHaveLength(1);
    expect(store.list(ref.apiVersion, ref.kind, 'other')).toHaveLength(0);
  });

  it('finds children by owner and by kind, and forgets them with their last change', () => {
    const store = aStore();
    store.put(aDeployment({ version: 1, name: 'a', uid: 'a', owner: 'o1' }));
    store.put(aDeployment({ version: 2, name: 'b', uid: 'b', owner: 'o1', namespace: 'other' }));
    store.put(aDeployment({ version: 3, name: 'c', uid: 'c', owner: 'o2' }));
    const names = (owner: string) => store.children(owner).map(({ ref }) => ref.name);
    expect([names('o1'), names('o2'), names('o3')]).toEqual([['a', 'b'], ['c'], []]);
    expect(store.childrenOfKind(APPS, 'Deployment')).toHaveLength(3);
    expect(store.childrenOfKind(APPS, 'Deployment', 'ns')).toHaveLength(2);
    store.put(aDeployment({ version: 4, name: 'a', uid: 'a', owner: 'o2' }));
    store.remove({ ...SCOPE, namespace: 'other', name: 'b' }, 'b', '5');
    expect([names('o1'), names('o2')]).toEqual([[], ['c', 'a']]);
    expect(store.sizes()).toEqual(new Map([['apps/v1/Deployment', 2]]));
  });

  it('takes the newer version, whichever of watch and answer comes first', () => {
    const store = aStore();
    expect(told(store.put(aDeployment({ version: 10 })))).toEqual(['Added u1']);
    expect(store.put(aDeployment({ version: 9 }))).toEqual([]);
    expect(store.put(aDeployment({ version: 10 }))).toEqual([]);
    const [change] = store.put(aDeployment({ version: 11 }));
    expect(change).toMatchObject({
      type: 'Updated',
      now: { child: { resourceVersion: '11' } },
      before: { child: { resourceVersion: '10' } },
    });
  });

  it('tells a recreated object as deleted and added', () => {
    const store = aStore();
    store.put(aDeployment({ version: 1 }));
    expect(told(store.put(aDeployment({ version: 5, uid: 'u2' })))).toEqual([
      'Deleted u1',
      'Added u2',
    ]);
    expect(store.put(aDeployment({ version: 2 }))).toEqual([]);
    expect(store.child(REF)?.uid).toBe('u2');
  });

  it('deletes by UID: the end of an object does not take its namesake away', () => {
    const store = aStore();
    store.put(aDeployment({ version: 5, uid: 'u2' }));
    expect(store.remove(REF, 'u1', '4')).toEqual([]);
    expect(store.remove(REF, 'u1', '6')).toEqual([]);
    expect(store.remove(REF, 'u1')).toEqual([]);
    expect(store.child(REF)?.uid).toBe('u2');
    expect(told(store.remove(REF, 'u2', '6'))).toEqual(['Deleted u2']);
    expect(store.child(REF)).toBeUndefined();
  });

  it('does not bring back a deleted object when the answer to an earlier write arrives late', () => {
    const store = aStore();
    store.put(aDeployment({ version: 5 }));
    store.remove(REF, 'u1', '8');
    expect(store.put(aDeployment({ version: 7 }))).toEqual([]);
    store.remove(REF, 'never-seen', '9');
    expect(store.put(aDeployment({ version: 9, uid: 'never-seen' }))).toEqual([]);
    expect(told(store.put(aDeployment({ version: 10 })))).toEqual(['Added u1']);
  });

  it('keeps an object that left our selector and that a write of ours has brought back', () => {
    const store = aStore();
    store.put(aDeployment({ version: 5 }));
    store.put(aDeployment({ version: 9 }));
    expect(store.remove(REF, 'u1', '7')).toEqual([]);
    expect(store.child(REF)?.resourceVersion).toBe('9');
    expect(told(store.put(aDeployment({ version: 10 })))).toEqual(['Updated u1']);
  });

  it('forgets at once what we deleted ourselves, and shows it again if it lives on with a finalizer', () => {
    const store = aStore();
    store.put(aDeployment({ version: 5 }));
    expect(told(store.remove(REF, 'u1'))).toEqual(['Deleted u1']);
    expect(store.put(aDeployment({ version: 5 }))).toEqual([]);
    expect(told(store.put(aDeployment({ version: 6 })))).toEqual(['Added u1']);
  });

  describe('given a whole list', () => {
    const listed = (store: Store, ...objects: readonly KubernetesObject[]) =>
      objects.map((object) => store.prepare(object));

    it('adds, updates and deletes at once, with tombstones for what nobody saw go', () => {
      const store = aStore();
      store.put(aDeployment({ version: 1, name: 'gone', uid: 'gone' }));
      store.put(aDeployment({ version: 2 }));
      store.put(aDeployment({ version: 3, name: 'same', uid: 'same' }));
      store.put(aDeployment({ version: 4, name: 'again', uid: 'old' }));
      store.put(aDeployment({ version: 4, namespace: 'other', uid: 'elsewhere' }));
      const list = listed(
        store,
        aDeployment({ version: 9 }),
        aDeployment({ version: 3, name: 'same', uid: 'same' }),
        aDeployment({ version: 8, name: 'again', uid: 'new' }),
        aDeployment({ version: 7, name: 'new', uid: 'n' }),
      );
      expect(told(store.replaceAll(SCOPE, list, '20')).sort()).toEqual([
        'Added n',
        'Added new',
        'Deleted gone tombstone',
        'Deleted old tombstone',
        'Updated u1',
      ]);
      expect(store.versions({ ...SCOPE, namespace: '' }).size).toBe(5);
    });

    it('keeps what a write of ours made or changed after the list was taken', () => {
      const store = aStore();
      store.put(aDeployment({ version: 30, name: 'created', uid: 'c' }));
      store.put(aDeployment({ version: 31 }));
      expect(store.replaceAll(SCOPE, listed(store, aDeployment({ version: 5 })), '20')).toEqual([]);
      expect(store.childrenOfKind(APPS, 'Deployment')).toHaveLength(2);
      expect(store.child(REF)?.resourceVersion).toBe('31');
    });

    it('does not bring back what was deleted before', () => {
      const store = aStore();
      store.put(aDeployment({ version: 5 }));
      store.remove(REF, 'u1', '8');
      expect(store.replaceAll(SCOPE, listed(store, aDeployment({ version: 5 })), '6')).toEqual([]);
    });

    it('believes the list alone when the history of the server went backwards', () => {
      const store = aStore();
      store.put(aDeployment({ version: 900 }));
      store.put(aDeployment({ version: 901, name: 'lost', uid: 'lost' }));
      const list = listed(store, aDeployment({ version: 5 }));
      expect(told(store.replaceAll(SCOPE, list, '20', { rewound: true }))).toEqual([
        'Deleted lost tombstone',
        'Updated u1',
      ]);
      expect(store.child(REF)?.resourceVersion).toBe('5');
    });

    it('is dropped as a whole with its namespace', () => {
      const store = aStore();
      store.put(aDeployment({ version: 1 }));
      store.put(aDeployment({ version: 2, namespace: 'other', uid: 'stays' }));
      expect(told(store.drop(SCOPE))).toEqual(['Deleted u1 tombstone']);
      expect(store.childrenOfKind(APPS, 'Deployment').map(({ uid }) => uid)).toEqual(['stays']);
      // Taken up again, the same objects come in again.
      expect(told(store.put(aDeployment({ version: 1 })))).toEqual(['Added u1']);
    });
  });
});
