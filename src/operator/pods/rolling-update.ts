/*
 * One relay is replaced at a time, and only while all others are ready. The StatefulSet's own rolling update
 * waits for the pod that it replaced and for no other, so the operator steps `partition` down itself: a pod gets the
 * new template when its ordinal is not below the partition. At rest the partition is above every ordinal. So an edit
 * of the template by somebody else restarts nothing before it is reverted, and no right to delete pods is needed.
 */
import type { RelayPool } from '../../kinds/relay-pool.gen.js';
import type { Child } from '../../kubernetes/cluster.js';
import { restartDigest } from './objects.js';
import { ANNOTATION_TEMPLATE, chooseTemplate, type Rollout } from './rollback.js';
import type { PodTemplate } from './shapes.js';

/** The partition that was written last: what somebody else writes into the spec is not a step of ours. */
export const ANNOTATION_PARTITION = 'sallyport.dev/partition';

/** Above every ordinal: the CRD allows 64 replicas. */
export const FROZEN = 64;

/** What a StatefulSet says about its pods. */
export interface Progress {
  /** Whether its controller has seen the last change; before, the numbers are about the one before. */
  readonly observed: boolean;
  readonly wanted: number;
  readonly exist: number;
  /** Ready for longer than `minReadySeconds`. */
  readonly available: number;
  readonly ready: number;
  /** With the newest template. */
  readonly updated: number;
  /**
   * Whether the newest template is also the one that all pods had last. With pods that have another one, the
   * newest is an older one again: a rollback.
   */
  readonly oneRevision: boolean;
}

/** The numbers in the view of a StatefulSet; zeros before there is one. */
export function progressOf(statefulSet: Child | undefined): Progress {
  const { spec, status } = (statefulSet?.view ?? {}) as WorkloadView;
  const numbers = { ...NOTHING, ...status };
  return {
    observed: statefulSet !== undefined && numbers.observedGeneration >= statefulSet.generation,
    wanted: spec?.replicas ?? 0,
    exist: numbers.replicas,
    available: numbers.availableReplicas,
    ready: numbers.readyReplicas,
    updated: numbers.updatedReplicas,
    oneRevision:
      numbers.updateRevision !== '' && numbers.currentRevision === numbers.updateRevision,
  };
}

/** Before its controller has counted. */
const NOTHING = {
  observedGeneration: 0,
  replicas: 0,
  readyReplicas: 0,
  availableReplicas: 0,
  updatedReplicas: 0,
  currentRevision: '',
  updateRevision: '',
};

export interface RolloutInput {
  readonly pool: RelayPool;
  /** What the spec asks for. */
  readonly wanted: PodTemplate;
  readonly statefulSet: Child | undefined;
  /** ControllerRevisions made for the pool. */
  readonly revisions: readonly Child[];
  readonly now: Date;
}

/** Which template to write, and how many pods may take it now. */
export interface RolloutChoice extends Rollout {
  readonly partition: number;
  /** Whether pods are still to be replaced. */
  readonly underWay: boolean;
}

/** Time for a first relay to start, be ready and stay so, beyond the drains of those that it replaces. */
const START_SECONDS = 600;

/** Decides on the template (rollback.ts) and on the next step. Same input, same choice. */
export function chooseRollout(input: RolloutInput): RolloutChoice {
  const { pool, statefulSet, now } = input;
  const progress = progressOf(statefulSet);
  const rollout = chooseTemplate({
    wanted: input.wanted,
    workload: statefulSet,
    revisions: input.revisions,
    complete: progress.observed && isComplete(progress) && isServing(progress),
    givenUp: false,
    deadlineSeconds:
      START_SECONDS + progress.wanted * (pool.spec.drain.seconds + START_MARGIN_SECONDS),
    conditions: pool.status?.conditions ?? [],
    generation: pool.metadata.generation ?? 0,
    now,
  });
  const digest = restartDigest(rollout.template);
  const partition = nextPartition(digest, statefulSet, rollout.good !== undefined);
  return {
    ...rollout,
    partition,
    annotations: { ...rollout.annotations, [ANNOTATION_PARTITION]: String(partition) },
    underWay: isUnderWay(digest, partition, statefulSet),
  };
}

/** Per relay, beside its drain: the end of the old pod, the image, the start, `minReadySeconds`. */
const START_MARGIN_SECONDS = 60;

/** Until the last step is written and seen: a pool that says Ready in between would take it back at once. */
function isUnderWay(digest: string, partition: number, statefulSet: Child | undefined): boolean {
  if (statefulSet === undefined) return false;
  const progress = progressOf(statefulSet);
  const written =
    statefulSet.annotations[ANNOTATION_TEMPLATE] === digest &&
    partitionOf(statefulSet) === partition;
  return !written || !progress.observed || !isComplete(progress);
}

function isServing({ available, wanted }: Progress): boolean {
  return wanted > 0 && available >= wanted;
}

/** `protect`: the pods that stand once were all ready, so each that is taken away serves somebody. */
function nextPartition(digest: string, statefulSet: Child | undefined, protect: boolean): number {
  if (statefulSet?.annotations[ANNOTATION_TEMPLATE] !== digest) return FROZEN;
  const last = partitionOf(statefulSet);
  const progress = progressOf(statefulSet);
  if (!progress.observed) return last;
  if (isComplete(progress)) return FROZEN;
  // Back to the template before: the pods that left it are the highest, and among them is the broken one.
  if (progress.oneRevision) return Math.min(last, progress.updated);
  // Nobody is served, or what stands never worked: there is nothing to protect by going slowly.
  if (progress.ready === 0 || !protect) return 0;
  return mayStep(progress, last) ? Math.max(0, Math.min(last, progress.wanted) - 1) : last;
}

function isComplete({ oneRevision, updated, exist }: Progress): boolean {
  return oneRevision && updated >= exist;
}

/** The pods above the partition have the new template, and every pod there is is ready. */
function mayStep({ wanted, exist, available, updated }: Progress, partition: number): boolean {
  const stepDone = updated >= wanted - Math.min(partition, wanted);
  return stepDone && exist === wanted && available >= wanted;
}

/** An annotation that is no number is an edit of somebody else: then nothing is replaced. */
function partitionOf({ annotations }: Child): number {
  const text = annotations[ANNOTATION_PARTITION] ?? '';
  return /^[0-9]{1,3}$/.test(text) ? Number(text) : FROZEN;
}

interface WorkloadView {
  readonly spec?: { readonly replicas?: number };
  readonly status?: Partial<typeof NOTHING>;
}
