import { describe, expect, it } from '@jest/globals';
import { RESOURCE_KINDS, ResourceTable, collectionPath, kindOf, pathOf } from './resources.js';

describe('the table of resource kinds', () => {
  it.each([
    ['v1', 'Secret', '/api/v1/namespaces/ns/secrets/web'],
    ['apps/v1', 'Deployment', '/apis/apps/v1/namespaces/ns/deployments/web'],
    [
      'networking.k8s.io/v1',
      'NetworkPolicy',
      '/apis/networking.k8s.io/v1/namespaces/ns/networkpolicies/web',
    ],
    [
      'sallyport.dev/v1alpha1',
      'AccessRole',
      '/apis/sallyport.dev/v1alpha1/namespaces/ns/accessroles/web',
    ],
  ])('knows where a %s %s lives', (apiVersion, kind, path) => {
    expect(pathOf({ apiVersion, kind, namespace: 'ns', name: 'web' })).toBe(path);
  });

  it('writes subresources, whole collections and cluster-scoped kinds', () => {
    const ref = {
      apiVersion: 'sallyport.dev/v1alpha1',
      kind: 'RelayPool',
      namespace: 'ns',
      name: 'p',
    };
    expect(pathOf(ref, 'status')).toBe(
      '/apis/sallyport.dev/v1alpha1/namespaces/ns/relaypools/p/status',
    );
    expect(collectionPath('v1', 'Pod', 'ns')).toBe('/api/v1/namespaces/ns/pods');
    expect(collectionPath('v1', 'Pod')).toBe('/api/v1/pods');
    expect(collectionPath('v1', 'Pod', '')).toBe('/api/v1/pods');
    expect(pathOf({ apiVersion: 'v1', kind: 'Namespace', namespace: '', name: 'ns' })).toBe(
      '/api/v1/namespaces/ns',
    );
  });

  it('T51: keeps a name inside its path segment', () => {
    const ref = {
      apiVersion: 'v1',
      kind: 'Secret',
      namespace: '../kube-system',
      name: '../../nodes?x=1',
    };
    expect(pathOf(ref)).toBe('/api/v1/namespaces/..%2Fkube-system/secrets/..%2F..%2Fnodes%3Fx%3D1');
  });

  it('refuses a kind that is not in it, and an object without a name', () => {
    expect(() => kindOf('v1', 'Node')).toThrow('not in the table');
    expect(() => pathOf({ apiVersion: 'v1', kind: 'Pod', namespace: 'ns', name: '' })).toThrow(
      'without a name',
    );
  });

  it('names each kind and each path once, and marks those that others install', () => {
    const names = RESOURCE_KINDS.map(({ apiVersion, kind }) => `${apiVersion}/${kind}`);
    const table = new ResourceTable();
    const paths = RESOURCE_KINDS.map(({ apiVersion, kind }) =>
      table.collectionPath(apiVersion, kind),
    );
    expect(new Set(names).size).toBe(names.length);
    expect(new Set(paths).size).toBe(paths.length);
    expect(RESOURCE_KINDS.filter(({ optional }) => optional).map(({ kind }) => kind)).toEqual([
      'Certificate',
      'ServiceMonitor',
      'PrometheusRule',
    ]);
  });
});
