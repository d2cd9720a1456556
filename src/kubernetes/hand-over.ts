import type { Child } from './cluster.js';
import { FIELD_MANAGER } from './metadata.js';
import type { KubernetesObject } from './object.js';
import { replicasOwners } from './projection.js';

/** Kinds whose replicas an autoscaler may own. */
const SCALED_KINDS: ReadonlySet<string> = new Set(['Deployment', 'StatefulSet']);

/** What has to be known of a workload's replicas before letting go of them. */
export interface ReplicasFacts {
  readonly uid: string;
  readonly resourceVersion: string;
  readonly replicas: number | undefined;
  /** Field managers that own `spec.replicas`. */
  readonly owners: readonly string[];
}

/** The facts as the cache has them. */
export function replicasOfChild({ uid, resourceVersion, view }: Child): ReplicasFacts {
  const owners = view['replicasOwners'];
  return {
    uid,
    resourceVersion,
    replicas: specReplicas(view),
    owners: Array.isArray(owners) ? (owners as readonly string[]) : [],
  };
}

/** The facts of a live object. */
export function replicasOfLive(live: KubernetesObject): ReplicasFacts {
  const { uid = '', resourceVersion = '' } = live.metadata;
  return { uid, resourceVersion, replicas: specReplicas(live), owners: replicasOwners(live) };
}

/**
 * What the hand-over manager applies before our own apply lets go: the live count, valid for exactly this version of
 * the object, so that an autoscaler that moves at the same moment wins. Undefined when there is nothing to hand over:
 * `desired` names replicas, or we do not own them. (A field that its only owner stops applying is reset by the API
 * server, here to 1.)
 */
export function replicasHandOver(
  desired: KubernetesObject,
  { uid, resourceVersion, replicas, owners }: ReplicasFacts,
): KubernetesObject | undefined {
  const { apiVersion, kind, metadata } = desired;
  if (!SCALED_KINDS.has(kind) || specReplicas(desired) !== undefined) return undefined;
  if (replicas === undefined || !owners.includes(FIELD_MANAGER)) return undefined;
  const { name, namespace } = metadata;
  return {
    apiVersion,
    kind,
    metadata: { name, ...(namespace === undefined ? {} : { namespace }), uid, resourceVersion },
    spec: { replicas },
  };
}

function specReplicas(object: Readonly<Record<string, unknown>>): number | undefined {
  const spec = object['spec'];
  if (typeof spec !== 'object' || spec === null) return undefined;
  const { replicas } = spec as { readonly replicas?: unknown };
  return typeof replicas === 'number' ? replicas : undefined;
}
