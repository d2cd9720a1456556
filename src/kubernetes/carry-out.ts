import type { Child } from './cluster.js';
import { FIELD_MANAGER, LABEL_OWNER_UID, mayAdopt } from './metadata.js';
import { refId, refOf } from './object.js';
import type { KubernetesObject } from './object.js';
import type { Plan } from './plan.js';

/** What the engine remembers of its last write of one object, or of the last time that nothing was to do. */
export interface Applied {
  readonly uid: string;
  /** Absent for objects of a namespace. */
  readonly ownerUid?: string;
  readonly desiredHash: string;
  /** `ownedHash` of the answer: what we want, as the API server keeps it. */
  readonly ownedHash: string;
  /** Drift that is left because another manager insists on it (see drift.ts). */
  readonly left?: { readonly field: string; readonly manager: string };
}

/** What to do with one planned object. */
export type ApplyDecision =
  | { readonly action: 'Nothing' }
  /** Being deleted: its end is an event, and then it is created anew. */
  | { readonly action: 'AwaitDeletion' }
  | { readonly action: 'Create' }
  /**
   * `Desired`: we want something else than before. `Drift`: somebody changed it. `Unknown`: no memory of it, so only a
   * read can tell.
   */
  | {
      readonly action: 'Update';
      readonly uid: string;
      readonly cause: 'Desired' | 'Drift' | 'Unknown';
    }
  /** It was made for another resource that still exists. */
  | { readonly action: 'Refuse'; readonly ownerUid: string };

export interface ApplyInput {
  readonly desiredHash: string;
  readonly child: Child | undefined;
  readonly applied: Applied | undefined;
  readonly ownerUid: string | undefined;
  /** Whether a resource with this UID exists. */
  readonly ownerLives: (uid: string) => boolean;
}

/** Compares what is wanted with what the cache holds; no read is needed. */
export function decideApply(input: ApplyInput): ApplyDecision {
  const { child, applied, desiredHash } = input;
  if (!child) return { action: 'Create' };
  if (child.deletionTimestamp !== undefined) return { action: 'AwaitDeletion' };
  if (belongsElsewhere(child.ownerUid, input)) {
    return { action: 'Refuse', ownerUid: child.ownerUid ?? '' };
  }
  if (child.ownedHash === desiredHash || isSettled(child, applied, desiredHash)) {
    return { action: 'Nothing' };
  }
  return { action: 'Update', uid: child.uid, cause: causeOf(child, applied) };
}

/** What to do about an object that stands where we want to create one. */
export type SeizureDecision = 'Ours' | 'Adopt' | 'Foreign' | 'AwaitDeletion';

/**
 * Decides from the live object, whose labels may have been stripped: ours is what our manager has applied, what we
 * remember, or what names our owner, and no other living resource has. Anything else is taken only when both sides
 * consent: `adopt` says that the owner does, the annotation `sallyport.dev/adopt: "true"` that the object's author does,
 * or else whoever may write a resource of ours could take any object of its namespace. Secrets are never taken: their
 * content would be replaced by keys.
 */
export function decideSeizure(
  live: KubernetesObject,
  owner: Pick<ApplyInput, 'ownerUid' | 'ownerLives'> & { readonly knownUid?: string | undefined },
  adopt: boolean,
): SeizureDecision {
  const { labels, deletionTimestamp } = live.metadata;
  if (deletionTimestamp !== undefined) return 'AwaitDeletion';
  const elsewhere = belongsElsewhere(labels?.[LABEL_OWNER_UID], owner);
  if (isOurs(live, owner) && !elsewhere) return 'Ours';
  const consents = adopt && mayAdopt(live) && live.kind !== 'Secret';
  return consents && !elsewhere ? 'Adopt' : 'Foreign';
}

