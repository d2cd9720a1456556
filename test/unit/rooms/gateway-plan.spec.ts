import { describe, expect, it } from '@jest/globals';
import type { SecretFacts, ServedCertificate } from '../../../src/operator/keys/named-secrets.js';
import { aReplicatedGateway, aRetentionPolicy, aSignalingGateway } from '../../builders.js';
import {
  afterwards,
  annotated,
  condition,
  edited,
  fileOf,
  goodSecrets,
  minutesAfter,
  observedGateway,
  planAt,
  SETTINGS,
} from './observed-gateway.js';

describe('a new SignalingGateway', () => {
  const observed = observedGateway(aSignalingGateway());

  it('orders lease keys, an internal and a public certificate before anything needs them', () => {
    expect(planAt(observed).orders.map(({ type, metadata }) => [type, metadata.name])).toEqual([
      ['SigningKeys', 'edge-gateway-lease-keys'],
      ['Leaf', 'edge-gateway-internal-tls'],
      ['Leaf', 'edge-gateway-tls'],
    ]);
  });

  it('orders column keys only where replicas share a database', () => {
    const shared = planAt(observedGateway(aReplicatedGateway())).orders;
    expect(shared.map(({ metadata }) => metadata.name)).toContain('edge-gateway-column-keys');
  });

  it('says that it waits for keys, and is neither ready nor stalled', () => {
    expect(condition(observed, 'Ready')).toMatchObject({
      status: 'False',
      reason: 'WaitingForKeys',
    });
    expect(condition(observed, 'Reconciling')?.status).toBe('True');
    expect(condition(observed, 'Stalled')?.status).toBe('False');
  });

  it('plans the same thing twice', () => {
    expect(planAt(observed)).toEqual(planAt(observed));
  });

  it('orders no public certificate when the user brings one', () => {
    const own = aSignalingGateway({ listener: { tls: { secretRef: { name: 'mine' } } } });
    const names = planAt(observedGateway(own)).orders.map(({ metadata }) => metadata.name);
    expect(names).not.toContain('edge-gateway-tls');
  });
});

describe('a SignalingGateway whose objects stand', () => {
  const gateway = aReplicatedGateway();
  const at = (workload: { ready: number; updated?: number }) =>
    afterwards(observedGateway(gateway), workload);

  it('has nothing to order', () => {
    expect(planAt(at({ ready: 2 })).orders).toEqual([]);
  });

  it('keeps its column keys: no plan takes them away', () => {
    const { keep } = planAt(at({ ready: 2 })).plan;
    expect(keep.map(({ name }) => name)).toContain('edge-gateway-column-keys');
  });

  it('rotates its column keys after a day while a pod is ready, and not while none is', () => {
    const orders = (ready: number) =>
      planAt(at({ ready }), {}, minutesAfter(1441)).orders.map(({ type }) => type);
    expect([orders(2).includes('ColumnKeys'), orders(0).includes('ColumnKeys')]).toEqual([
      true,
      false,
    ]);
  });

  it('is ready when every pod has the newest template and is ready', () => {
    expect(condition(at({ ready: 2 }), 'Ready')).toMatchObject({
      status: 'True',
      reason: 'AllReplicasReady',
      message: '2 of 2 pods are ready.',
    });
  });

  it('is rolling out while one pod is old', () => {
    expect(condition(at({ ready: 2, updated: 1 }), 'Ready')).toMatchObject({
      status: 'False',
      reason: 'RollingOut',
    });
  });

  it('is not ready while one pod is not', () => {
    expect(condition(at({ ready: 1, updated: 2 }), 'Reconciling')).toMatchObject({
      status: 'True',
      reason: 'ReplicasNotReady',
      message: '1 of 2 pods are ready.',
    });
  });

  it('keeps the transition time while nothing changes', () => {
    const observed = at({ ready: 2 });
    const first = planAt(observed).plan.status;
    const again = { ...observed, gateway: { ...observed.gateway, status: first } };
    expect(planAt(again, {}, minutesAfter(5)).plan.status).toEqual(first);
  });

  it('waits for an address behind a load balancer, and lists it as pending', () => {
    const exposed = aReplicatedGateway({ exposure: { type: 'LoadBalancer' } });
    const observed = afterwards(observedGateway(exposed), { ready: 2 });
    expect(condition(observed, 'Ready')).toMatchObject({
      status: 'False',
      reason: 'WaitingForAddress',
    });
    expect(planAt(observed).plan.status.endpoints).toEqual([
      { address: '', port: 8443, protocol: 'TCP', state: 'Pending' },
    ]);
  });

  it('shows ids and dates of keys, pins and dates of certificates, and no material', () => {
    const { status } = planAt(at({ ready: 2 })).plan;
    expect(status.keys).toMatchObject([
      { kid: '1'.repeat(22), state: 'Current' },
      { kid: '2'.repeat(22), state: 'Next' },
    ]);
    expect(status.certificates?.map(({ purpose }) => purpose)).toEqual([
      'Public',
      'Internal',
      'Authority',
    ]);
    expect(JSON.stringify(status)).not.toMatch(/PRIVATE|BEGIN/);
  });
});

