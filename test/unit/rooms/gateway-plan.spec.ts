import { describe, expect, it } from '@jest/globals';
import { aReplicatedGateway, aRetentionPolicy, aSignalingGateway } from '../../builders.js';
import {
  afterwards,
  annotated,
  condition,
  fileOf,
  minutesAfter,
  observedGateway,
  planAt,
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
    expect(planAt(asked).orders.length).toBeGreaterThan(0);
    expect(planAt(asked).plan.status.lastRotation).toBeUndefined();
  });
});
