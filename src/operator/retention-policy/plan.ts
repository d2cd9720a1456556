/*
 * What a RetentionPolicy's status says now. It has no objects of its own: its limits are in the settings of its
 * gateways, which the room of gateways writes from the same merge (src/policy/retention.ts).
 */
import type {
  RetentionPolicy,
  RetentionPolicyStatus,
  RetentionPolicyStatusEffectiveItem,
} from '../../kinds/retention-policy.gen.js';
import type { SignalingGateway } from '../../kinds/signaling-gateway.gen.js';
import type { Child } from '../../kubernetes/cluster.js';
import { commonConditions, conditionsOf, type Standing } from '../../kubernetes/conditions.js';
import type { Plan, Verdict } from '../../kubernetes/plan.js';
import {
  appliesTo,
  demandsOn,
  describeConflict,
  mergeRetention,
  RETENTION_CLASSES,
  type MergedRetention,
  type RetentionConflict,
  type RetentionDemand,
} from '../../policy/retention.js';
import {
  gatewaysFoundVerdict,
  missingGateways,
  missingMessage,
} from '../pods/gateway-selection.js';
import { carriesRetention } from '../pods/retention-mark.js';
import { policyProblem } from './validate.js';

/** Conditions of this room, after the three of kstatus. */
export type RetentionConditionType = 'GatewaysFound' | 'RetentionConflict' | 'LegalHold';

/** Reasons of this room. Closed: a dashboard may list them. */
export type RetentionReason =
  | 'InForce'
  | 'InvalidSpec'
  | 'RetentionContradiction'
  | 'GatewayNotFound'
  | 'NoGatewaySelected'
  | 'WaitingForSettings'
  | 'AllFound'
  | 'PoliciesAgree'
  | 'HoldInForce'
  | 'HoldEnded'
  | 'NoHold';

/** A gateway of the namespace with the ConfigMap of its settings. */
export interface PolicyGateway {
  readonly gateway: SignalingGateway;
  readonly settings: Child | undefined;
}

export interface ObservedRetentionPolicy {
  readonly policy: RetentionPolicy;
  /** All policies and gateways of the namespace. */
  readonly policies: readonly RetentionPolicy[];
  readonly gateways: readonly PolicyGateway[];
}

/** What the CRD lets status list. */
const MAX_GATEWAYS = 64;
const MAX_EFFECTIVE = 256;
/** A timer of more than a day is pointless: looking costs no call. */
const MAX_REQUEUE_MS = 86_400_000;

/** What the policy needs now: a status, and to be looked at again when its legal hold ends. */
export function planRetentionPolicy(
  observed: ObservedRetentionPolicy,
  now: Date,
): Plan<RetentionPolicyStatus> {
  const { policy } = observed;
  const { generation = 0 } = policy.metadata;
  const situation = situationOf(observed, now);
  const standing = standingOf(situation);
  const verdicts: readonly Verdict[] = [
    ...commonConditions(standing),
    gatewaysFoundVerdict(situation.missing, situation.applied.length),
    conflictVerdict(situation),
    holdVerdict(policy, now),
  ];
  const { applied } = situation;
  const effective = applied.flatMap(effectiveItems);
  return {
    apply: [],
    keep: [],
    prune: 'Nothing',
    status: {
      observedGeneration: generation,
      conditions: conditionsOf(policy.status?.conditions ?? [], verdicts, { generation, now }),
      ...(applied.length === 0
        ? {}
        : {
            gateways: applied
              .map(({ name, done }) => ({ name, applied: done }))
              .slice(0, MAX_GATEWAYS),
          }),
      ...(effective.length === 0 ? {} : { effective: effective.slice(0, MAX_EFFECTIVE) }),
    },
    events:
      standing.state === 'Stalled'
        ? [{ type: 'Warning', reason: standing.reason, note: standing.message }]
        : [],
    ...untilHoldEnds(policy, now),
  };
}

/** What holds on one gateway, all policies together. */
interface AppliedRetention {
  readonly name: string;
  readonly demands: readonly RetentionDemand[];
  readonly merged: MergedRetention;
  /** Whether the gateway's settings say so. */
  readonly done: boolean;
}

interface Situation {
  readonly problem: string | undefined;
  readonly missing: readonly string[];
  /** Sorted by name. */
  readonly applied: readonly AppliedRetention[];
  /** Contradictions in which this policy has a part. */
  readonly conflicts: readonly { readonly gateway: string; readonly conflict: RetentionConflict }[];
}