describe('when a SignalingGateway is looked at again', () => {
  const name = 'mine';
  const own = aSignalingGateway({ listener: { tls: { secretRef: { name } } } });
  const EVERY_MS = SETTINGS.checkSecretsEverySeconds * 1000;
  const DAY_MINUTES = 24 * 60;
  const requeue = (...plan: Parameters<typeof planAt>) => planAt(...plan).plan.requeueAfterMs;
  const endsAt = (notAfter: string) => {
    const good = goodSecrets(own)[name] as SecretFacts;
    const certificate = { ...good.certificate, notAfter } as ServedCertificate;
    return afterwards(observedGateway(own, { secrets: { [name]: { ...good, certificate } } }), {
      ready: 1,
    });
  };

  it('is at the end of the certificate that the user brings', () => {
    expect(requeue(endsAt('2026-03-02T12:00:30Z'))).toBe(30_000);
  });

  it.each(['2026-03-02T12:00:00Z', '2026-03-02T11:00:00Z'])(
    'is no sooner than Secrets are read again once that certificate has ended (%s)',
    (notAfter) => {
      const expired = endsAt(notAfter);
      expect(condition(expired, 'CertificateReady')).toMatchObject({
        reason: 'CertificateExpired',
      });
      expect(requeue(expired)).toBe(EVERY_MS);
    },
  );

  it('is soon while a renewal is due and ordered', () => {
    const late = minutesAfter(21 * DAY_MINUTES);
    const running = afterwards(observedGateway(aSignalingGateway()), { ready: 1 });
    expect(planAt(running, {}, late).orders).not.toEqual([]);
    expect(requeue(running, {}, late)).toBe(1000);
  });

  it('is at once while a renewal is due, although the spec is invalid', () => {
    const late = minutesAfter(21 * DAY_MINUTES);
    const invalid = edited(endsAt('2026-12-31T00:00:00Z'), {
      allowedOrigins: ['https://*.a.example'],
    });
    expect(planAt(invalid, {}, late).orders.length).toBeGreaterThan(0);
    expect(requeue(invalid, {}, late)).toBe(1000);
  });

  it('is not every second while a Deployment is late and Kubernetes has not given it up', () => {
    const good = afterwards(observedGateway(aReplicatedGateway()), { ready: 0 });
    expect(requeue(good, {}, minutesAfter(9))).toBe(60_000);
    expect(requeue(good, {}, minutesAfter(11))).toBe(EVERY_MS);
  });
});

describe('retention policies', () => {
  const gateway = aSignalingGateway();
  const policy = (name: string, classes: object) =>
    aRetentionPolicy({
      metadata: {
        name,
        ...(gateway.metadata.namespace && { namespace: gateway.metadata.namespace }),
      },
      gateways: { selector: { matchLabels: {} } },
      classes,
    });

  it('become a section of the settings, taken up live', () => {
    const retentionPolicies = [policy('a', { session: { atMostSeconds: 600 } })];
    const observed = observedGateway(gateway, { retentionPolicies });
    expect(fileOf(observed, '-settings', 'settings.json')['retention']).toMatchObject({
      deletion: 'Enabled',
      classes: { session: { atMostSeconds: 600 } },
    });
  });

  it('that contradict each other name both and suspend deletion; the gateway stays ready', () => {
    const retentionPolicies = [
      policy('keep', { session: { atLeastSeconds: 900 } }),
      policy('drop', { session: { atMostSeconds: 600 } }),
    ];
    const observed = afterwards(observedGateway(gateway, { retentionPolicies }), { ready: 1 });
    expect(fileOf(observed, '-settings', 'settings.json')['retention']).toMatchObject({
      deletion: 'Suspended',
    });
    expect(condition(observed, 'RetentionConsistent')).toMatchObject({
      status: 'False',
      reason: 'RetentionContradiction',
      message: expect.stringMatching(/keep.*drop/),
    });
    expect(condition(observed, 'Ready')?.status).toBe('True');
  });
});

describe('rotation on demand', () => {
  it('is noted with its token once the keys say so', () => {
    const running = afterwards(observedGateway(aSignalingGateway()), { ready: 1 });
    const asked = annotated(running, { 'sallyport.dev/rotate': 'now-1' });
    expect(planAt(asked).orders).toEqual([]);
    expect(planAt(asked).plan.status.lastRotation).toBeUndefined();
    expect(condition(asked, 'KeysReady')?.reason).toBe('NextPinTooNew');
    const later = planAt(asked, {}, minutesAfter(24 * 60));
    expect(later.orders).toHaveLength(3);
    expect(later.plan.status.lastRotation).toBeUndefined();
  });
});
