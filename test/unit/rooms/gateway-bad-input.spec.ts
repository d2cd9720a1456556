import { describe, expect, it } from '@jest/globals';
import { decidePrune } from '../../../src/kubernetes/carry-out.js';
import { ForeignObject } from '../../../src/kubernetes/child-failures.js';
import type { SecretFacts } from '../../../src/operator/keys/named-secrets.js';
import { aReplicatedGateway, aSignalingGateway } from '../../builders.js';
import {
  afterwards,
  aServingPool,
  condition,
  edited,
  goodSecrets,
  kinds,
  fileOf,
  observedGateway,
  planAt,
} from './observed-gateway.js';

describe('bad input', () => {
  const gateway = aReplicatedGateway();
  const running = afterwards(observedGateway(gateway), { ready: 2 });
  const name = 'edge-db';

  it('a missing Secret is named with its keys, and the running pods stay as they are', () => {
    const [runtime] = Object.keys(goodSecrets(gateway));
    const observed = {
      ...running,
      secrets: { ...running.secrets, [runtime!]: 'Missing' as const },
    };
    expect(condition(observed, 'Stalled')).toMatchObject({
      status: 'True',
      reason: 'SecretMissing',
    });
    expect(condition(observed, 'ReferencesResolved')?.message).toContain(runtime);
    const { plan } = planAt(observed);
    expect(plan.prune).toBe('Nothing');
    expect(kinds(plan.apply)).not.toContain('Deployment');
    expect(kinds(plan.apply)).toContain('NetworkPolicy');
  });

  it('a Secret without the key says which key', () => {
    const own = aSignalingGateway({ listener: { tls: { secretRef: { name } } } });
    const secrets = { [name]: { keys: ['tls.crt', 'password'], managed: false, keyFits: false } };
    expect(condition(observedGateway(own, { secrets }), 'Stalled')).toMatchObject({
      reason: 'SecretInvalid',
      message: `listener.tls.secretRef: Secret ${name} has no key tls.key. Add it, or name another Secret.`,
    });
  });

  it('a key that is not that of the certificate is said to be so, with what to put there', () => {
    const own = aSignalingGateway({ listener: { tls: { secretRef: { name } } } });
    const facts = goodSecrets(own)[name];
    const secrets = { [name]: { ...(facts as SecretFacts), keyFits: false } };
    expect(condition(observedGateway(own, { secrets }), 'Stalled')).toMatchObject({
      reason: 'SecretInvalid',
      message: `listener.tls.secretRef: tls.key of Secret ${name} is not the key of its certificate. Put the PEM private key of that certificate there, without a passphrase.`,
    });
  });

  it("T51: a Secret of the installation itself is refused, so that nobody borrows another program's key", () => {
    const own = aSignalingGateway({
      listener: { tls: { secretRef: { name: 'frankfurt-relay-tls' } } },
    });
    const secrets = {
      'frankfurt-relay-tls': { keys: ['tls.crt', 'tls.key'], managed: true, keyFits: true },
    };
    expect(condition(observedGateway(own, { secrets }), 'Stalled')).toMatchObject({
      status: 'True',
      reason: 'SecretInvalid',
      message: expect.stringContaining('Name a Secret of your own'),
    });
  });

  it('a pool that does not exist is named, and everything else goes on', () => {
    const observed = edited(running, { relayPools: [{ name: 'paris' }] });
    expect(condition(observed, 'Stalled')).toMatchObject({ reason: 'PoolNotFound' });
    expect(kinds(planAt(observed).plan.apply)).toContain('Deployment');
  });

  it.each([
    [
      'HorizontalPodAutoscaler',
      { autoscaling: { minReplicas: 2, maxReplicas: 6, targetCpuUtilizationPercent: 60 } },
    ],
    [
      'Ingress',
      {
        ingress: { className: 'nginx', tlsSecretRef: { name: 'edge-ingress' } },
        trustedProxies: { cidrs: ['10.0.0.0/24'], hops: 1 },
      },
    ],
  ])('a pool that does not exist keeps no %s that was removed from the spec', (kind, spec) => {
    const before = aReplicatedGateway(spec);
    const standing = afterwards(observedGateway(before), { ready: 2 });
    expect(standing.children.map(({ ref }) => ref.kind)).toContain(kind);
    const removed = { autoscaling: undefined, ingress: undefined, replicas: 2 };
    const observed = edited(standing, { ...removed, relayPools: [{ name: 'paris' }] });
    expect(condition(observed, 'Stalled')).toMatchObject({ reason: 'PoolNotFound' });
    const gone = decidePrune(planAt(observed).plan, observed.children);
    expect([...gone.before, ...gone.after].map(({ ref }) => ref.kind)).toEqual([kind]);
  });

  it('a pool that does not allow the gateway says what to add to it', () => {
    const pool = aServingPool({
      metadata: { name: 'paris' },
      allowedGateways: [{ name: 'other' }],
    });
    const observed = { ...edited(running, { relayPools: [{ name: 'paris' }] }), pools: [pool] };
    expect(condition(observed, 'Stalled')).toMatchObject({
      reason: 'GatewayNotAllowed',
      message: expect.stringContaining('allowedGateways'),
    });
    expect(fileOf(observed, '-relays', 'relays.json')).toMatchObject({ pools: [] });
  });

  it('a foreign Secret where ours should be is a condition, not a crash', () => {
    const ref = { apiVersion: 'v1', kind: 'Secret', namespace: 'demo', name: 'edge-gateway-tls' };
    const observed = observedGateway(aSignalingGateway(), {
      failedOrders: [{ ref, error: new ForeignObject(ref) }],
    });
    expect(condition(observed, 'Stalled')).toMatchObject({
      status: 'True',
      reason: 'ForeignObject',
    });
  });

  it('a lease that outgrows the default overlap stalls with the effective values, and keeps what runs', () => {
    const observed = edited(running, { leases: { lifetimeSeconds: 3600 } });
    expect(condition(observed, 'Stalled')).toMatchObject({ reason: 'InvalidEffectiveValue' });
    const { plan } = planAt(observed);
    expect(plan.apply.map(({ metadata }) => metadata.name)).toEqual(['edge-gateway-relays']);
    expect(plan.prune).toBe('Nothing');
    expect(plan.status.observedGeneration).toBe(2);
  });

  it('cert-manager that is not installed is a condition', () => {
    const own = aSignalingGateway({
      listener: { tls: { certManager: { issuerRef: { name: 'x' } } } },
    });
    const serves = { certificates: false, serviceMonitors: false };
    const observed = observedGateway(own, { serves });
    expect(condition(observed, 'Stalled')).toMatchObject({ reason: 'ApiNotServed' });
    expect(condition(observed, 'Monitored')).toMatchObject({
      status: 'False',
      reason: 'ApiNotServed',
    });
    expect(kinds(planAt(observed).plan.apply)).not.toContain('Certificate');
  });

  it('an expired certificate of the user stalls, one that lacks a host too', () => {
    const own = aSignalingGateway({ listener: { tls: { secretRef: { name } } } });
    const good = goodSecrets(own)[name] as { certificate: object };
    const withCertificate = (change: object) =>
      observedGateway(own, {
        secrets: { [name]: { ...good, certificate: { ...good.certificate, ...change } } as never },
      });
    const expired = withCertificate({ notAfter: '2026-03-02T11:59:59Z' });
    expect(condition(expired, 'CertificateReady')).toMatchObject({ reason: 'CertificateExpired' });
    const other = withCertificate({ dnsNames: ['*.example.org'] });
    expect(condition(other, 'CertificateReady')).toMatchObject({
      reason: 'CertificateNamesMissing',
    });
    const wildcard = withCertificate({ dnsNames: ['*.example.com'] });
    expect(condition(wildcard, 'CertificateReady')?.status).toBe('True');
  });

  it('every message fits into a condition', () => {
    const long = aSignalingGateway({ listener: { tls: { secretRef: { name: 's'.repeat(253) } } } });
    const { conditions } = planAt(observedGateway(long, { secrets: {} })).plan.status;
    expect(conditions.filter(({ message }) => message.length > 256)).toEqual([]);
  });
});

