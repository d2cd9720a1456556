import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { dump, loadAll } from 'js-yaml';
import type { RetentionPolicy } from '../../../src/kinds/retention-policy.gen.js';
import type { SignalingGateway } from '../../../src/kinds/signaling-gateway.gen.js';
import { retentionMark } from '../../../src/operator/pods/retention-mark.js';
import { planRetentionPolicy } from '../../../src/operator/retention-policy/plan.js';
import { policyProblem } from '../../../src/operator/retention-policy/validate.js';
import { demandsOn, mergeRetention } from '../../../src/policy/retention.js';
import { aRetentionPolicy, aSignalingGateway, CREATED } from '../../builders.js';
import { schemaOf, withDefaults } from '../../defaulting.js';
import { applied, NOON } from './observed-gateway.js';

const ROOT = join(import.meta.dirname, '../../..');
const GOLDEN = join(ROOT, 'test/golden/retention-policy');
const SAMPLES = join(ROOT, 'config/samples');
const files = readdirSync(SAMPLES).filter((file) => file.startsWith('retention-'));
const DAY = 86_400;
const edge = aSignalingGateway();

function sample(file: string): RetentionPolicy {
  const [document] = loadAll(readFileSync(join(SAMPLES, file), 'utf8')) as [RetentionPolicy];
  const { name } = document.metadata;
  const metadata = { name, namespace: 'default', generation: 1, creationTimestamp: CREATED };
  return { ...(withDefaults(schemaOf('RetentionPolicy'), document) as RetentionPolicy), metadata };
}

/** The settings of `gateway` as its room writes them for these policies. */
function settingsOf(gateway: SignalingGateway, policies: readonly RetentionPolicy[]) {
  const annotations = retentionMark(mergeRetention(demandsOn(gateway, policies, NOON)));
  const name = `${gateway.metadata.name}-gateway-settings`;
  return applied({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, annotations } });
}

const planOf = (
  policy: RetentionPolicy,
  policies: readonly RetentionPolicy[] = [policy],
  gateways: readonly SignalingGateway[] = [edge],
  written: readonly RetentionPolicy[] = policies,
) =>
  planRetentionPolicy(
    {
      policy,
      policies,
      gateways: gateways.map((gateway) => ({ gateway, settings: settingsOf(gateway, written) })),
    },
    NOON,
  );
const condition = (plan: ReturnType<typeof planOf>, type: string) =>
  plan.status.conditions.find((one) => one.type === type);

describe('the status of the sample policies', () => {
  it.each(files)('S204: %s is that of the golden file', (file) => {
    const policy = sample(file);
    const { names = ['edge'], selector } = policy.spec.gateways;
    const labels = selector?.matchLabels ?? {};
    const gateways = names.map((name) => aSignalingGateway({ metadata: { name, labels } }));
    const text = dump(planOf(policy, [policy], gateways).status, { lineWidth: 120, noRefs: true });
    const golden = join(GOLDEN, file);
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(golden, text);
    expect(existsSync(golden)).toBe(true);
    expect(text).toBe(readFileSync(golden, 'utf8'));
  });

  it('has no golden file that no sample writes', () => {
    expect(readdirSync(GOLDEN).sort()).toEqual([...files].sort());
  });
});

describe('a RetentionPolicy', () => {
  const policy = aRetentionPolicy();

  it('is Ready when the settings of its gateways say so, and waits until they do', () => {
    expect(condition(planOf(policy), 'Ready')).toMatchObject({ status: 'True', reason: 'InForce' });
    expect(condition(planOf(policy, [policy], [edge], []), 'Reconciling')).toMatchObject({
      status: 'True',
      reason: 'WaitingForSettings',
    });
  });

  it('names a gateway that does not exist, and a selector that finds none', () => {
    expect(condition(planOf(policy, [policy], []), 'Stalled')?.reason).toBe('GatewayNotFound');
    const selecting = aRetentionPolicy({ gateways: { selector: { matchLabels: { tier: 'x' } } } });
    expect(condition(planOf(selecting), 'GatewaysFound')?.reason).toBe('NoGatewaySelected');
  });

  it('shows of which policy each limit comes', () => {
    const longer = aRetentionPolicy({
      metadata: { name: 'longer' },
      classes: { session: { atLeastSeconds: DAY } },
    });
    expect(planOf(policy, [policy, longer]).status.effective).toEqual([
      {
        gateway: 'edge',
        class: 'session',
        atLeastSeconds: DAY,
        atLeastSource: 'longer',
        atMostSeconds: 30 * DAY,
        atMostSource: 'default',
        conflict: false,
      },
    ]);
  });

  it('S118: that contradicts another names both, and a third one is left alone', () => {
    const longer = aRetentionPolicy({
      metadata: { name: 'longer' },
      classes: { session: { atLeastSeconds: 60 * DAY } },
    });
    const third = aRetentionPolicy({
      metadata: { name: 'third' },
      classes: { account: { atMostSeconds: DAY } },
    });
    const all = [policy, longer, third];
    for (const one of [policy, longer]) {
      const conflict = condition(planOf(one, all), 'RetentionConflict');
      expect(conflict).toMatchObject({ status: 'True', reason: 'RetentionContradiction' });
      expect(conflict?.message).toMatch(/longer.*default/);
    }
    expect(condition(planOf(third, all), 'RetentionConflict')?.status).toBe('False');
  });

  it('says until when it holds, and looks again then', () => {
    const until = '2026-03-02T13:00:00Z';
    const held = aRetentionPolicy({ legalHold: { until, reason: 'Case 2027-114' } });
    expect(condition(planOf(held), 'LegalHold')).toMatchObject({
      status: 'True',
      reason: 'HoldInForce',
    });
    expect(planOf(held).requeueAfterMs).toBe(3_600_000);
    const over = aRetentionPolicy({
      legalHold: { until: '2026-03-02T12:00:00Z', reason: 'Case 2027-114' },
    });
    expect(condition(planOf(over), 'LegalHold')?.reason).toBe('HoldEnded');
  });
});

describe('T51: a RetentionPolicy that passed no schema', () => {
  it('is refused only for a reason', () => {
    expect(policyProblem(aRetentionPolicy())).toBeUndefined();
  });

  it.each([
    [
      'limits that cross',
      { classes: { session: { atLeastSeconds: 2, atMostSeconds: 1 } } },
      /exceeds/,
    ],
    [
      'names and selector',
      { gateways: { names: ['edge'], selector: { matchLabels: {} } } },
      /exactly one/,
    ],
    [
      'a line break in a reason',
      { legalHold: { until: '2027-01-01T00:00:00Z', reason: 'a\nb' } },
      /line break/,
    ],
    ['an end that is no time', { legalHold: { until: 'soon', reason: 'Case 1' } }, /no time/],
    ['a name with a step upwards', { metadata: { name: '../x' } }, /metadata.name/],
  ])('is refused for %s', (_, overrides, message) => {
    const wrong = aRetentionPolicy(overrides);
    expect(policyProblem(wrong)).toMatch(message);
  });
});
