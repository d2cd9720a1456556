import { beforeEach, describe, expect, it } from '@jest/globals';

import { aSignalingGateway } from '../../../test/builders.js';
import { StoreCluster } from '../../../test/store.cluster.js';
import type { KubernetesObject } from '../../kubernetes/object.js';
import { BundleKey } from './bundle-key.keysmith.js';
import { bundleKeyRef } from './bundle.js';
import { caConfigMapRef, caSecretRef } from './ca.js';
import { CaKeysmith } from './ca.keysmith.js';
import { KeyOrdersKeysmith } from './key-orders.keysmith.js';
import { NamespaceKeysReconciler } from './namespace-keys.reconciler.js';

const START = Date.parse('2026-03-01T12:00:00Z');
const DAY = 86_400;
const SYSTEM = 'sallyport-system';

let cluster: StoreCluster;
let seconds = 0;
let keys: NamespaceKeysReconciler;
const clock = { now: () => new Date(START + seconds * 1000), monotonicMs: () => seconds * 1000 };

beforeEach(() => {
  cluster = new StoreCluster();
  seconds = 0;
  const authorities = new CaKeysmith({ cluster, clock });
  const keysmith = new KeyOrdersKeysmith({ cluster, authorities });
  const bundleKey = new BundleKey({ cluster, clock, keysmith, namespace: SYSTEM });
  keys = new NamespaceKeysReconciler({ cluster, clock, authorities, bundleKey });
});

const aGatewayIn = (namespace: string): KubernetesObject => {
  // The generated type has no index signature, as the cache's objects have.
  const gateway = aSignalingGateway({ metadata: { namespace } }) as unknown as KubernetesObject;
  return cluster.write(gateway);
};
const reconcile = (name: string) => keys.reconcile({ namespace: '', name });
const secret = () => cluster.stored(caSecretRef('chat'));
const configMap = () => cluster.stored(caConfigMapRef('chat'));
const bundle = () => (configMap()!['data'] as Record<string, string>)['ca.crt'] ?? '';
const certificates = () => bundle().match(/BEGIN CERTIFICATE/g)?.length ?? 0;

describe('a namespace with a resource of ours', () => {
  beforeEach(async () => {
    aGatewayIn('chat');
    await reconcile('chat');
  });

  it('has a CA and its public certificates, current and next', () => {
    expect(secret()).toBeDefined();
    expect(certificates()).toBe(2);
    expect(bundle()).not.toContain('PRIVATE');
  });

  it('shows them owned by no resource', () => {
    for (const object of [secret()!, configMap()!]) {
      expect(object.metadata.ownerReferences).toBeUndefined();
      expect(object.metadata.labels).toMatchObject({ 'app.kubernetes.io/managed-by': 'sallyport' });
      expect(object.metadata.labels).not.toHaveProperty(['sallyport.dev/owner-uid']);
    }
  });

  it('costs no call when nothing is to do', async () => {
    cluster.calls.length = 0;
    expect((await reconcile('chat')).requeueAfterMs).toBe(DAY * 1000);
    expect(cluster.calls).toEqual([]);
  });

  it('gets its certificates back when somebody edits or deletes the ConfigMap', async () => {
    const before = bundle();
    cluster.write({ ...configMap()!, data: { 'ca.crt': 'mine' } });
    await reconcile('chat');
    expect(bundle()).toBe(before);
    cluster.delete(configMap()!);
    await reconcile('chat');
    expect(bundle()).toBe(before);
  });

  it('S22: rotates its CA after 180 days and trusts the old one until its last leaf has ended', async () => {
    const [old] = bundle().match(/-----BEGIN[^]*?END CERTIFICATE-----/) ?? [''];
    const seen: string[] = [];
    for (let day = 175; day <= 215; day += 1) {
      seconds = day * DAY;
      await reconcile('chat');
      seen.push(`${certificates()}${bundle().includes(old) ? '+' : '-'}`);
    }
    const phases = seen.filter((phase, index) => phase !== seen[index - 1]);
    expect(phases).toEqual(['2+', '3+', '2-']);
    expect(seen.indexOf('3+')).toBe(5);
    expect(seen.indexOf('2-')).toBe(5 + 31);
  });

  it('loses both when its last resource is gone, and not before', async () => {
    const second = aSignalingGateway({ metadata: { namespace: 'chat', name: 'b', uid: 'b' } });
    const stored = cluster.write(second);
    for (const gateway of cluster.list('sallyport.dev/v1alpha1', 'SignalingGateway', 'chat')) {
      if (gateway.metadata.name !== 'b') cluster.delete(gateway);
    }
    await reconcile('chat');
    expect(secret()).toBeDefined();
    cluster.delete(stored);
    await reconcile('chat');
    expect(secret()).toBeUndefined();
    expect(configMap()).toBeUndefined();
  });
});

