import { describe, expect, it } from '@jest/globals';

import { configMap, jsonFile, restartDigest, serviceAccount } from './objects.js';
import { headlessService, service } from './service.js';
import { deployment, persistentVolumeClaim, statefulSet } from './workload.js';

const metadata = { name: 'edge-gateway', namespace: 'chat', annotations: { ours: 'kept' } };
const selector = { app: 'gateway' };
const port = { name: 'https', port: 8443, targetPort: 'https', protocol: 'TCP' } as const;

describe('a Service', () => {
  it('is a ClusterIP unless it is exposed', () => {
    const { spec } = service({ metadata, selector, ports: [port] });
    expect(spec).toMatchObject({ type: 'ClusterIP', ipFamilyPolicy: 'PreferDualStack' });
    expect(spec).not.toHaveProperty('externalTrafficPolicy');
    expect(spec).not.toHaveProperty('allocateLoadBalancerNodePorts');
  });

  it('behind a load balancer keeps client addresses and opens no node port', () => {
    const sourceRanges = ['10.0.0.0/8', '192.0.2.0/24', '10.0.0.0/8'];
    const exposure = { type: 'LoadBalancer', sourceRanges } as const;
    expect(service({ metadata, selector, ports: [port], exposure })['spec']).toMatchObject({
      externalTrafficPolicy: 'Local',
      allocateLoadBalancerNodePorts: false,
      loadBalancerSourceRanges: ['10.0.0.0/8', '192.0.2.0/24'],
    });
  });

  it('never lets a user replace an annotation of ours', () => {
    const exposure = {
      type: 'ClusterIP',
      annotations: { ours: 'theirs', b: '2', a: '1' },
    } as const;
    const made = service({ metadata, selector, ports: [port], exposure });
    expect(JSON.stringify(made.metadata.annotations)).toBe('{"a":"1","b":"2","ours":"kept"}');
  });

  it('that is headless has no address', () => {
    const made = headlessService({
      metadata,
      selector,
      ports: [port],
      publishNotReadyAddresses: true,
    });
    expect(made['spec']).toMatchObject({ clusterIP: 'None', publishNotReadyAddresses: true });
  });
});

describe('a workload', () => {
  const template = { metadata: { labels: {} }, spec: { serviceAccountName: 'x', containers: [] } };
  const parts = { metadata, selector, template, minReadySeconds: 0 };

  it('has no replicas while an autoscaler owns them', () => {
    const made = deployment({ ...parts, progressDeadlineSeconds: 600 });
    expect(made['spec']).not.toHaveProperty('replicas');
    expect(
      deployment({ ...parts, replicas: 3, progressDeadlineSeconds: 600 })['spec'],
    ).toMatchObject({
      replicas: 3,
    });
  });

  it('of relays starts in parallel and is replaced as far as the operator lets it', () => {
    const of = (partition?: number) =>
      statefulSet({
        ...parts,
        serviceName: 's',
        ...(partition === undefined ? {} : { partition }),
      });
    expect(of(2)['spec']).toMatchObject({
      podManagementPolicy: 'Parallel',
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 2 } },
    });
    expect(of()['spec']).toMatchObject({ updateStrategy: { rollingUpdate: { partition: 0 } } });
  });

  it('has a volume of canonical size', () => {
    expect(persistentVolumeClaim({ metadata, size: '2048Mi' })['spec']).toMatchObject({
      resources: { requests: { storage: '2Gi' } },
    });
  });
});

describe('small objects', () => {
  it('are the same bytes for the same content', () => {
    expect(JSON.stringify(configMap(metadata, { b: '2', a: '1' }))).toBe(
      JSON.stringify(configMap(metadata, { a: '1', b: '2' })),
    );
    expect(jsonFile({ b: [{ d: 1, c: undefined }], a: 2 })).toBe(jsonFile({ a: 2, b: [{ d: 1 }] }));
    expect(restartDigest({ b: 1, a: 2 })).toBe(restartDigest({ a: 2, b: 1 }));
    expect(restartDigest({ a: 1 })).not.toBe(restartDigest({ a: 2 }));
  });

  it('give pods an identity without a token', () => {
    expect(serviceAccount(metadata)['automountServiceAccountToken']).toBe(false);
  });
});
