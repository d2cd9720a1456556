import { describe, expect, it } from '@jest/globals';
import {
  childMetadata,
  labelValue,
  mayAdopt,
  namespaceMetadata,
  podLabels,
  selectorLabels,
} from './metadata.js';

const owner = {
  apiVersion: 'sallyport.dev/v1alpha1',
  kind: 'SignalingGateway',
  metadata: { name: 'edge', namespace: 'talk', uid: 'uid-1' },
};

describe('metadata of a child', () => {
  const child = { name: 'edge-gateway', component: 'gateway' };

  it('has the recommended labels, its owner, and a controller reference', () => {
    expect(childMetadata(owner, child)).toEqual({
      name: 'edge-gateway',
      namespace: 'talk',
      labels: {
        'app.kubernetes.io/name': 'signaling-gateway',
        'app.kubernetes.io/instance': 'edge',
        'app.kubernetes.io/component': 'gateway',
        'app.kubernetes.io/part-of': 'sallyport',
        'app.kubernetes.io/managed-by': 'sallyport',
        'sallyport.dev/owner-uid': 'uid-1',
        'sallyport.dev/owner-kind': 'SignalingGateway',
      },
      ownerReferences: [
        {
          apiVersion: 'sallyport.dev/v1alpha1',
          kind: 'SignalingGateway',
          name: 'edge',
          uid: 'uid-1',
          controller: true,
          blockOwnerDeletion: false,
        },
      ],
    });
  });

  it('in another namespace has no owner reference but says where its owner is', () => {
    const metadata = childMetadata(owner, { ...child, namespace: 'relays' });
    expect(metadata.ownerReferences).toBeUndefined();
    expect(metadata.labels).toMatchObject({
      'sallyport.dev/owner-uid': 'uid-1',
      'sallyport.dev/owner-namespace': 'talk',
    });
  });

  it('never lets further labels replace ours', () => {
    const labels = { 'sallyport.dev/owner-uid': 'another', team: 'light' };
    expect(childMetadata(owner, { ...child, labels }).labels).toMatchObject({
      'sallyport.dev/owner-uid': 'uid-1',
      team: 'light',
    });
  });

  it('leaves empty annotations out: the API server does not keep them', () => {
    expect(childMetadata(owner, { ...child, annotations: {} })).not.toHaveProperty('annotations');
  });

  it('is refused for a resource that was never stored', () => {
    expect(() => childMetadata({ ...owner, metadata: { name: 'edge' } }, child)).toThrow(/no UID/);
  });
});

describe('labels', () => {
  it('of a pod template name neither manager nor owner: controllers copy them to objects of theirs', () => {
    expect(Object.keys(podLabels(owner, 'gateway'))).toEqual([
      'app.kubernetes.io/name',
      'app.kubernetes.io/instance',
      'app.kubernetes.io/component',
      'app.kubernetes.io/part-of',
    ]);
  });

  it('that select pods differ for two kinds of one name', () => {
    const pool = { ...owner, kind: 'RelayPool' };
    expect(selectorLabels(owner, 'x')).not.toEqual(selectorLabels(pool, 'x'));
  });

  it('of a name longer than 63 characters stay different from each other', () => {
    const [a, b] = [labelValue(`${'n'.repeat(80)}a`), labelValue(`${'n'.repeat(80)}b`)];
    expect(a).toHaveLength(63);
    expect(a).not.toBe(b);
    expect(labelValue(`${'n'.repeat(51)}.${'n'.repeat(40)}`)).toMatch(/^n{51}-[0-9a-f]{10}$/);
  });

  it('of an object of a namespace name no owner', () => {
    const { labels, ownerReferences } = namespaceMetadata({
      name: 'sallyport-ca',
      namespace: 'talk',
      component: 'ca',
    });
    expect(labels).not.toHaveProperty('sallyport.dev/owner-uid');
    expect(labels).toMatchObject({ 'app.kubernetes.io/managed-by': 'sallyport' });
    expect(ownerReferences).toBeUndefined();
  });
});

describe('adoption', () => {
  it.each([
    [{ 'sallyport.dev/adopt': 'true' }, true],
    [{ 'sallyport.dev/adopt': 'yes' }, false],
    [undefined, false],
  ])('with %j is %s', (annotations, expected) => {
    expect(mayAdopt({ metadata: { name: 'x', ...(annotations ? { annotations } : {}) } })).toBe(
      expected,
    );
  });
});
