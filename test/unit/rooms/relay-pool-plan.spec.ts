import { describe, expect, it } from '@jest/globals';
import type { RelayPool } from '../../../src/kinds/relay-pool.gen.js';
import { ForeignObject } from '../../../src/kubernetes/child-failures.js';
import type { Plan } from '../../../src/kubernetes/plan.js';
import { poolProblem } from '../../../src/operator/relay-pool/validate.js';
import { aRelayPool } from '../../builders.js';
import { NOON } from './observed-gateway.js';
import {
  afterCarryingOut,
  all,
  aServingGateway,
  observedPool,
  planPoolAt,
  POOL_SETTINGS,
  type Counted,
} from './observed-relay-pool.js';

const condition = ({ status }: Plan, type: string) =>
  status.conditions.find((one) => one.type === type);
const namesOf = (plan: Plan, kind: string) =>
  plan.apply.filter((object) => object.kind === kind).map(({ metadata }) => metadata.name);
const statefulSetOf = (plan: Plan) => plan.apply.find(({ kind }) => kind === 'StatefulSet')!;
const partitionOf = (plan: Plan) =>
  (
    statefulSetOf(plan)['spec'] as {
      readonly updateStrategy: { readonly rollingUpdate: { readonly partition: number } };
    }
  ).updateStrategy.rollingUpdate.partition;

/** What the plan says about a pool whose objects stand and whose pods are counted so. */
const planWith = (pool: RelayPool, counted: Counted) =>
  planPoolAt(afterCarryingOut(observedPool(pool), counted)).plan;

describe('a RelayPool of three relays', () => {
  const pool = aRelayPool({ replicas: 3 });

  it('first gets its certificate, and waits for it by name', () => {
    const { orders, plan } = planPoolAt(observedPool(pool));
    expect(orders).toMatchObject([
      { type: 'Leaf', request: { usages: ['serverAuth', 'clientAuth'] } },
    ]);
    expect(condition(plan, 'Reconciling')).toMatchObject({
      status: 'True',
      reason: 'WaitingForCertificate',
      message: 'Secret frankfurt-relay-tls has no certificate yet.',
    });
  });

  it('is not ready while one relay is missing, and says how many it has', () => {
    expect(condition(planWith(pool, { ...all(3), readyReplicas: 2 }), 'Ready')).toMatchObject({
      status: 'False',
      reason: 'ReplicasNotReady',
      message: '2 of 3 relays are ready.',
    });
  });

  it('is ready with all three, and exactly one of the first three conditions is true', () => {
    const { status } = planWith(pool, all(3));
    expect(status.conditions.slice(0, 3).map(({ type, status: s }) => `${type} ${s}`)).toEqual([
      'Ready True',
      'Reconciling False',
      'Stalled False',
    ]);
  });

  it('has a Service per relay, and one for each that still drains', () => {
    const services = [
      'frankfurt-relay',
      'frankfurt-relay-0',
      'frankfurt-relay-1',
      'frankfurt-relay-2',
    ];
    expect(namesOf(planWith(pool, all(3)), 'Service')).toEqual(services);
    expect(namesOf(planWith(pool, all(4)), 'Service')).toEqual([...services, 'frankfurt-relay-3']);
  });

  it('shows a relay that is no longer wanted as draining', () => {
    const drains = afterCarryingOut(afterCarryingOut(observedPool(pool), all(4)), all(4));
    const { status } = planPoolAt(drains).plan;
    expect(status.endpoints?.filter(({ state }) => state === 'Draining')).toMatchObject([
      { replica: 3, protocol: 'UDP' },
      { replica: 3, protocol: 'TCP' },
    ]);
  });

  it('gives a relay its drain and ten seconds more', () => {
    const plan = planWith(aRelayPool({ drain: { seconds: 45 } }), all(2));
    expect(statefulSetOf(plan)).toMatchObject({
      spec: { template: { spec: { terminationGracePeriodSeconds: 55 } } },
    });
  });

  it('has requests equal to limits, so that forwarding never waits for its core', () => {
    const plan = planWith(aRelayPool({ resources: { limits: { cpu: '2' } } }), all(2));
    const { containers } = (
      statefulSetOf(plan)['spec'] as {
        readonly template: {
          readonly spec: {
            readonly containers: readonly {
              readonly resources: { readonly requests: object; readonly limits: object };
            }[];
          };
        };
      }
    ).template.spec;
    expect(containers[0]?.resources.requests).toEqual(containers[0]?.resources.limits);
  });

  it('plans the same thing twice', () => {
    const observed = afterCarryingOut(observedPool(pool), all(3));
    expect(planPoolAt(observed)).toEqual(planPoolAt(observed));
  });
});

