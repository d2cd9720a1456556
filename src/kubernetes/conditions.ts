import type { Condition, Verdict } from './plan.js';

/** The longest condition message; longer ones are cut with an ellipsis. */
export const MAX_MESSAGE_CHARS = 256;

/** `Ready`, `Reconciling` and `Stalled` as kstatus reads them, then what the engine itself can say. */
export type CommonConditionType =
  'Ready' | 'Reconciling' | 'Stalled' | 'DriftDetected' | 'Paused' | 'UpgradePending';

/** Why a resource works. */
export type ReadyReason = 'AllReplicasReady' | 'Applied';

/** Why it does not work yet, although nobody has to do anything. */
export type ProgressingReason =
  | 'ReplicasNotReady'
  | 'RollingOut'
  | 'RotatingKeys'
  | 'WaitingForAddress'
  | 'WaitingForCertificate'
  | 'WaitingForKeys'
  | 'ApplyFailed';

/** Why it does not work until somebody changes something. */
export type StalledReason =
  | 'ForeignObject'
  | 'ObjectRejected'
  | 'ObjectForbidden'
  | 'InvalidSpec'
  | 'InvalidEffectiveValue'
  | 'ImageNotAllowed'
  | 'SecretMissing'
  | 'SecretInvalid'
  | 'SecretUnreadable'
  | 'RolloutFailed'
  | 'RenderVersionUnsupported'
  | 'ApiNotServed'
  | 'CrdOutdated'
  | 'GatewayNotAllowed'
  | 'PoolNotFound'
  | 'PolicyConflict'
  | 'RetentionContradiction';

/** Reasons of `DriftDetected`. */
export type DriftReason = 'NoDrift' | 'DriftRepaired' | 'FightDetected';
/** Reasons of `Paused`. */
export type PauseReason = 'NotPaused' | 'PausedByAnnotation' | 'PauseExpired' | 'PauseInvalid';
/** Reasons of `UpgradePending`. */
export type UpgradeReason = 'UpToDate' | 'RenderPinned' | 'RenderRecorded';

/** Every reason of the conditions that all kinds have. Closed: a dashboard may list it. */
export type CommonReason =
  ReadyReason | ProgressingReason | StalledReason | DriftReason | PauseReason | UpgradeReason;

/** Where a resource stands, in the one word that a room decides; `commonConditions` says it in three conditions. */
export type Standing<Reason extends string = CommonReason> =
  | { readonly state: 'Ready'; readonly reason: Reason; readonly message: string }
  | { readonly state: 'Progressing'; readonly reason: Reason; readonly message: string }
  | { readonly state: 'Stalled'; readonly reason: Reason; readonly message: string };

/** When and for which generation a verdict holds. */
export interface DecidedAt {
  readonly generation: number;
  readonly now: Date;
}

/**
 * `Ready`, `Reconciling`, `Stalled` for `standing`, in this order. kstatus: `Stalled=True` is Failed, `Reconciling=True`
 * is InProgress, and Current only without both; so exactly one of the three is True.
 */
export function commonConditions<Reason extends string>(
  standing: Standing<Reason>,
): readonly Verdict<'Ready' | 'Reconciling' | 'Stalled', Reason>[] {
  const { state, reason } = standing;
  const message = truncateMessage(standing.message);
  const of = <Type extends 'Ready' | 'Reconciling' | 'Stalled'>(
    type: Type,
    holds: boolean,
  ): Verdict<Type, Reason> => ({ type, status: holds ? 'True' : 'False', reason, message });
  return [
    of('Ready', state === 'Ready'),
    of('Reconciling', state === 'Progressing'),
    of('Stalled', state === 'Stalled'),
  ];
}

/**
 * Returns `conditions` with `verdict` in its place: same order, and the same transition time while `status` holds, so
 * that reconciling twice never writes twice.
 */
export function setCondition(
  conditions: readonly Condition[],
  verdict: Verdict,
  at: DecidedAt,
): readonly Condition[] {
  const previous = conditions.find((condition) => condition.type === verdict.type);
  const next = decided(previous, verdict, at);
  return previous
    ? conditions.map((condition) => (condition === previous ? next : condition))
    : [...conditions, next];
}

/**
 * The conditions of a status: one per verdict in the verdicts' order, each with the transition time that `previous` has
 * for it while its status holds. What no verdict names is gone.
 */
export function conditionsOf(
  previous: readonly Condition[],
  verdicts: readonly Verdict[],
  at: DecidedAt,
): readonly Condition[] {
  return verdicts.map((verdict) =>
    decided(
      previous.find((condition) => condition.type === verdict.type),
      verdict,
      at,
    ),
  );
}

/** `message` cut to what a condition may hold. */
export function truncateMessage(message: string): string {
  const chars = Array.from(message);
  return chars.length <= MAX_MESSAGE_CHARS
    ? message
    : `${chars.slice(0, MAX_MESSAGE_CHARS - 1).join('')}…`;
}

function decided(previous: Condition | undefined, verdict: Verdict, at: DecidedAt): Condition {
  return {
    type: verdict.type,
    status: verdict.status,
    reason: verdict.reason,
    message: truncateMessage(verdict.message),
    observedGeneration: at.generation,
    lastTransitionTime:
      previous?.status === verdict.status ? previous.lastTransitionTime : timestamp(at.now),
  };
}

/** RFC 3339 in whole seconds, as metav1.Time is stored: anything finer would differ from what is read back. */
export function timestamp(instant: Date): string {
  return `${instant.toISOString().slice(0, 19)}Z`;
}
