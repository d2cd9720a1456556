import { createHash } from 'node:crypto';

import type { KubernetesObject, ObjectMeta, OwnerReference } from './object.js';

/** Group of our kinds and prefix of our labels and annotations. */
export const GROUP = 'sallyport.dev';
/** `apiVersion` of our kinds. */
export const API_VERSION = 'sallyport.dev/v1alpha1';

/** Field manager of everything that the operator applies. */
export const FIELD_MANAGER = 'sallyport';
/** Field manager that holds `spec.replicas` for the moment in which it passes to or from an autoscaler. */
export const HANDOVER_MANAGER = 'sallyport-handover';
/** Field manager of the policy bundle's facts in a gateway's status. */
export const POLICY_MANAGER = 'sallyport-policy';

/** Kubernetes, "Recommended Labels". */
export const LABEL_NAME = 'app.kubernetes.io/name';
export const LABEL_INSTANCE = 'app.kubernetes.io/instance';
export const LABEL_COMPONENT = 'app.kubernetes.io/component';
export const LABEL_PART_OF = 'app.kubernetes.io/part-of';
export const LABEL_MANAGED_BY = 'app.kubernetes.io/managed-by';
/** UID of the resource for which an object was made; also on copies in other namespaces. */
export const LABEL_OWNER_UID = 'sallyport.dev/owner-uid';
/** Kind of the resource for which an object was made. */
export const LABEL_OWNER_KIND = 'sallyport.dev/owner-kind';
/** Namespace of the owner, on copies in other namespaces only: no owner reference may lead there. */
export const LABEL_OWNER_NAMESPACE = 'sallyport.dev/owner-namespace';

/** Until when spec changes wait, RFC 3339 (see pause.ts). */
export const ANNOTATION_PAUSED_UNTIL = 'sallyport.dev/paused-until';
/** Why, in the words of whoever paused. */
export const ANNOTATION_PAUSED_REASON = 'sallyport.dev/paused-reason';
/**
 * `"true"` on a resource and on an object of a child's name that someone else made lets the first take over the second.
 * It takes both: neither author decides about what belongs to the other.
 */
export const ANNOTATION_ADOPT = 'sallyport.dev/adopt';
/** A new token starts a rotation of keys and certificates now. */
export const ANNOTATION_ROTATE = 'sallyport.dev/rotate';
/** Id of a key to be revoked at once. */
export const ANNOTATION_REVOKE = 'sallyport.dev/revoke';
/** JSON list of the public facts of the keys in a Secret. */
export const ANNOTATION_KEYS = 'sallyport.dev/keys';
/** JSON list of the public facts of the certificates in a Secret. */
export const ANNOTATION_CERTIFICATES = 'sallyport.dev/certificates';
/** SHA-256 of a Secret's data: a change of the data is a change of the metadata. */
export const ANNOTATION_MATERIAL = 'sallyport.dev/material';
/** Render version with which an object was written (see render-pin.ts). */
export const ANNOTATION_RENDER = 'sallyport.dev/render';

/** Label selector of every object that the operator makes; the caches list and watch nothing else. */
export const MANAGED_SELECTOR = `${LABEL_MANAGED_BY}=sallyport`;

/** The longest label value that the API server takes. */
const MAX_LABEL_VALUE = 63;
const DIGEST_CHARS = 10;

/** A resource as its children's metadata needs it. */
export type Owner = Pick<KubernetesObject, 'apiVersion' | 'kind' | 'metadata'>;