describe('an autoscaled RelayPool', () => {
  const pool = aRelayPool({
    autoscaling: { minReplicas: 2, maxReplicas: 5, targetCpuUtilizationPercent: 60 },
  });

  it('leaves the count to its autoscaler and has a Service for each relay that may come', () => {
    const plan = planWith(pool, all(3));
    expect(statefulSetOf(plan)['spec']).not.toHaveProperty('replicas');
    expect(namesOf(plan, 'Service')).toHaveLength(6);
    expect(namesOf(plan, 'HorizontalPodAutoscaler')).toEqual(['frankfurt-relay']);
  });

  it('is ready with as many relays as the autoscaler wants now', () => {
    expect(condition(planWith(pool, all(3)), 'Ready')?.status).toBe('True');
  });
});

describe('a rollout', () => {
  const pool = aRelayPool({ replicas: 3 });
  const changed = { ...pool, spec: { ...pool.spec, drain: { seconds: 30 } } };
  /** All three were ready once; then the spec changed and was written; then the pods are counted so. */
  const during = (counted: Counted) => {
    const good = afterCarryingOut(afterCarryingOut(observedPool(pool), all(3)), all(3));
    const written = afterCarryingOut(
      { ...good, pool: { ...changed, status: good.pool.status! } },
      counted,
    );
    return planPoolAt(written).plan;
  };
  const rolling = (updated: number, change: Counted = {}) =>
    during({ ...all(3), updatedReplicas: updated, updateRevision: 'r2', ...change });

  it('starts frozen, so that the template alone restarts nothing', () => {
    const good = afterCarryingOut(afterCarryingOut(observedPool(pool), all(3)), all(3));
    expect(partitionOf(planPoolAt({ ...good, pool: changed }).plan)).toBe(64);
  });

  it('gives the new template to the last relay first', () => {
    expect(partitionOf(rolling(0))).toBe(2);
  });

  it.each([
    ['one of them is not ready', { readyReplicas: 2, availableReplicas: 2 }],
    ['one of them is ready for too short a time', { availableReplicas: 2 }],
    ['one of them is still being made', { replicas: 2 }],
  ])('does not touch another relay while %s', (_, change) => {
    expect(partitionOf(rolling(0, change))).toBe(64);
  });

  /** The same, at the end of the steps: the partition that was written last is 0. */
  const atTheEnd = (counted: Counted) => {
    const good = afterCarryingOut(afterCarryingOut(observedPool(pool), all(3)), all(3));
    const pooled = { ...good, pool: { ...changed, status: good.pool.status! } };
    const { children, ...written } = afterCarryingOut(pooled, counted);
    const stepped = children.map((child) =>
      child.ref.kind === 'StatefulSet'
        ? { ...child, annotations: { ...child.annotations, 'sallyport.dev/partition': '0' } }
        : child,
    );
    return planPoolAt({ ...written, children: stepped }).plan;
  };

  it('is frozen again when every relay has the new template', () => {
    const done = { ...all(3), currentRevision: 'r2', updateRevision: 'r2' };
    expect(partitionOf(atTheEnd(done))).toBe(64);
    expect(partitionOf(atTheEnd({ ...done, currentRevision: 'r1' }))).toBe(0);
  });

  it('takes back only the relays that left, when the template is the former one again', () => {
    expect(partitionOf(during({ ...all(3), updatedReplicas: 2, readyReplicas: 2 }))).toBe(2);
  });

  it('hurries when nobody is served anyway', () => {
    expect(partitionOf(rolling(0, { readyReplicas: 0, availableReplicas: 0 }))).toBe(0);
  });

  it('hurries when what stands never worked', () => {
    const never = { ...all(3), readyReplicas: 1, availableReplicas: 1 };
    const broken = afterCarryingOut(observedPool(pool), never);
    const written = afterCarryingOut(
      { ...broken, pool: changed },
      { ...never, updatedReplicas: 0, updateRevision: 'r2' },
    );
    expect(partitionOf(planPoolAt(written).plan)).toBe(0);
  });

  it('keeps the template that worked, and says what it is doing', () => {
    const plan = rolling(1);
    expect(namesOf(plan, 'ControllerRevision')).toHaveLength(1);
    expect(condition(plan, 'Reconciling')).toMatchObject({ status: 'True', reason: 'RollingOut' });
  });

  it('goes back to it when the new one is not ready in time, and stays there until the spec changes', () => {
    const good = afterCarryingOut(afterCarryingOut(observedPool(pool), all(3)), all(3));
    const stuck = {
      ...all(3),
      updatedReplicas: 1,
      readyReplicas: 2,
      availableReplicas: 2,
      updateRevision: 'r2',
    };
    const written = afterCarryingOut(
      { ...good, pool: { ...changed, status: good.pool.status! } },
      stuck,
    );
    const late = new Date(NOON.getTime() + 3_600_000);
    const { plan } = planPoolAt(written, POOL_SETTINGS, late);
    expect(condition(plan, 'Stalled')).toMatchObject({ status: 'True', reason: 'RolloutFailed' });
    const grace = (p: Plan) =>
      (statefulSetOf(p)['spec'] as { readonly template: { readonly spec: object } }).template.spec;
    expect(grace(plan)).toMatchObject({ terminationGracePeriodSeconds: 130 });
    const later = planPoolAt(
      { ...written, pool: { ...written.pool, status: plan.status } },
      POOL_SETTINGS,
      late,
    );
    expect(condition(later.plan, 'Stalled')?.reason).toBe('RolloutFailed');
  });
});