describe('T51: hostile values that an older CRD let through', () => {
  it.each([
    ['a line break in a host', { hosts: ['a.example\nx: y'] }],
    [
      'a line break in an annotation',
      { exposure: { type: 'ClusterIP', allocateNodePorts: false, annotations: { a: 'b\nc' } } },
    ],
    [
      'an image that smuggles a registry',
      { image: { repository: 'evil.example/x:1@sha256', digest: `sha256:${'0'.repeat(64)}` } },
    ],
    ['an image digest that is none', { image: { repository: 'r.example/x', digest: 'latest' } }],
    ['a Secret named ../', { listener: { port: 8443, tls: { secretRef: { name: '../other' } } } }],
    ['a wildcard origin', { allowedOrigins: ['https://*.example.com'] }],
    [
      'egress to everywhere',
      {
        networkPolicy: {
          extraEgress: [{ cidr: '0.0.0.0/0', ports: [{ port: 443, protocol: 'TCP' }] }],
        },
      },
    ],
    ['proxies everywhere', { trustedProxies: { cidrs: ['::/0'], hops: 1 } }],
    ['a network that is none', { trustedProxies: { cidrs: ['10.0.0.1/24 or 1'], hops: 1 } }],
    ['two replicas of an embedded store', { replicas: 2 }],
  ])('%s renders nothing and orders nothing', (_, spec) => {
    const observed = edited(observedGateway(aSignalingGateway()), spec);
    const { plan, orders } = planAt(observed);
    expect(condition(observed, 'Stalled')).toMatchObject({ status: 'True', reason: 'InvalidSpec' });
    expect([plan.apply, orders, plan.prune]).toEqual([[], [], 'Nothing']);
  });

  it('a name that is no label is refused', () => {
    const gateway = aSignalingGateway();
    const observed = observedGateway({
      ...gateway,
      metadata: { ...gateway.metadata, name: '../../kube-system' },
    });
    expect(planAt(observed).plan.apply).toEqual([]);
  });

  it('S21: a message never repeats the value that was refused', () => {
    const canary = 'CANARY-2f1b7c';
    for (const spec of [
      { hosts: [canary] },
      { allowedOrigins: [canary] },
      { image: { repository: canary, digest: canary } },
      { trustedProxies: { cidrs: [canary], hops: 1 } },
    ]) {
      const { plan } = planAt(edited(observedGateway(aSignalingGateway()), spec));
      expect(JSON.stringify([plan.status.conditions, plan.events])).not.toContain(canary);
    }
  });
});
