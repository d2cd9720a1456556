import type { KubernetesObject, ObjectRef } from './object.js';

export type ConditionStatus = 'True' | 'False' | 'Unknown';

/** A decision about one condition. `reason` is CamelCase and from a closed list, `message` (at most 256 characters, never a secret) says what to change. */
export interface Verdict<Type extends string = string, Reason extends string = string> {
  readonly type: Type;
  readonly status: ConditionStatus;
  readonly reason: Reason;
  readonly message: string;
}

/** A condition as it stands in status (metav1.Condition). */
export interface Condition<Type extends string = string> extends Verdict<Type> {
  readonly observedGeneration: number;
  readonly lastTransitionTime: string;
}

/** What every kind of ours carries in `status`. */
export interface CommonStatus {
  readonly observedGeneration: number;
  readonly conditions: readonly Condition[];
}

/** An event to record on the resource; the recorder drops repeats. */
export interface PlannedEvent {
  readonly type: 'Normal' | 'Warning';
  /** CamelCase, closed list. */
  readonly reason: string;
  readonly note: string;
}

/**
 * What a resource needs now. The same input gives the same plan: no cluster, no clock, no log.
 * Carried out by `Cluster.carryOut`.
 */
export interface Plan<Status extends CommonStatus = CommonStatus> {
  /** Every object that should exist, whole: what is not written here is not ours. Applied in this order. */
  readonly apply: readonly KubernetesObject[];
  /** Children that stay although they are not in `apply` (key Secrets, objects of a paused resource). */
  readonly keep: readonly ObjectRef[];
  /** `Unlisted` deletes each child that is neither in `apply` nor in `keep`; `Nothing` leaves all. A resource that cannot work prunes nothing. */
  readonly prune: 'Unlisted' | 'Nothing';
  /** The whole status; written only when it differs from what stands. */
  readonly status: Status;
  readonly events: readonly PlannedEvent[];
  /** When to look again although nothing happened, in milliseconds. */
  readonly requeueAfterMs?: number;
}