describe('the gateways of a pool', () => {
  const pool = aRelayPool({
    metadata: { namespace: 'relays' },
    allowedGateways: [{ name: 'edge', namespace: 'a' }],
  });
  const named = { relayPools: [{ name: 'frankfurt', namespace: 'relays' }] };
  const gatewaysIn = (plan: Plan) => {
    const map = plan.apply.find(({ metadata }) => metadata.name === 'frankfurt-relay-gateways')!;
    const file = (map['data'] as Record<string, string>)['gateways.json']!;
    return (JSON.parse(file) as { gateways: { namespace: string; name: string }[] }).gateways.map(
      ({ namespace, name }) => `${namespace}/${name}`,
    );
  };
  const seen = (...gateways: Parameters<typeof aServingGateway>[0][]) =>
    planPoolAt(observedPool(pool, { gateways: gateways.map(aServingGateway) })).plan;

  it('are those that both sides permit', () => {
    expect(gatewaysIn(seen({ metadata: { namespace: 'a' }, ...named }))).toEqual(['a/edge']);
  });

  it.each([
    ['does not name the pool', { metadata: { namespace: 'a' } }],
    ['has another name', { metadata: { namespace: 'a', name: 'other' }, ...named }],
    ['is in another namespace', { metadata: { namespace: 'b' }, ...named }],
    ['is in the namespace of the pool, which names others', { metadata: { namespace: 'relays' } }],
  ])('T51: exclude one that %s', (_, gateway) => {
    expect(gatewaysIn(seen(gateway))).toEqual([]);
  });

  it('are told apart from one that wants in and is not allowed', () => {
    const plan = seen({ metadata: { namespace: 'b', name: 'stranger' }, ...named });
    expect(condition(plan, 'GatewaysPermitted')).toMatchObject({
      status: 'False',
      reason: 'GatewayNotAllowed',
    });
    expect(condition(plan, 'GatewaysPermitted')?.message).toContain('b/stranger');
  });
});

