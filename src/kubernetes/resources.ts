import { API_VERSION } from './metadata.js';
import type { ObjectRef } from './object.js';

/** One kind of object as the API server's paths name it. */
export interface ResourceKind {
  /** `v1` for the core group, else `group/version`. */
  readonly apiVersion: string;
  readonly kind: string;
  /** The name in paths, in RBAC rules and in metrics. */
  readonly plural: string;
  readonly namespaced: boolean;
  /** Comes with a CustomResourceDefinition of somebody else: ask `ClusterClient.serves` before using it. */
  readonly optional?: true;
}

const namespaced = (apiVersion: string, kind: string, plural: string): ResourceKind => ({
  apiVersion,
  kind,
  plural,
  namespaced: true,
});

/**
 * Every kind that the operator touches, and no other: a typing mistake in a kind fails before it is a
 * request, and RBAC rules are generated from names that exist.
 */
export const RESOURCE_KINDS: readonly ResourceKind[] = [
  namespaced(API_VERSION, 'SignalingGateway', 'signalinggateways'),
  namespaced(API_VERSION, 'RelayPool', 'relaypools'),
  namespaced(API_VERSION, 'AccessRole', 'accessroles'),
  namespaced(API_VERSION, 'RetentionPolicy', 'retentionpolicies'),
  namespaced('v1', 'Secret', 'secrets'),
  namespaced('v1', 'ConfigMap', 'configmaps'),
  namespaced('v1', 'Service', 'services'),
  namespaced('v1', 'ServiceAccount', 'serviceaccounts'),
  namespaced('v1', 'Pod', 'pods'),
  { apiVersion: 'v1', kind: 'Namespace', plural: 'namespaces', namespaced: false },
  namespaced('events.k8s.io/v1', 'Event', 'events'),
  namespaced('apps/v1', 'Deployment', 'deployments'),
  namespaced('apps/v1', 'StatefulSet', 'statefulsets'),
  namespaced('apps/v1', 'ControllerRevision', 'controllerrevisions'),
  namespaced('networking.k8s.io/v1', 'NetworkPolicy', 'networkpolicies'),
  namespaced('networking.k8s.io/v1', 'Ingress', 'ingresses'),
  namespaced('policy/v1', 'PodDisruptionBudget', 'poddisruptionbudgets'),
  namespaced('autoscaling/v2', 'HorizontalPodAutoscaler', 'horizontalpodautoscalers'),
  namespaced('coordination.k8s.io/v1', 'Lease', 'leases'),
  { ...namespaced('cert-manager.io/v1', 'Certificate', 'certificates'), optional: true },
  {
    ...namespaced('monitoring.coreos.com/v1', 'ServiceMonitor', 'servicemonitors'),
    optional: true,
  },
  {
    ...namespaced('monitoring.coreos.com/v1', 'PrometheusRule', 'prometheusrules'),
    optional: true,
  },
];

/** Finds kinds by API version and name and writes their paths. */
export class ResourceTable {
  readonly #kinds = new Map<string, ResourceKind>();

  constructor(kinds: readonly ResourceKind[] = RESOURCE_KINDS) {
    for (const kind of kinds) this.#kinds.set(`${kind.apiVersion}/${kind.kind}`, kind);
  }

  /** @throws RangeError for a kind that is not in the table: our mistake, never the user's. */
  kindOf(apiVersion: string, kind: string): ResourceKind {
    const found = this.#kinds.get(`${apiVersion}/${kind}`);
    if (!found)
      throw new RangeError(`${apiVersion} ${kind} is not in the table of resource kinds.`);
    return found;
  }

  /** Path of one object, e.g. `/apis/apps/v1/namespaces/NS/deployments/NAME/status`. */
  pathOf(ref: ObjectRef, subresource?: string): string {
    if (ref.name === '') throw new RangeError(`A ${ref.kind} without a name has no path.`);
    const collection = this.collectionPath(ref.apiVersion, ref.kind, ref.namespace);
    const path = `${collection}/${encodeURIComponent(ref.name)}`;
    return subresource === undefined ? path : `${path}/${subresource}`;
  }

  /** Path of all objects of a kind, in one namespace or ('' or absent) everywhere. */
  collectionPath(apiVersion: string, kind: string, namespace = ''): string {
    const { plural, namespaced: inNamespace } = this.kindOf(apiVersion, kind);
    const group = groupVersionPath(apiVersion);
    if (!inNamespace || namespace === '') return `${group}/${plural}`;
    return `${group}/namespaces/${encodeURIComponent(namespace)}/${plural}`;
  }
}

/** `/api/v1` for the core group, `/apis/GROUP/VERSION` for any other. */
export function groupVersionPath(apiVersion: string): string {
  return apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
}

const table = new ResourceTable();

/** `ResourceTable.pathOf` on the closed table of kinds. */
export const pathOf = (ref: ObjectRef, subresource?: string): string =>
  table.pathOf(ref, subresource);

/** `ResourceTable.collectionPath` on the closed table of kinds. */
export const collectionPath = (apiVersion: string, kind: string, namespace?: string): string =>
  table.collectionPath(apiVersion, kind, namespace);

/** `ResourceTable.kindOf` on the closed table of kinds. */
export const kindOf = (apiVersion: string, kind: string): ResourceKind =>
  table.kindOf(apiVersion, kind);
