import { describe, expect, it } from '@jest/globals';
import { refId } from '../../../src/kubernetes/object.js';
import type { ObservedGateway } from '../../../src/operator/signaling-gateway/situation.js';
import { aSignalingGateway } from '../../builders.js';
import {
  afterwards,
  annotated,
  applied,
  aServingPool,
  condition,
  edited,
  kinds,
  minutesAfter,
  observedGateway,
  planAt,
  SETTINGS,
  templateOf,
} from './observed-gateway.js';

describe('a paused SignalingGateway', () => {
  const running = afterwards(observedGateway(aSignalingGateway(), { pools: [aServingPool()] }), {
    ready: 1,
  });
  const paused = annotated(edited(running, { listener: { port: 8444 } }), {
    'sallyport.dev/paused-until': minutesAfter(30).toISOString(),
    'sallyport.dev/paused-reason': 'freeze',
  });

  it('applies nothing of the spec, prunes nothing, and lists what waits', () => {
    const { plan } = planAt(paused);
    expect(plan.apply.map(({ metadata }) => metadata.name)).toEqual([
      'edge-gateway-relays',
      'edge-gateway-relays',
    ]);
    expect(kinds(plan.apply)).toEqual(['ConfigMap', 'NetworkPolicy']);
    expect(plan.prune).toBe('Nothing');
    expect(plan.status.paused).toEqual({ until: '2026-03-02T12:30:00Z', pendingChanges: true });
    expect(plan.status.plan).toContainEqual(
      expect.objectContaining({ kind: 'StatefulSet', change: 'Update', restarts: true }),
    );
  });

  it('says that nothing waits when the spec is as it was', () => {
    const again = afterwards(running, { ready: 1 });
    const same = annotated(again, paused.gateway.metadata.annotations ?? {});
    expect(planAt(same).plan.status.paused?.pendingChanges).toBe(false);
  });

  it('goes on with keys and certificates', () => {
    const later = minutesAfter(60 * 24 * 25);
    const still = annotated(running, {
      'sallyport.dev/paused-until': minutesAfter(60 * 24 * 26).toISOString(),
    });
    expect(planAt(still, {}, later).orders.map(({ type }) => type)).toContain('Leaf');
  });

  it('looks again when the pause ends, and then applies what waited', () => {
    expect(planAt(paused).plan.requeueAfterMs).toBeLessThanOrEqual(30 * 60_000);
    const { plan } = planAt(paused, {}, minutesAfter(31));
    expect(kinds(plan.apply)).toContain('StatefulSet');
    expect(plan.status.paused).toBeUndefined();
  });
});

describe('a new render version', () => {
  const renders = [
    SETTINGS.renders[0],
    {
      version: 2,
      image: { ...SETTINGS.renders[0].image, tag: '0.2.0', digest: `sha256:${'2'.repeat(64)}` },
    },
  ] as const;
  const running = afterwards(observedGateway(aSignalingGateway()), { ready: 1 });
  const image = (observed: ObservedGateway) => JSON.stringify(templateOf(observed, { renders }));

  it('changes nothing by itself, and says what it would change and restart', () => {
    expect(image(running)).toContain('0.1.0');
    expect(condition(running, 'UpgradePending', { renders })).toMatchObject({
      status: 'True',
      reason: 'RenderRecorded',
    });
    expect(planAt(running, { renders }).plan.status.plan).toEqual([
      {
        kind: 'StatefulSet',
        name: 'edge-gateway',
        change: 'Update',
        restarts: true,
        fields: expect.arrayContaining(['spec.template.spec.containers[0].image']),
      },
    ]);
  });

  it('is used by a new gateway, and by one that follows Latest', () => {
    expect(image(observedGateway(aSignalingGateway()))).toContain('0.2.0');
    expect(image(edited(running, { renderVersion: 'Latest' }))).toContain('0.2.0');
  });

  it('that this operator does not know stops changes and keeps what runs', () => {
    const unknown = edited(running, { renderVersion: '9' });
    expect(condition(unknown, 'Stalled')).toMatchObject({ reason: 'RenderVersionUnsupported' });
    const { plan } = planAt(unknown);
    expect(plan.apply.map(({ metadata }) => metadata.name)).toEqual(['edge-gateway-relays']);
    expect(plan.prune).toBe('Nothing');
    expect(plan.status.renderVersion).toBe(1);
  });
});