describe('a pool that cannot work', () => {
  it('is stalled with what to write, and nothing that runs is touched', () => {
    const pool = aRelayPool({ peerAddresses: { denied: ['10.0.0.1/8'] } });
    const { plan, orders } = planPoolAt(observedPool(pool));
    expect(plan).toMatchObject({ apply: [], prune: 'Nothing' });
    expect(orders).toEqual([]);
    expect(condition(plan, 'Stalled')).toMatchObject({ status: 'True', reason: 'InvalidSpec' });
  });

  it('is stalled when it pins a render version that is no longer written', () => {
    const { plan } = planPoolAt(observedPool(aRelayPool({ renderVersion: '7' })));
    expect(condition(plan, 'Stalled')?.reason).toBe('RenderVersionUnsupported');
    expect(plan.apply).toEqual([]);
  });

  it('names a foreign Secret in the way of its certificate and makes everything else', () => {
    const ref = {
      apiVersion: 'v1',
      kind: 'Secret',
      namespace: 'default',
      name: 'frankfurt-relay-tls',
    };
    const failedOrders = [{ ref, error: new ForeignObject(ref) }];
    const { plan } = planPoolAt(observedPool(aRelayPool(), { failedOrders }));
    expect(condition(plan, 'Stalled')).toMatchObject({ status: 'True', reason: 'ForeignObject' });
    expect(namesOf(plan, 'StatefulSet')).toEqual(['frankfurt-relay']);
  });

  it('says that Service ranges are unknown, and works all the same', () => {
    const installation = { ...POOL_SETTINGS.installation, serviceCidrs: [] };
    const { plan } = planPoolAt(observedPool(aRelayPool()), { ...POOL_SETTINGS, installation });
    expect(condition(plan, 'PeerRangesKnown')).toMatchObject({
      status: 'False',
      reason: 'ServiceRangesUnknown',
    });
    expect(plan.apply.length).toBeGreaterThan(5);
  });
});

describe('T51: a pool whose spec passed no schema', () => {
  const problem = (overrides: Parameters<typeof aRelayPool>[0]) => {
    const render = {
      state: 'Render',
      version: 1,
      latest: 1,
      upgradePending: false,
      pinnedBy: 'none',
    } as const;
    return poolProblem(aRelayPool(overrides), render, POOL_SETTINGS.renders);
  };

  it('is refused only for a reason', () => {
    expect(problem({})).toBeUndefined();
  });

  it.each([
    ['a name with a step upwards', { metadata: { name: '../kube-system' } }],
    ['a region with a line break', { region: 'eu\n--insecure' }],
    ['a bind address that is an argument', { listener: { bindAddresses: ['0.0.0.0 --insecure'] } }],
    [
      'an image with another registry in its tag',
      { image: { repository: 'a/b', tag: '1@evil/x', digest: `sha256:${'0'.repeat(64)}` } },
    ],
    ['a port below 1024', { port: 53 }],
    ['the port of health and metrics', { port: 9090 }],
    ['a range that denies everybody', { peerAddresses: { denied: ['0.0.0.0/0'] } }],
    [
      'egress to everywhere',
      { networkPolicy: { extraEgress: [{ cidr: '0.0.0.0/0', ports: [{ port: 443 }] }] } },
    ],
    ['source ranges without a load balancer', { exposure: { sourceRanges: ['203.0.113.0/24'] } }],
    [
      'a soft rate above the hard one',
      { capacity: { softKbpsPerSession: 200, hardKbpsPerSession: 100 } },
    ],
    [
      'replicas beside an autoscaler',
      { replicas: 2, autoscaling: { minReplicas: 1, maxReplicas: 2 } },
    ],
    ['more relays than a partition can freeze', { replicas: 65 }],
    ['resources that are no quantity', { resources: { limits: { cpu: 'a lot' } } }],
  ])('is refused for %s', (_, overrides) => {
    const found = problem(overrides);
    expect(found).toMatchObject({ state: 'Stalled', reason: 'InvalidSpec' });
    expect(found?.message.length).toBeLessThanOrEqual(256);
  });
});
