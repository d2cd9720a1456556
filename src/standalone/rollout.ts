/*
 * What a StatefulSet controller does, for processes: which pods to start, which to replace, and what to write into the
 * status of the workload. Pure: asked again whenever something changes, it gives the next step.
 */
import type { Pod, Workload } from './pods.js';

/** A pod that exists. */
export interface LivePod {
  readonly pod: Pod;
  readonly ready: boolean;
  /** On its way out: it is gone when its process has ended. */
  readonly stopping: boolean;
}

/** The next step of one workload. */
export interface Step {
  readonly start: readonly Pod[];
  /** Ids of pods to end; those that have a place in the workload come back with the newest template. */
  readonly stop: readonly string[];
  readonly status: WorkloadStatus;
}

/** The numbers that its rooms read. */
export interface WorkloadStatus {
  readonly observedGeneration: number;
  readonly replicas: number;
  readonly readyReplicas: number;
  readonly availableReplicas: number;
  readonly updatedReplicas: number;
  readonly currentRevision: string;
  readonly updateRevision: string;
}

/** The next step towards `workload`, given the pods that exist of it. */
export function nextStep(workload: Workload, live: readonly LivePod[]): Step {
  const byId = new Map(live.map((state) => [state.pod.id, state]));
  const wanted = new Set(workload.pods.map(({ id }) => id));
  const surplus = live.filter(({ pod, stopping }) => !wanted.has(pod.id) && !stopping);
  const old = outdated(workload, byId);
  // One at a time, the highest first, and only while the others that were replaced are ready.
  const steady = live.every(
    ({ pod, ready, stopping }) => !stopping && (ready || pod.revision !== workload.revision),
  );
  const next = steady ? old.at(-1) : undefined;
  return {
    start: workload.pods.filter(({ id }) => !byId.has(id)),
    stop: [...surplus.map(({ pod }) => pod.id), ...(next === undefined ? [] : [next])],
    status: statusOf(workload, live),
  };
}

/** Ids of pods that must get the newest template, lowest ordinal first. */
function outdated(workload: Workload, byId: ReadonlyMap<string, LivePod>): readonly string[] {
  return workload.pods
    .filter(({ id, ordinal }) => {
      const state = byId.get(id);
      const isOld = state !== undefined && state.pod.revision !== workload.revision;
      return isOld && !state.stopping && ordinal >= workload.partition;
    })
    .map(({ id }) => id);
}

function statusOf({ object, revision }: Workload, live: readonly LivePod[]): WorkloadStatus {
  const ready = live.filter((state) => state.ready && !state.stopping).length;
  const updated = live.filter(({ pod }) => pod.revision === revision);
  const other = live.find(({ pod }) => pod.revision !== revision);
  return {
    observedGeneration: object.metadata.generation ?? 0,
    replicas: live.length,
    readyReplicas: ready,
    availableReplicas: ready,
    updatedReplicas: updated.length,
    currentRevision: other?.pod.revision ?? revision,
    updateRevision: revision,
  };
}
