import { describe, expect, it } from '@jest/globals';
import { replicasHandOver, replicasOfLive } from './hand-over.js';

const facts = { uid: 'u', resourceVersion: '9', replicas: 5, owners: ['sallyport'] };
const deployment = (spec: object, kind = 'Deployment') => ({
  apiVersion: 'apps/v1',
  kind,
  metadata: { name: 'edge', namespace: 'talk' },
  spec,
});

describe('handing replicas over', () => {
  it('names the live count for exactly the version that was seen', () => {
    expect(replicasHandOver(deployment({}), facts)).toEqual({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'edge', namespace: 'talk', uid: 'u', resourceVersion: '9' },
      spec: { replicas: 5 },
    });
  });

  it.each([
    ['the plan names replicas', deployment({ replicas: 0 }), facts],
    ['we do not own them', deployment({}), { ...facts, owners: ['kube-controller-manager'] }],
    ['there are none', deployment({}), { ...facts, replicas: undefined }],
    ['it is no workload', deployment({}, 'Service'), facts],
  ])('is not needed when %s', (_, desired, known) => {
    expect(replicasHandOver(desired, known)).toBeUndefined();
  });

  it('reads from a live object who owns them', () => {
    const managedFields = [
      {
        manager: 'sallyport',
        operation: 'Apply' as const,
        fieldsV1: { 'f:spec': { 'f:replicas': {} } },
      },
    ];
    const live = {
      ...deployment({ replicas: 3 }),
      metadata: { name: 'edge', uid: 'u', resourceVersion: '1', managedFields },
    };
    expect(replicasOfLive(live)).toEqual({
      uid: 'u',
      resourceVersion: '1',
      replicas: 3,
      owners: ['sallyport'],
    });
  });
});
