import type { KubernetesObject, ObjectRef } from './object.js';
import { FIELD_MANAGER } from './metadata.js';
import { ownedPart } from './owned-fields.js';

/** Kinds whose replicas an autoscaler may own. */
const SCALED_KINDS: ReadonlySet<string> = new Set(['Deployment', 'StatefulSet']);

/**
 * Whether applying `desired` could drop `spec.replicas`: it does not name them, and as far as is known we own them now.
 * A field that its only owner stops applying is reset by the API server, here to 1.
 */
export function mayDropReplicas(
  desired: KubernetesObject,
  ownsReplicas: boolean | undefined,
): boolean {
  return SCALED_KINDS.has(desired.kind) && !namesReplicas(desired) && ownsReplicas !== false;
}

/** Whether our manager owns `spec.replicas` of `live`. */
export function ownsReplicas(live: KubernetesObject): boolean {
  return SCALED_KINDS.has(live.kind) && namesReplicas(ownedPart(live, FIELD_MANAGER));
}

/**
 * What the hand-over manager applies before our own apply lets go: the live count, valid for exactly this version of
 * the object, so that an autoscaler that moves at the same moment wins. Undefined when there is nothing to hand over.
 */
export function replicasHandOver(live: KubernetesObject): KubernetesObject | undefined {
  if (!ownsReplicas(live) || !namesReplicas(live)) return undefined;
  const { apiVersion, kind, metadata, spec } = live;
  return {
    apiVersion,
    kind,
    metadata: {
      name: metadata.name,
      ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
      ...(metadata.uid === undefined ? {} : { uid: metadata.uid }),
      ...(metadata.resourceVersion === undefined
        ? {}
        : { resourceVersion: metadata.resourceVersion }),
    },
    spec: { replicas: (spec as { readonly replicas: number }).replicas },
  };
}

/** Whether a kind has replicas that can be handed over. */
export function isScaled(ref: Pick<ObjectRef, 'kind'>): boolean {
  return SCALED_KINDS.has(ref.kind);
}

function namesReplicas(object: Readonly<Record<string, unknown>> | undefined): boolean {
  const spec = object?.['spec'];
  return (
    typeof spec === 'object' &&
    spec !== null &&
    typeof (spec as { readonly replicas?: unknown }).replicas === 'number'
  );
}