/** Somebody may have taken every single field of it: then we remember its UID, or it still names its owner. */
function isOurs(
  { metadata: { uid, managedFields, ownerReferences } }: KubernetesObject,
  {
    ownerUid,
    knownUid,
  }: { readonly ownerUid: string | undefined; readonly knownUid?: string | undefined },
): boolean {
  const applied = managedFields?.some(
    (entry) => entry.manager === FIELD_MANAGER && entry.operation === 'Apply' && !entry.subresource,
  );
  const owned = ownerReferences?.some((reference) => reference.uid === ownerUid);
  return applied === true || owned === true || (uid !== undefined && uid === knownUid);
}

/** Kinds that pods need before they start, or that guard them; all others follow in a second wave. */
const FIRST: ReadonlySet<string> = new Set([
  'Secret',
  'ConfigMap',
  'ServiceAccount',
  'NetworkPolicy',
  'Service',
  'Certificate',
  'ControllerRevision',
]);
/** An autoscaler may only find a workload whose replicas are no longer ours. */
const LAST: ReadonlySet<string> = new Set(['HorizontalPodAutoscaler']);

/** `objects` in waves: within one, order does not matter and they are applied at the same time. */
export function applyWaves(
  objects: readonly KubernetesObject[],
): readonly (readonly KubernetesObject[])[] {
  const waveOf = ({ kind }: KubernetesObject): number =>
    FIRST.has(kind) ? 0 : LAST.has(kind) ? 2 : 1;
  return [0, 1, 2]
    .map((wave) => objects.filter((object) => waveOf(object) === wave))
    .filter((wave) => wave.length > 0);
}

/** Children to delete, in two parts: autoscalers before workloads are applied, all others after. */
export interface PruneDecision {
  readonly before: readonly Child[];
  readonly after: readonly Child[];
}

/**
 * What an earlier plan made and this one neither lists nor keeps. Objects without a field of ours are none of ours,
 * whatever their labels say: controllers copy labels.
 */
export function decidePrune(
  plan: Pick<Plan, 'apply' | 'keep' | 'prune'>,
  children: readonly Child[],
): PruneDecision {
  if (plan.prune === 'Nothing') return { before: [], after: [] };
  const stays = new Set([...plan.apply.map(refOf), ...plan.keep].map(refId));
  const gone = children.filter(
    (child) =>
      !stays.has(refId(child.ref)) &&
      child.ownedHash !== '' &&
      child.deletionTimestamp === undefined,
  );
  return {
    before: gone.filter((child) => LAST.has(child.ref.kind)),
    after: gone.filter((child) => !LAST.has(child.ref.kind)),
  };
}

/**
 * A resource version that no stored object has (etcd's first revision is 2 at the earliest): an apply that carries it
 * creates an absent object and is answered 409 where one exists. So creating never seizes and needs no read.
 */
export const ABSENT = '1';

/** Which object an apply means. With a version, only as it was then. */
export interface Meant {
  readonly uid: string;
  readonly resourceVersion?: string | undefined;
}

/** `object` as the body of an apply that creates it, or changes only the object that is `meant`. */
export function guarded(object: KubernetesObject, meant: Meant | undefined): KubernetesObject {
  const { uid, resourceVersion } = meant ?? { uid: undefined, resourceVersion: ABSENT };
  const guard = {
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  };
  return { ...object, metadata: { ...object.metadata, ...guard } };
}

function belongsElsewhere(
  labelled: string | undefined,
  { ownerUid, ownerLives }: Pick<ApplyInput, 'ownerUid' | 'ownerLives'>,
): boolean {
  return labelled !== undefined && labelled !== ownerUid && ownerLives(labelled);
}

/** The API server or a webhook rewrites what we send: equal to the answer of our last write is as good as equal. */
function isSettled(child: Child, applied: Applied | undefined, desiredHash: string): boolean {
  return (
    applied?.uid === child.uid &&
    applied.desiredHash === desiredHash &&
    applied.ownedHash === child.ownedHash &&
    applied.left === undefined
  );
}

function causeOf(child: Child, applied: Applied | undefined): 'Desired' | 'Drift' | 'Unknown' {
  if (applied?.uid !== child.uid) return 'Unknown';
  return applied.ownedHash === child.ownedHash && !applied.left ? 'Desired' : 'Drift';
}
