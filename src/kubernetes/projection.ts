import { canonicalHash } from './canonical.js';
import type { Child } from './cluster.js';
import { subtree } from './field-path.js';
import { LABEL_OWNER_UID } from './metadata.js';
import type { KubernetesObject, ObjectMeta } from './object.js';
import { refOf } from './object.js';
import { desiredPart, ownedPart } from './owned-fields.js';

/** How objects are projected. */
export interface ProjectionOptions {
  /** Whose fields `ownedHash` covers. */
  readonly fieldManager: string;
  /** Gives one copy for equal strings: labels and kinds repeat in each of thousands of objects. */
  readonly intern: (text: string) => string;
}

/** What plans read of a Deployment or a StatefulSet. */
const WORKLOAD = [
  'spec.replicas',
  'status.observedGeneration',
  'status.replicas',
  'status.readyReplicas',
  'status.updatedReplicas',
  'status.availableReplicas',
  'status.unavailableReplicas',
  'status.terminatingReplicas',
  'status.currentReplicas',
  'status.currentRevision',
  'status.updateRevision',
  'status.conditions',
];

/** Which fields of a kind plans read; all others are dropped on ingest. */
const VIEWS: Readonly<Record<string, readonly string[]>> = {
  'apps/v1/Deployment': WORKLOAD,
  'apps/v1/StatefulSet': WORKLOAD,
  'apps/v1/ControllerRevision': ['data', 'revision'],
  'v1/Service': [
    'spec.type',
    'spec.clusterIP',
    'spec.clusterIPs',
    'spec.ports',
    'status.loadBalancer',
    'status.conditions',
  ],
  'v1/Secret': ['type', 'immutable'],
  'v1/ConfigMap': ['immutable'],
  'v1/Namespace': ['status.phase'],
  'v1/Pod': ['spec.nodeName', 'status.phase', 'status.podIP', 'status.conditions'],
  'autoscaling/v2/HorizontalPodAutoscaler': [
    'spec.minReplicas',
    'spec.maxReplicas',
    'status.currentReplicas',
    'status.desiredReplicas',
    'status.conditions',
  ],
  'policy/v1/PodDisruptionBudget': [
    'status.currentHealthy',
    'status.desiredHealthy',
    'status.disruptionsAllowed',
    'status.expectedPods',
    'status.conditions',
  ],
  'networking.k8s.io/v1/Ingress': ['status.loadBalancer'],
  'cert-manager.io/v1/Certificate': [
    'spec.secretName',
    'status.conditions',
    'status.notAfter',
    'status.notBefore',
    'status.renewalTime',
    'status.revision',
  ],
};

const VIEW_PATHS: ReadonlyMap<string, readonly (readonly string[])[]> = new Map(
  Object.entries(VIEWS).map(([kind, paths]) => [kind, paths.map((path) => path.split('.'))]),
);

/** Annotations of others can be as large as the object (kubectl's last-applied); plans read only ours. */
const OUR_ANNOTATIONS = 'sallyport.dev/';

/** One empty object for the thousands that have nothing to keep. */
const NOTHING: Readonly<Record<string, never>> = Object.freeze({});

/** The projection of a managed object: what plans read of it, and the hash of what we own. */
export function projectChild(object: KubernetesObject, options: ProjectionOptions): Child {
  const { metadata } = object;
  const { intern } = options;
  const ref = refOf(object);
  const labels = interned(metadata.labels ?? {}, intern);
  const ownerUid = labels[LABEL_OWNER_UID];
  const owned = ownedPart(object, options.fieldManager);
  return {
    ref: {
      apiVersion: intern(ref.apiVersion),
      kind: intern(ref.kind),
      namespace: intern(ref.namespace),
      name: ref.name,
    },
    uid: metadata.uid ?? '',
    resourceVersion: metadata.resourceVersion ?? '',
    generation: metadata.generation ?? 0,
    ownedHash: owned === undefined ? '' : canonicalHash(owned),
    ...(ownerUid === undefined ? {} : { ownerUid }),
    labels,
    annotations: ourAnnotations(metadata.annotations, intern),
    ...optionalTimes(object, intern),
    view: viewOf(object, owned, intern),
  };
}

/**
 * A resource of ours, equal to `object` but for managedFields, which nobody reads and which are half of its size. `share`
 * gives one copy for what the lists of statuses repeat.
 */
export function projectOwn(
  object: KubernetesObject,
  share: (list: unknown) => unknown,
): KubernetesObject {
  // Not by `delete`: an object that lost a property takes several times its memory.
  const { managedFields: _, ...metadata } = object.metadata;
  const status = object['status'];
  if (!isRecord(status)) return { ...object, metadata };
  return { ...object, metadata, status: sharedLists(status, share) };
}

/** The lists of a status that are long and much the same in each resource. */
const SHARED_LISTS = ['conditions', 'effective'];

function sharedLists(
  status: Readonly<Record<string, unknown>>,
  share: (list: unknown) => unknown,
): Readonly<Record<string, unknown>> {
  const shared: Record<string, unknown> = { ...status };
  for (const name of SHARED_LISTS) if (name in shared) shared[name] = share(shared[name]);
  return shared;
}

/** The managers that own `spec.replicas` of a workload now, subresource `scale` included. */
export function replicasOwners(object: KubernetesObject): readonly string[] {
  const owners = (object.metadata.managedFields ?? [])
    .filter(({ fieldsV1 }) => {
      const spec = fieldsV1 && subtree(fieldsV1, { field: 'spec' });
      return spec !== undefined && subtree(spec, { field: 'replicas' }) !== undefined;
    })
    .map(({ manager }) => manager ?? '');
  return [...new Set(owners)].sort();
}