function situationOf(
  { policy, policies, gateways }: ObservedRetentionPolicy,
  now: Date,
): Situation {
  const known = gateways.map(({ gateway }) => gateway.metadata.name);
  const applied = gateways
    .filter(({ gateway }) => appliesTo(policy, gateway))
    .map(({ gateway, settings }) => {
      const demands = demandsOn(gateway, policies, now);
      const merged = mergeRetention(demands);
      const done = carriesRetention(settings, merged);
      return { name: gateway.metadata.name, demands, merged, done };
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const { name } = policy.metadata;
  return {
    problem: policyProblem(policy),
    missing: missingGateways(policy, known),
    applied,
    conflicts: applied.flatMap(({ name: gateway, merged }) =>
      merged.conflicts
        .filter(({ atLeast, atMost }) => [atLeast.policy, atMost.policy].includes(name))
        .map((conflict) => ({ gateway, conflict })),
    ),
  };
}

/** Most important first; the first that speaks wins. */
function standingOf({
  problem,
  conflicts,
  missing,
  applied,
}: Situation): Standing<RetentionReason> {
  if (problem !== undefined) return { state: 'Stalled', reason: 'InvalidSpec', message: problem };
  const [first] = conflicts;
  if (first !== undefined) {
    return { state: 'Stalled', reason: 'RetentionContradiction', message: conflictMessage(first) };
  }
  const waiting = applied.filter(({ done }) => !done).map(({ name }) => name);
  if (waiting.length > 0) {
    const message = `The settings of ${waiting.join(', ')} do not say so yet.`;
    return { state: 'Progressing', reason: 'WaitingForSettings', message };
  }
  if (missing.length > 0)
    return { state: 'Stalled', reason: 'GatewayNotFound', message: missingMessage(missing) };
  const message = `In the settings of ${applied.length} gateway(s).`;
  return { state: 'Ready', reason: 'InForce', message };
}

function conflictVerdict({
  conflicts,
}: Situation): Verdict<RetentionConditionType, RetentionReason> {
  const type = 'RetentionConflict';
  const [first] = conflicts;
  if (first === undefined) {
    const message = 'All policies on its gateways can be obeyed together.';
    return { type, status: 'False', reason: 'PoliciesAgree', message };
  }
  return {
    type,
    status: 'True',
    reason: 'RetentionContradiction',
    message: conflictMessage(first),
  };
}

function holdVerdict(
  { spec: { legalHold } }: RetentionPolicy,
  now: Date,
): Verdict<RetentionConditionType, RetentionReason> {
  const type = 'LegalHold';
  if (legalHold === undefined) {
    return { type, status: 'False', reason: 'NoHold', message: 'Nothing is held.' };
  }
  const { until, reason } = legalHold;
  if (Date.parse(until) <= now.getTime()) {
    const message = `The hold ended at ${until}; deletion goes on. Remove spec.legalHold.`;
    return { type, status: 'False', reason: 'HoldEnded', message };
  }
  const message = `Nothing is deleted on these gateways until ${until}: ${reason}`;
  return { type, status: 'True', reason: 'HoldInForce', message };
}

function effectiveItems({
  name,
  demands,
  merged,
}: AppliedRetention): readonly RetentionPolicyStatusEffectiveItem[] {
  return RETENTION_CLASSES.flatMap((dataClass) => {
    const bounds = merged.classes[dataClass];
    if (bounds === undefined) return [];
    const { atLeastSeconds, atMostSeconds } = bounds;
    const source = (side: 'atLeastSeconds' | 'atMostSeconds', value: number) =>
      demands
        .filter((demand) => demand.classes[dataClass]?.[side] === value)
        .map((d) => d.name)
        .sort()[0];
    const least =
      atLeastSeconds === undefined ? undefined : source('atLeastSeconds', atLeastSeconds);
    const most = atMostSeconds === undefined ? undefined : source('atMostSeconds', atMostSeconds);
    return [
      {
        gateway: name,
        class: dataClass,
        ...(atLeastSeconds === undefined ? {} : { atLeastSeconds }),
        ...(least === undefined ? {} : { atLeastSource: least }),
        ...(atMostSeconds === undefined ? {} : { atMostSeconds }),
        ...(most === undefined ? {} : { atMostSource: most }),
        conflict: merged.conflicts.some((conflict) => conflict.class === dataClass),
      },
    ];
  });
}

function conflictMessage({ gateway, conflict }: Situation['conflicts'][number]): string {
  return `On ${gateway}: ${describeConflict(conflict)}`;
}

function untilHoldEnds(
  { spec: { legalHold } }: RetentionPolicy,
  now: Date,
): { readonly requeueAfterMs?: number } {
  const waitMs = Date.parse(legalHold?.until ?? '') - now.getTime();
  return waitMs > 0 ? { requeueAfterMs: Math.min(waitMs, MAX_REQUEUE_MS) } : {};
}