describe('a rollout that does not get ready', () => {
  const ready = afterwards(observedGateway(aSignalingGateway()), { ready: 1 });
  // Carried out once more, so that the good template stands as a revision.
  const good = afterwards(ready, { ready: 1 });
  const revision = good.children.find(({ ref }) => ref.kind === 'ControllerRevision');
  const stuck = afterwards(edited(good, { hardening: { appArmor: 'RuntimeDefault' } }), {
    ready: 0,
  });
  const templateAt = (observed: ObservedGateway, now: Date) =>
    JSON.stringify(templateOf(observed, {}, now));

  it('keeps the last good template as a ControllerRevision', () => {
    expect(revision?.ref.name).toMatch(/^edge-gateway-good-[0-9a-f]{10}$/);
  });

  it('has until the deadline, and is looked at then', () => {
    expect(condition(stuck, 'Stalled', {}, minutesAfter(9))?.status).toBe('False');
    expect(planAt(stuck).plan.requeueAfterMs).toBeLessThanOrEqual(600_000);
    expect(templateAt(stuck, minutesAfter(9))).toContain('appArmorProfile');
  });

  it('is replaced by the last good template after it, and says so', () => {
    const late = minutesAfter(10);
    expect(condition(stuck, 'Stalled', {}, late)).toMatchObject({
      status: 'True',
      reason: 'RolloutFailed',
      message: expect.stringContaining('put back'),
    });
    expect(templateAt(stuck, late)).not.toContain('appArmorProfile');
  });

  it('stays replaced until the spec changes, although the pods are ready again', () => {
    const { plan } = planAt(stuck, {}, minutesAfter(10));
    const failed = { ...stuck, gateway: { ...stuck.gateway, status: plan.status } };
    const back = afterwards(failed, { ready: 1 });
    expect(templateAt(back, minutesAfter(60))).not.toContain('appArmorProfile');
    expect(condition(back, 'Ready', {}, minutesAfter(60))?.status).toBe('False');
    const fixed = edited(back, { hardening: { userNamespaces: true } }, 3);
    expect(templateAt(fixed, minutesAfter(60))).toContain('hostUsers');
    expect(condition(fixed, 'Stalled', {}, minutesAfter(60))?.status).toBe('False');
  });

  it.each([
    ['a pool that is missing', { pools: [] }],
    ['a Secret that is missing', { secrets: { registry: 'Missing' as const } }],
  ])('stays replaced although the condition speaks of %s meanwhile', (_, lost) => {
    const image = { repository: 'registry.example.com/sallyport', pullSecrets: ['registry'] };
    const gateway = aSignalingGateway({ relayPools: [{ name: 'frankfurt' }], image });
    const whole = observedGateway(gateway, { pools: [aServingPool()] });
    const stands = afterwards(afterwards(whole, { ready: 1 }), { ready: 1 });
    const failing = afterwards(edited(stands, { hardening: { appArmor: 'RuntimeDefault' } }), {});
    const { plan } = planAt(failing, {}, minutesAfter(10));
    const put = plan.apply.map((object) => applied(object, { data: object['data'] }));
    const others = failing.children.filter(
      ({ ref }) => !put.some((one) => refId(one.ref) === refId(ref)),
    );
    const failed = {
      ...failing,
      children: [...others, ...put],
      gateway: { ...failing.gateway, status: plan.status },
    };
    expect(condition(failed, 'Stalled')?.reason).toBe('RolloutFailed');
    const during = planAt({ ...failed, ...lost }, {}, minutesAfter(20)).plan;
    expect(JSON.stringify(during.apply).includes('appArmorProfile')).toBe(false);
    const { status } = during;
    expect(status.conditions.find(({ type }) => type === 'Stalled')?.reason).toMatch(
      /NotFound|Missing/,
    );
    const found = { ...failed, gateway: { ...failed.gateway, status } };
    expect(templateAt(found, minutesAfter(30)).includes('appArmorProfile')).toBe(false);
    expect(condition(found, 'Stalled', {}, minutesAfter(30))?.reason).toBe('RolloutFailed');
  });
});