describe('a namespace that is left while a pass runs', () => {
  /** A resource leaves the cache before the Secrets beside it do. */
  const leave = () => {
    for (const gateway of cluster.list('sallyport.dev/v1alpha1', 'SignalingGateway', 'chat')) {
      cluster.delete(gateway);
    }
  };

  it('keeps its CA: it is unknown then, and not empty', async () => {
    aGatewayIn('chat');
    await reconcile('chat');
    cluster.write({ ...configMap()!, data: { 'ca.crt': 'mine' } });
    const apply = cluster.apply.bind(cluster);
    cluster.apply = (owner, object) => {
      leave();
      return apply(owner, object);
    };
    await reconcile('chat');
    expect(cluster.calls).not.toContain('remove Secret sallyport-ca');
    expect(secret()).toBeDefined();
  });

  it('keeps the CA of the operator itself while its bundle key is made', async () => {
    aGatewayIn(SYSTEM);
    cluster.write(aSignalingGateway({ metadata: { namespace: 'chat', name: 'b', uid: 'b' } }));
    await reconcile(SYSTEM);
    cluster.delete(cluster.stored(bundleKeyRef(SYSTEM))!);
    cluster.calls.length = 0;
    const read = cluster.read.bind(cluster);
    cluster.read = (ref) => {
      for (const gateway of cluster.list('sallyport.dev/v1alpha1', 'SignalingGateway', SYSTEM)) {
        cluster.delete(gateway);
      }
      return read(ref);
    };
    await reconcile(SYSTEM);
    expect(cluster.calls).not.toContain('remove Secret sallyport-ca');
  });

  it('keeps what a resource needs that comes while the rest is removed', async () => {
    aGatewayIn('chat');
    await reconcile('chat');
    leave();
    const remove = cluster.remove.bind(cluster);
    cluster.remove = async (child) => {
      await remove(child);
      aGatewayIn('chat');
    };
    await reconcile('chat');
    expect(cluster.calls.filter((call) => call.startsWith('remove'))).toEqual([
      'remove Secret sallyport-ca',
    ]);
  });
});

describe('a namespace without one', () => {
  it('gets nothing', async () => {
    expect(await reconcile('shop')).toEqual({ requeueAfterMs: undefined });
    expect(cluster.calls).toEqual([]);
  });
});

describe("the operator's namespace", () => {
  it('gets the key that signs bundles once any resource of ours exists', async () => {
    await reconcile(SYSTEM);
    expect(cluster.calls).toEqual([]);
    aGatewayIn('chat');
    await reconcile(SYSTEM);
    expect(cluster.calls).toEqual([
      'read Secret sallyport-policy-signing-key',
      'apply Secret sallyport-policy-signing-key',
    ]);
  });

  it('is looked at when a resource appears anywhere', () => {
    const [watch] = keys.watches;
    const named = watch!.keysOf(aGatewayIn('chat'), cluster).map(({ name }) => name);
    expect(named).toEqual(['chat', SYSTEM]);
  });
});
