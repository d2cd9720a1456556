import { describe, expect, it } from '@jest/globals';
import type { ObservedGateway } from '../../../src/operator/signaling-gateway/situation.js';
import { at } from '../../hardening/pods.js';
import { aRetentionPolicy, aSignalingGateway } from '../../builders.js';
import {
  afterwards,
  annotated,
  aServingPool,
  condition,
  edited,
  fileOf,
  minutesAfter,
  objectOf,
  observedGateway,
  planAt,
} from './observed-gateway.js';

const DAYS = 60 * 24;
const PAUSE = { 'sallyport.dev/paused-until': minutesAfter(60).toISOString() };
const running = afterwards(observedGateway(aSignalingGateway(), { pools: [aServingPool()] }), {
  ready: 1,
});
const second = aServingPool({ metadata: { name: 'paris', uid: 'paris' } });
const namesOf = (observed: ObservedGateway, now?: Date) =>
  planAt(observed, {}, now).plan.apply.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
const ordersOf = (observed: ObservedGateway, now?: Date) =>
  planAt(observed, {}, now).orders.map(({ metadata }) => metadata.name);

const UNFIT: readonly [string, object][] = [
  ['an unsupported render version', { renderVersion: '9' }],
  ['an invalid spec', { allowedOrigins: ['https://*.example.com'] }],
  ['a value that breaks a rule', { leases: { lifetimeSeconds: 3600 } }],
];

describe.each(UNFIT)('a gateway that stands still for %s', (_, spec) => {
  const still = edited(running, spec);

  it('S22: has its keys and certificates renewed', () => {
    expect(ordersOf(still, minutesAfter(25 * DAYS))).toEqual([
      'edge-gateway-lease-keys',
      'edge-gateway-internal-tls',
      'edge-gateway-tls',
    ]);
  });

  it('S22: has a key revoked at once', () => {
    const kid = planAt(running).plan.status.keys![0]!.kid;
    const { orders } = planAt(annotated(still, { 'sallyport.dev/revoke': kid }));
    expect(orders).toMatchObject([{ reason: 'KeyRevoked' }]);
  });

  it('learns of new relays, and of the CAs that they chain to', () => {
    const more = { ...still, pools: [...still.pools, second] };
    expect(namesOf(more)).toEqual(['ConfigMap edge-gateway-relays']);
    expect(fileOf(more, '-relays', 'relays.json')).toMatchObject({
      pools: [{ name: 'frankfurt' }, { name: 'paris' }],
    });
    expect(at(objectOf(more, 'ConfigMap', '-relays'), 'data')).toHaveProperty(['default.crt']);
  });

  it('shows its keys and certificates in status', () => {
    const { status } = planAt(still).plan;
    expect(status.keys).toHaveLength(2);
    expect(status.certificates?.length).toBeGreaterThan(2);
  });

  it('makes nothing before it ever ran', () => {
    const fresh = edited(observedGateway(aSignalingGateway()), spec);
    expect([namesOf(fresh), ordersOf(fresh)]).toEqual([[], []]);
  });
});

describe('a gateway whose hosts are what is wrong', () => {
  it('T51: has no certificate issued for them, and the others renewed', () => {
    const still = edited(running, { hosts: ['edge-gateway-internal.default.svc'] });
    expect(ordersOf(still, minutesAfter(25 * DAYS))).toEqual([
      'edge-gateway-lease-keys',
      'edge-gateway-internal-tls',
    ]);
  });
});

describe('a paused gateway', () => {
  const paused = annotated(edited(running, { listener: { port: 8444 } }), PAUSE);

  it('lets relays in that came since, beside the policy that waits', () => {
    const more = { ...paused, pools: [...paused.pools, second] };
    expect(namesOf(more)).toEqual([
      'ConfigMap edge-gateway-relays',
      'NetworkPolicy edge-gateway-relays',
    ]);
    const policy = JSON.stringify(objectOf(more, 'NetworkPolicy', '-relays'));
    expect(policy).toContain('"app.kubernetes.io/instance":"paris"');
    expect(policy).not.toContain('8444');
  });

  it('needs no second policy while nothing of the first waits, nor when the pause is over', () => {
    const same = annotated(running, PAUSE);
    expect(namesOf(same)).not.toContain('NetworkPolicy edge-gateway-relays');
    expect(namesOf(paused, minutesAfter(61))).not.toContain('NetworkPolicy edge-gateway-relays');
  });
});

describe('a legal hold on a gateway that is held', () => {
  const hold = aRetentionPolicy({
    metadata: { name: 'case-7' },
    gateways: { names: ['edge'] },
    classes: {},
    legalHold: { until: '2026-12-31T00:00:00Z', reason: 'case 7' },
  });
  const settings = fileOf(running, '-settings', 'settings.json') as object;
  const cases: readonly [string, ObservedGateway][] = [
    ['by a pause', annotated(edited(running, { listener: { port: 8444 } }), PAUSE)],
    ['by an invalid spec', edited(running, { allowedOrigins: ['https://*.example.com'] })],
  ];

  it.each(cases)('%s asks for its settings as they are', (_, held) => {
    expect(planAt(held).settingsToRead).toBeUndefined();
    const bound = { ...held, retentionPolicies: [hold] };
    expect(planAt(bound).settingsToRead?.name).toBe('edge-gateway-settings');
    expect(planAt(bound).plan.requeueAfterMs).toBeLessThanOrEqual(30_000);
  });

  it.each(cases)('%s is in the settings, and nothing else of the spec is', (_, held) => {
    const heldSettings = JSON.stringify(settings);
    const bound = { ...held, retentionPolicies: [hold], heldSettings };
    const written = fileOf(bound, '-settings', 'settings.json') as {
      readonly retention: { readonly deletion: string; readonly legalHolds: readonly object[] };
    };
    expect(written.retention.legalHolds).toMatchObject([{ until: '2026-12-31T00:00:00Z' }]);
    expect({ ...written, retention: null }).toEqual({ ...settings, retention: null });
    expect(planAt(bound).settingsToRead).toBeUndefined();
    expect(condition(bound, 'RetentionConsistent')?.reason).toBe('LegalHold');
  });

  it.each(['', '[]', '{"version":2}'])('writes nothing into settings that read %j', (text) => {
    const [[, held]] = cases as [[string, ObservedGateway]];
    const bound = { ...held, retentionPolicies: [hold], heldSettings: text };
    expect(namesOf(bound)).not.toContain('ConfigMap edge-gateway-settings');
  });
});

describe('a gateway whose render version is written no longer', () => {
  it('falls forward to the oldest that is, and says so', () => {
    const [{ image }] = [{ image: { repository: 'registry.example.com/sallyport', tag: '0.3.0' } }];
    const renders = [
      { version: 4, image: { ...image, pullPolicy: 'IfNotPresent' } },
      { version: 3, image: { ...image, pullPolicy: 'IfNotPresent' } },
    ] as const;
    expect(planAt(running, { renders }).plan.status.renderVersion).toBe(3);
    expect(condition(running, 'UpgradePending', { renders })?.status).toBe('True');
    const pinned = edited(running, { renderVersion: '1' });
    expect(condition(pinned, 'Stalled', { renders })?.reason).toBe('RenderVersionUnsupported');
  });
});
