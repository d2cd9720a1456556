import { describe, expect, it } from '@jest/globals';
import { allKeys, cachedObject, ChangeRoutes, watchedKinds } from './change-routes.js';
import type { Child, Cluster } from './cluster.js';
import type { KubernetesObject } from './object.js';
import type { Reconciler } from './reconciler.js';
import { RESOURCE_KINDS } from './resources.js';
import type { Change } from './store.js';

const gateways = { apiVersion: 'sallyport.dev/v1alpha1', kind: 'SignalingGateway' };
const pools = { apiVersion: 'sallyport.dev/v1alpha1', kind: 'RelayPool' };
const gateway: KubernetesObject = {
  ...gateways,
  metadata: { name: 'edge', namespace: 'talk', uid: 'gw-1' },
};
const child: Child = {
  ref: { apiVersion: 'v1', kind: 'Secret', namespace: 'talk', name: 'keys' },
  uid: 'c-1',
  resourceVersion: '1',
  generation: 1,
  ownedHash: 'h',
  ownerUid: 'gw-1',
  labels: { a: 'b' },
  annotations: {},
  view: { type: 'Opaque' },
};
// Only `list` is asked.
const NOWHERE = { list: () => [gateway] } as unknown as Cluster;

const reconcile = () => Promise.resolve({});
const gatewayRoom: Reconciler = { name: 'gateway', primary: gateways, watches: [], reconcile };
const poolRoom: Reconciler = {
  name: 'pool',
  primary: pools,
  watches: [
    { ...gateways, keysOf: ({ metadata }) => [{ namespace: metadata.namespace ?? '', name: 'p' }] },
    {
      apiVersion: 'v1',
      kind: 'Secret',
      keysOf: ({ metadata }) => [{ namespace: '', name: metadata.name }],
    },
  ],
  reconcile,
};

const ofGateway = (type: Change['type']): Change => ({
  type,
  ref: { ...gateways, namespace: 'talk', name: 'edge' },
  uid: 'gw-1',
  now: { own: true, object: gateway },
});
const ofChild = (now: Child, before?: Child): Change => ({
  type: 'Updated',
  ref: now.ref,
  uid: now.uid,
  now: { own: false, child: now },
  ...(before ? { before: { own: false, child: before } } : {}),
});

describe('a change', () => {
  const routes = new ChangeRoutes([gatewayRoom, poolRoom]);
  routes.note(ofGateway('Added'));

  it('of a resource concerns it, and whoever watches its kind', () => {
    expect(routes.of(ofGateway('Updated'), NOWHERE)).toEqual([
      { controller: 'gateway', key: { namespace: 'talk', name: 'edge' } },
      { controller: 'pool', key: { namespace: 'talk', name: 'p' } },
    ]);
  });

  it('of a child concerns its owner, and whoever watches its kind', () => {
    expect(routes.of(ofChild(child), NOWHERE)).toEqual([
      { controller: 'gateway', key: { namespace: 'talk', name: 'edge' } },
      { controller: 'pool', key: { namespace: '', name: 'keys' } },
    ]);
  });

  it('of a child that lost its label concerns the owner that it named before', () => {
    const stripped = { ...child };
    Reflect.deleteProperty(stripped, 'ownerUid');
    expect(routes.of(ofChild(stripped, child), NOWHERE)).toContainEqual({
      controller: 'gateway',
      key: { namespace: 'talk', name: 'edge' },
    });
  });

  it('of a child whose owner nobody knows concerns nobody but watches', () => {
    const routed = routes.of(ofChild({ ...child, ownerUid: 'other' }), NOWHERE);
    expect(routed.map(({ controller }) => controller)).toEqual(['pool']);
  });

  it('that two ways lead to the same key is routed once', () => {
    const twice: Reconciler = {
      ...gatewayRoom,
      watches: [
        { ...gateways, keysOf: ({ metadata }) => [{ namespace: 'talk', name: metadata.name }] },
      ],
    };
    expect(new ChangeRoutes([twice]).of(ofGateway('Added'), NOWHERE)).toHaveLength(1);
  });

  it('that deletes an owner forgets it', () => {
    const own = new ChangeRoutes([gatewayRoom]);
    own.note(ofGateway('Added'));
    expect(own.ownerLives('gw-1')).toBe(true);
    own.note(ofGateway('Deleted'));
    expect(own.ownerLives('gw-1')).toBe(false);
  });
});

describe('a watch', () => {
  it('sees a child as its view with metadata', () => {
    expect(cachedObject({ own: false, child })).toMatchObject({
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'Opaque',
      metadata: { name: 'keys', namespace: 'talk', labels: { a: 'b' } },
    });
  });
});

describe('all keys', () => {
  it('of a room are its resources; of a controller of namespaces what its watches say', () => {
    expect(allKeys(gatewayRoom, NOWHERE)).toEqual([{ namespace: 'talk', name: 'edge' }]);
    const ofNamespaces: Reconciler = { name: 'ns', watches: poolRoom.watches, reconcile };
    expect(allKeys(ofNamespaces, NOWHERE)).toContainEqual({ namespace: 'talk', name: 'p' });
  });
});

describe('the kinds that are watched', () => {
  const kinds = watchedKinds(RESOURCE_KINDS, [gatewayRoom]).map(({ kind }) => kind);

  it('are every kind that can be a child, named or not', () => {
    expect(kinds).toEqual(
      expect.arrayContaining(['Deployment', 'Secret', 'Certificate', 'ServiceMonitor']),
    );
  });

  it('are of ours only those that somebody reconciles or watches', () => {
    expect(kinds).toContain('SignalingGateway');
    expect(kinds).not.toContain('RelayPool');
  });

  it('are neither Pods nor Namespaces, Events and Leases, unless named', () => {
    expect(kinds).not.toEqual(expect.arrayContaining(['Pod']));
    for (const kind of ['Pod', 'Namespace', 'Event', 'Lease']) expect(kinds).not.toContain(kind);
    const pods = { ...gatewayRoom, watches: [{ apiVersion: 'v1', kind: 'Pod', keysOf: () => [] }] };
    expect(watchedKinds(RESOURCE_KINDS, [pods]).map(({ kind }) => kind)).toContain('Pod');
  });
});
