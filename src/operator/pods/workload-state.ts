/* Where the pods of a Deployment or StatefulSet stand, as its controller counts them. */
import type { Child } from '../../kubernetes/cluster.js';
import type { Standing } from '../../kubernetes/conditions.js';

/** What the cache shows of the workload; zeros while there is none. */
export interface WorkloadState {
  readonly exists: boolean;
  /** Whether its controller has seen the newest template. */
  readonly observed: boolean;
  readonly wanted: number;
  readonly replicas: number;
  readonly ready: number;
  readonly updated: number;
  /** Its controller gave up on the rollout. */
  readonly deadlineExceeded: boolean;
}

/** The state of `child`, a Deployment or StatefulSet. `wanted` is absent while an autoscaler decides. */
export function workloadState(child: Child | undefined, wanted: number | undefined): WorkloadState {
  const status = recordOf(child?.view['status']);
  const spec = recordOf(child?.view['spec']);
  const conditions = Array.isArray(status['conditions']) ? status['conditions'] : [];
  return {
    exists: child !== undefined,
    observed: child !== undefined && numberOf(status['observedGeneration']) >= child.generation,
    wanted: wanted ?? numberOf(spec['replicas'], 1),
    replicas: numberOf(status['replicas']),
    ready: numberOf(status['readyReplicas']),
    updated: numberOf(status['updatedReplicas']),
    deadlineExceeded: conditions
      .map(recordOf)
      .some(({ type, reason }) => type === 'Progressing' && reason === 'ProgressDeadlineExceeded'),
  };
}

/** Where the pods stand, when nothing else is in the way. */
export function rolloutStanding(state: WorkloadState): Standing {
  const { wanted, ready, updated, observed } = state;
  const count = `${Math.min(ready, wanted)} of ${wanted} pods are ready`;
  if (!observed || updated < wanted) {
    const message = `${Math.min(updated, wanted)} of ${wanted} pods run the newest template; ${count}.`;
    return { state: 'Progressing', reason: 'RollingOut', message };
  }
  return ready >= wanted
    ? { state: 'Ready', reason: 'AllReplicasReady', message: `${count}.` }
    : { state: 'Progressing', reason: 'ReplicasNotReady', message: `${count}.` };
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
    ? (value as Readonly<Record<string, unknown>>)
    : {};
}

function numberOf(value: unknown, fallback = 0): number {
  return typeof value === 'number' ? value : fallback;
}