export interface ChildIdentity {
  readonly name: string;
  /** What it is for: `gateway`, `relay`. */
  readonly component: string;
  /** Absent: the owner's. In another namespace there is no owner reference: the engine prunes by label. */
  readonly namespace?: string | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  /** Further labels; they never replace ours. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

/** Metadata of an object made for `owner`: name, namespace, labels, owner reference. The same for each child. */
export function childMetadata(owner: Owner, child: ChildIdentity): ObjectMeta {
  const ownNamespace = owner.metadata.namespace ?? '';
  const namespace = child.namespace ?? ownNamespace;
  const elsewhere = namespace !== ownNamespace;
  return {
    name: child.name,
    ...(namespace === '' ? {} : { namespace }),
    labels: {
      ...child.labels,
      ...podLabels(owner, child.component),
      [LABEL_MANAGED_BY]: 'sallyport',
      [LABEL_OWNER_UID]: uidOf(owner),
      [LABEL_OWNER_KIND]: owner.kind,
      ...(elsewhere ? { [LABEL_OWNER_NAMESPACE]: ownNamespace } : {}),
    },
    ...annotationsOf(child),
    ...(elsewhere ? {} : { ownerReferences: [ownerReference(owner)] }),
  };
}

/**
 * Metadata of an object of a whole namespace (its CA), which no resource owns: it lives while any resource of
 * ours is in the namespace.
 */
export function namespaceMetadata(
  child: ChildIdentity & { readonly namespace: string },
): ObjectMeta {
  return {
    name: child.name,
    namespace: child.namespace,
    labels: {
      ...child.labels,
      [LABEL_NAME]: 'sallyport',
      [LABEL_COMPONENT]: child.component,
      [LABEL_PART_OF]: 'sallyport',
      [LABEL_MANAGED_BY]: 'sallyport',
      [LABEL_OWNER_KIND]: 'Namespace',
    },
    ...annotationsOf(child),
  };
}

/** What selects the pods of one component of `owner`. Immutable in workloads, so nothing that can change is in it. */
export function selectorLabels(owner: Owner, component: string): Readonly<Record<string, string>> {
  return {
    [LABEL_NAME]: kebab(owner.kind),
    [LABEL_INSTANCE]: labelValue(owner.metadata.name),
    [LABEL_COMPONENT]: component,
  };
}

/**
 * Labels of a pod template. Without `managed-by` and owner: controllers copy a template's labels to objects of
 * their own (a StatefulSet's revisions and claims), and those are not ours.
 */
export function podLabels(owner: Owner, component: string): Readonly<Record<string, string>> {
  return { ...selectorLabels(owner, component), [LABEL_PART_OF]: 'sallyport' };
}

/** The reference that makes Kubernetes delete a child with its owner. Valid within one namespace only. */
export function ownerReference(owner: Owner): OwnerReference {
  return {
    apiVersion: owner.apiVersion,
    kind: owner.kind,
    name: owner.metadata.name,
    uid: uidOf(owner),
    controller: true,
    // A finalizer of ours would be needed for `true` to mean anything; deletion is never held up.
    blockOwnerDeletion: false,
  };
}

/** `value` as a label value: longer than 63 characters, it ends in a digest of the whole. */
export function labelValue(value: string): string {
  if (value.length <= MAX_LABEL_VALUE) return value;
  const digest = createHash('sha256').update(value).digest('hex').slice(0, DIGEST_CHARS);
  const head = value.slice(0, MAX_LABEL_VALUE - DIGEST_CHARS - 1).replace(/[^a-zA-Z0-9]+$/, '');
  return `${head}-${digest}`;
}

/** Whether a resource consents to take over foreign objects, or an object to be taken over. */
export function mayAdopt(side: Pick<KubernetesObject, 'metadata'> | undefined): boolean {
  return side?.metadata.annotations?.[ANNOTATION_ADOPT] === 'true';
}

/** `SignalingGateway` -> `signaling-gateway`. */
function kebab(kind: string): string {
  return kind.replace(/(?<=[a-z0-9])[A-Z]/g, (letter) => `-${letter}`).toLowerCase();
}

function uidOf(owner: Owner): string {
  const { uid } = owner.metadata;
  if (uid === undefined || uid === '') {
    throw new Error(
      `${owner.kind} ${owner.metadata.name} has no UID: only stored resources have children`,
    );
  }
  return uid;
}

/** An empty map is left out: the API server does not keep one. */
function annotationsOf({ annotations }: ChildIdentity): Pick<ObjectMeta, 'annotations'> {
  return annotations === undefined || Object.keys(annotations).length === 0 ? {} : { annotations };
}