function viewOf(
  object: KubernetesObject,
  owned: Readonly<Record<string, unknown>> | undefined,
  intern: (text: string) => string,
): Readonly<Record<string, unknown>> {
  const id = `${object.apiVersion}/${object.kind}`;
  const paths = VIEW_PATHS.get(id);
  if (paths === undefined) return NOTHING;
  const picked = pick(object, paths);
  if (id === 'apps/v1/Deployment' || id === 'apps/v1/StatefulSet') {
    return { ...picked, replicasOwners: replicasOwners(object).map(intern) };
  }
  // Data stays out of the cache: of a Secret because it is one, of a ConfigMap because it is large.
  if (id === 'v1/Secret' || id === 'v1/ConfigMap') {
    return { ...picked, ...dataFacts(object, owned, intern), ...ownedFacts(object, owned) };
  }
  return picked;
}

/**
 * Hashes of our share of the metadata where the data cannot be planned anew from nothing, so that there is no hash of the
 * whole to compare: of a ConfigMap (a signed bundle) all of it, of a Secret (keys) its labels and owner.
 */
function ownedFacts(
  { apiVersion, kind }: KubernetesObject,
  owned: Readonly<Record<string, unknown>> | undefined,
): { readonly ownedMetadataHash?: string; readonly ownedIdentityHash?: string } {
  if (apiVersion !== 'v1' || owned === undefined) return {};
  const metadata = recordOf(owned['metadata']);
  if (kind === 'ConfigMap') return { ownedMetadataHash: canonicalHash(metadata) };
  return kind === 'Secret' ? { ownedIdentityHash: hashOfIdentity(metadata) } : {};
}

/** `ownedIdentityHash` in the view of a Secret whose labels and owner are those of `metadata`. */
export function identityHash(metadata: ObjectMeta): string {
  return hashOfIdentity(
    recordOf(desiredPart({ apiVersion: 'v1', kind: '', metadata })['metadata']),
  );
}

function hashOfIdentity({ labels, ownerReferences }: Readonly<Record<string, unknown>>): string {
  return canonicalHash({ labels: labels ?? null, ownerReferences: ownerReferences ?? null });
}

/** `ownedMetadataHash` in the view of an object that has `metadata` as we want it. */
export function metadataHash(metadata: ObjectMeta): string {
  return canonicalHash(desiredPart({ apiVersion: 'v1', kind: '', metadata })['metadata']);
}

/**
 * Names of the entries of `data` and `binaryData`, sorted, and a hash of both with their values. The hash is of our
 * share, where there is one: an entry that somebody adds stays, so it must not read as a change of ours for ever.
 */
function dataFacts(
  object: KubernetesObject,
  owned: Readonly<Record<string, unknown>> | undefined,
  intern: (text: string) => string,
): { readonly dataKeys: readonly string[]; readonly dataHash: string } {
  const names = [object['data'], object['binaryData']].flatMap((map) => Object.keys(recordOf(map)));
  const { data, binaryData } = owned ?? object;
  return {
    dataKeys: names.sort().map(intern),
    // What is untouched stands in an annotation as well.
    dataHash: intern(dataHash(recordOf(data), recordOf(binaryData))),
  };
}

/** SHA-256 over the canonical JSON of the data of a Secret or ConfigMap, base64url. */
export function dataHash(
  data: Readonly<Record<string, unknown>>,
  binaryData: Readonly<Record<string, unknown>> = {},
): string {
  return canonicalHash(Object.keys(binaryData).length === 0 ? { data } : { data, binaryData });
}

function ourAnnotations(
  annotations: Readonly<Record<string, string>> | undefined,
  intern: (text: string) => string,
): Readonly<Record<string, string>> {
  const ours = Object.entries(annotations ?? {}).filter(([name]) =>
    name.startsWith(OUR_ANNOTATIONS),
  );
  if (ours.length === 0) return NOTHING;
  return Object.fromEntries(ours.map(([name, value]) => [name, intern(value)]));
}

function optionalTimes(
  { metadata }: KubernetesObject,
  intern: (text: string) => string,
): Pick<Child, 'creationTimestamp' | 'deletionTimestamp'> {
  const { creationTimestamp, deletionTimestamp } = metadata;
  return {
    ...(creationTimestamp === undefined ? {} : { creationTimestamp: intern(creationTimestamp) }),
    ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
  };
}

function interned(
  labels: Readonly<Record<string, string>>,
  intern: (text: string) => string,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(labels).map(([name, value]) => [intern(name), intern(value)]),
  );
}

function pick(
  object: KubernetesObject,
  paths: readonly (readonly string[])[],
): Record<string, unknown> {
  const view: Record<string, unknown> = {};
  for (const path of paths) copyAt(object, view, path);
  return view;
}

function copyAt(
  from: Readonly<Record<string, unknown>>,
  to: Record<string, unknown>,
  [field, ...rest]: readonly string[],
): void {
  if (field === undefined || from[field] === undefined) return;
  if (rest.length === 0) {
    to[field] = from[field];
    return;
  }
  const below = recordOf(to[field]);
  copyAt(recordOf(from[field]), below, rest);
  if (Object.keys(below).length > 0) to[field] = below;
}

function recordOf(value: unknown): Record<string, unknown> {
  return isRecord(value) ? value : {};
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
