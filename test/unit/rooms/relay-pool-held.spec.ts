import { describe, expect, it } from '@jest/globals';
import type { ObservedRelayPool } from '../../../src/operator/relay-pool/situation.js';
import { aRelayPool } from '../../builders.js';
import { at } from '../../hardening/pods.js';
import { applied, minutesAfter, NOON } from './observed-gateway.js';
import {
  afterCarryingOut,
  all,
  aServingGateway,
  observedPool,
  planPoolAt,
  POOL_SETTINGS,
} from './observed-relay-pool.js';

const DAYS = 60 * 24;
const PAUSE = { 'sallyport.dev/paused-until': minutesAfter(60).toISOString() };
const first = aServingGateway();
const second = aServingGateway({ metadata: { name: 'late', uid: 'late' } });
const running = afterCarryingOut(observedPool(aRelayPool(), { gateways: [first] }), all(2));

function changed(
  observed: ObservedRelayPool,
  spec: object,
  annotations: Readonly<Record<string, string>> = {},
): ObservedRelayPool {
  const { pool } = observed;
  const metadata = { ...pool.metadata, generation: 2, annotations };
  return { ...observed, pool: { ...pool, metadata, spec: { ...pool.spec, ...spec } } };
}

const namesOf = (observed: ObservedRelayPool, now?: Date) =>
  planPoolAt(observed, POOL_SETTINGS, now).plan.apply.map(
    ({ kind, metadata }) => `${kind} ${metadata.name}`,
  );
const gatewaysIn = (observed: ObservedRelayPool) => {
  const map = planPoolAt(observed).plan.apply.find(({ metadata }) =>
    metadata.name.endsWith('-relay-gateways'),
  )!;
  return JSON.parse(String(at(map, 'data', 'gateways.json'))) as {
    readonly gateways: readonly { readonly name: string; readonly leaseKeys: readonly object[] }[];
  };
};

const UNFIT: readonly [string, object][] = [
  ['an unsupported render version', { renderVersion: '7' }],
  ['an invalid spec', { peerAddresses: { denied: ['10.0.0.1/8'] } }],
];

describe.each(UNFIT)('a pool that stands still for %s', (_, spec) => {
  const still = changed(running, spec);

  it('S22: has its certificate renewed, and looks when that is due', () => {
    expect(planPoolAt(still).orders).toEqual([]);
    expect(planPoolAt(still).plan.requeueAfterMs).toBe(86_400_000);
    const { orders, plan } = planPoolAt(still, POOL_SETTINGS, minutesAfter(25 * DAYS));
    expect(orders).toMatchObject([{ type: 'Leaf', reason: 'CertificateRenewed' }]);
    expect(plan.prune).toBe('Nothing');
  });

  it('S22: learns that a key of its gateway was revoked', () => {
    expect(gatewaysIn(still).gateways[0]?.leaseKeys).toHaveLength(1);
    const { annotations } = first.leaseKeys!;
    const keys = annotations['sallyport.dev/keys']!.replace('"current"', '"revoked"');
    const other = keys.replaceAll('1'.repeat(22), '2'.repeat(22)).replace('revoked', 'current');
    const both = JSON.stringify([
      ...(JSON.parse(keys) as object[]),
      ...(JSON.parse(other) as object[]),
    ]);
    const leaseKeys = {
      ...first.leaseKeys!,
      annotations: { ...annotations, 'sallyport.dev/keys': both },
    };
    const told = gatewaysIn({ ...still, gateways: [{ ...first, leaseKeys }] });
    expect(told.gateways[0]?.leaseKeys).toMatchObject([{ kid: '2'.repeat(22) }]);
  });

  it('shows the pins of its certificate, which gateways hand on', () => {
    const without = { ...still.pool, status: { ...still.pool.status!, certificates: [] } };
    const { status } = planPoolAt({ ...still, pool: without }).plan;
    expect(status.certificates?.[0]).toMatchObject({ purpose: 'Relay' });
    expect(status.endpoints).toEqual(still.pool.status!.endpoints);
  });

  it('makes nothing before it ever ran', () => {
    const { plan, orders } = planPoolAt(changed(observedPool(aRelayPool()), spec));
    expect([plan.apply, orders]).toEqual([[], []]);
  });
});

describe('a paused pool', () => {
  const paused = changed(running, { port: 4478 }, PAUSE);

  it('reaches a gateway that came since, beside the policy that waits', () => {
    const more = { ...paused, gateways: [first, second] };
    expect(namesOf(more)).toEqual([
      'ConfigMap frankfurt-relay-gateways',
      'NetworkPolicy frankfurt-relay-gateways',
    ]);
    const [, policy] = planPoolAt(more).plan.apply;
    expect(JSON.stringify(policy)).toContain('"app.kubernetes.io/instance":"late"');
    expect(JSON.stringify(policy)).not.toContain('4478');
  });

  it('needs no second policy while nothing of the first waits, nor when the pause is over', () => {
    const name = 'NetworkPolicy frankfurt-relay-gateways';
    // Addresses are known by now, and in the policy: carried out once more, it stands.
    const stands = planPoolAt(running).plan.apply.map((object) => applied(object));
    const children = [
      ...running.children.filter(({ ref }) => ref.kind !== 'NetworkPolicy'),
      ...stands.filter(({ ref }) => ref.kind === 'NetworkPolicy'),
    ];
    expect(namesOf(changed({ ...running, children }, {}, PAUSE))).not.toContain(name);
    expect(namesOf(paused, minutesAfter(61))).not.toContain(name);
  });
});

describe('a rotate token on a pool', () => {
  it('S22: that comes too soon is said, and no rotation is shown before there is one', () => {
    const asked = changed(running, {}, { 'sallyport.dev/rotate': 'now' });
    const { status } = planPoolAt(asked).plan;
    expect(status.conditions.find(({ type }) => type === 'KeysReady')).toMatchObject({
      status: 'False',
      reason: 'NextPinTooNew',
    });
    expect(status.lastRotation).toBeUndefined();
    const { orders } = planPoolAt(asked, POOL_SETTINGS, new Date(NOON.getTime() + 86_400_000));
    expect(orders).toMatchObject([{ reason: 'RotationRequested', key: 'Next' }]);
  });
});
