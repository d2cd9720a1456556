import type { Cluster } from './cluster.js';
import type { KubernetesObject, ObjectKey, ObjectRef } from './object.js';

export interface ReconcileResult {
  /** Look again after this many milliseconds; absent: only when something happens. */
  readonly requeueAfterMs?: number | undefined;
}

/** Which keys of this controller a change of another object concerns. Pure; must not throw. */
export interface Watch {
  readonly apiVersion: string;
  readonly kind: string;
  /** `object` is the resource (own kinds) or the `view` with metadata (children), also when it was deleted. */
  keysOf(object: KubernetesObject, cluster: Cluster): readonly ObjectKey[];
}

/** What a room hands to the engine. Level-based: called with a key, it looks at the whole state and acts. */
export interface Reconciler {
  /** Name in metrics and logs (`signaling-gateway`). */
  readonly name: string;
  /** The kind of ours whose objects are the keys; absent for a controller of namespaces (keys: name = namespace). */
  readonly primary?: Pick<ObjectRef, 'apiVersion' | 'kind'>;
  /** Managed kinds and further kinds whose changes matter. Children enqueue their owner without being listed here with a function of their own. */
  readonly watches: readonly Watch[];
  reconcile(key: ObjectKey): Promise<ReconcileResult>;
}
