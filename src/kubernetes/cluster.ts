import type { KubernetesObject, ObjectRef } from './object.js';
import type { CommonStatus, Plan } from './plan.js';

/**
 * A managed object as the cache keeps it: its identity, a hash of what we own of it, and the few fields
 * that plans read. Everything else is dropped on ingest.
 */
export interface Child {
  readonly ref: ObjectRef;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation: number;
  /** Hash of the live values at the paths that managedFields gives our manager, and of that set of paths. */
  readonly ownedHash: string;
  /** UID of the resource for which it was made (label `sallyport.dev/owner-uid`). */
  readonly ownerUid?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  /**
   * The fields that plans read, at their own place in the object (`view.status.readyReplicas`), by kind:
   * see projection.ts. Secrets never have `data` here.
   */
  readonly view: Readonly<Record<string, unknown>>;
}

/** A resource of ours (a custom resource) with its status. */
export interface Resource<
  Spec = unknown,
  Status extends CommonStatus = CommonStatus,
> extends KubernetesObject {
  readonly spec: Spec;
  readonly status?: Status;
}

/** What carrying out a plan did. */
export interface CarriedOut {
  readonly applied: readonly ObjectRef[];
  readonly pruned: readonly ObjectRef[];
  readonly failed: readonly { readonly ref: ObjectRef; readonly error: Error }[];
  readonly statusWritten: boolean;
}

/**
 * Everything that a room needs of a cluster. Reads come from the cache and cost no call, except `read`.
 * Implemented by the engine (kubernetes/engine.cluster.ts) and in memory (standalone/).
 */
export interface Cluster {
  /** A custom resource of ours from the cache, whole but for managedFields. */
  get<T extends KubernetesObject>(ref: ObjectRef): T | undefined;
  /** All cached resources of one kind of ours, in one namespace or everywhere. Do not mutate. */
  list<T extends KubernetesObject>(
    apiVersion: string,
    kind: string,
    namespace?: string,
  ): readonly T[];
  /** A managed object from the cache. */
  child(ref: ObjectRef): Child | undefined;
  /** All managed objects made for the resource with this UID. */
  children(ownerUid: string): readonly Child[];
  /** All managed objects of one kind in a namespace (or everywhere). */
  childrenOfKind(apiVersion: string, kind: string, namespace?: string): readonly Child[];
  /** Whether the API server serves this kind (Certificate, ServiceMonitor ...). */
  serves(apiVersion: string, kind: string): boolean;
  /** Reads one object by name, live: one API call. `undefined` when it does not exist. */
  read(ref: ObjectRef): Promise<KubernetesObject | undefined>;
  /**
   * Applies one object outside of a plan (key Secrets), creating or updating it, as our field manager;
   * the cache has the result when this resolves. Refuses to seize a foreign object (see carryOut).
   */
  apply(owner: KubernetesObject | undefined, object: KubernetesObject): Promise<KubernetesObject>;
  /**
   * Deletes one object of ours that no resource owns (a namespace's CA), if it still is the one with this UID. Gone
   * already is well; a foreign object that has taken its name is left.
   */
  remove(child: Child): Promise<void>;
  /**
   * Applies `status` fields that no plan writes, as a field manager of their own (policy bundles). One call, nothing
   * is compared: only for a change. @throws ApiError
   */
  applyStatus(owner: KubernetesObject, status: object, fieldManager: string): Promise<void>;
  /** Server-side apply of what differs, prune, status: see docs/engine.md. Never throws for one child. */
  carryOut<Status extends CommonStatus>(
    owner: Resource<unknown, Status>,
    plan: Plan<Status>,
  ): Promise<CarriedOut>;
}
