import type { SignalingGateway } from '../../kinds/signaling-gateway.gen.js';
import type { Child } from '../../kubernetes/cluster.js';
import { canonicalHash } from '../../kubernetes/canonical.js';
import { ANNOTATION_MATERIAL, childMetadata } from '../../kubernetes/metadata.js';
import type { KubernetesObject, ObjectMeta, ObjectRef } from '../../kubernetes/object.js';
import { dataHash, metadataHash } from '../../kubernetes/projection.js';
import type { BundleRole } from '../../policy/roles.js';
import type { SignedBundle } from '../keys/bundle.js';
import { configMap } from '../pods/objects.js';

/** Serial of the bundle in the ConfigMap. */
export const ANNOTATION_SERIAL = 'sallyport.dev/bundle-serial';
/** Id of the key that signed it. */
export const ANNOTATION_KID = 'sallyport.dev/bundle-kid';
/** JSON: name of each role in the bundle, with a digest of what it says. */
export const ANNOTATION_ROLES = 'sallyport.dev/bundle-roles';

/** JSON: name of each role that is not given to everyone whom it names, with the paused role that they have. */
export const ANNOTATION_WITHHELD = 'sallyport.dev/bundle-withheld';

/** Entry of the ConfigMap, and file that the gateway reads. */
export const BUNDLE_FILE = 'bundle.json';

/** Digest of each role by name: equal digests, equal roles. */
export type RoleDigests = Readonly<Record<string, string>>;

/** What the cache shows of a bundle's ConfigMap. Data is not cached; its annotations say what was signed. */
export interface PublishedBundle {
  readonly serial: number;
  readonly kid: string;
  readonly roles: RoleDigests;
  /** By role that was not given to everyone whom it names: the paused role that they have. */
  readonly withheld: Readonly<Record<string, string>>;
  /** Whether our share of it, data and metadata, is still what was written. */
  readonly intact: boolean;
}

/** Name of the ConfigMap with the bundle of `gateway`. */
export function bundleName({ metadata }: SignalingGateway): string {
  return `${metadata.name}-gateway-policy`;
}

/** The ConfigMap with the bundle of `gateway`. */
export function bundleRef(gateway: SignalingGateway): ObjectRef {
  const { namespace = '' } = gateway.metadata;
  return { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: bundleName(gateway) };
}

/** What the annotations of a bundle's ConfigMap say about it. */
export interface BundleContent {
  readonly serial: number;
  /** As they were to be published. */
  readonly roles: readonly BundleRole[];
  readonly withheld?: Readonly<Record<string, string>>;
}

/** The ConfigMap that carries `signed` to the gateway: belongs to the gateway, mounted by its pods, in no template. */
export function bundleConfigMap(
  gateway: SignalingGateway,
  { serial, roles, withheld = {} }: BundleContent,
  signed: SignedBundle,
): KubernetesObject {
  const data = { [BUNDLE_FILE]: JSON.stringify(signed) };
  const annotations = {
    [ANNOTATION_KID]: signed.kid,
    [ANNOTATION_MATERIAL]: dataHash(data),
    [ANNOTATION_ROLES]: JSON.stringify(roleDigests(roles)),
    [ANNOTATION_SERIAL]: String(serial),
    ...(Object.keys(withheld).length === 0
      ? {}
      : { [ANNOTATION_WITHHELD]: JSON.stringify(withheld) }),
  };
  return configMap(bundleMetadata(gateway, annotations), data);
}

function bundleMetadata(gateway: SignalingGateway, annotations: Annotations): ObjectMeta {
  return childMetadata(gateway, { name: bundleName(gateway), component: 'gateway', annotations });
}

type Annotations = Readonly<Record<string, string>>;

const OURS: ReadonlySet<string> = new Set([
  ANNOTATION_KID,
  ANNOTATION_MATERIAL,
  ANNOTATION_ROLES,
  ANNOTATION_SERIAL,
  ANNOTATION_WITHHELD,
]);

/** The annotations that `bundleConfigMap` writes, as they stand. */
function ourAnnotations(annotations: Annotations): Annotations {
  return Object.fromEntries(Object.entries(annotations).filter(([name]) => OURS.has(name)));
}

/** Digest of each of `roles`. */
export function roleDigests(roles: readonly BundleRole[]): RoleDigests {
  return Object.fromEntries(roles.map((role) => [role.name, canonicalHash(role)]));
}

/** What `child` says about the bundle of `gateway` in it; undefined where there is none. */
export function publishedBundle(
  gateway: SignalingGateway,
  child: Child | undefined,
): PublishedBundle | undefined {
  if (child === undefined) return undefined;
  const { annotations, view } = child;
  const serial = Number(annotations[ANNOTATION_SERIAL]);
  const roles = parsedTexts(annotations[ANNOTATION_ROLES]);
  const material = annotations[ANNOTATION_MATERIAL];
  const metadata = bundleMetadata(gateway, ourAnnotations(annotations));
  const isOurs = view['ownedMetadataHash'] === metadataHash(metadata);
  const known = Number.isSafeInteger(serial) && serial > 0 && roles !== undefined;
  return {
    serial: known ? serial : 0,
    kid: annotations[ANNOTATION_KID] ?? '',
    roles: roles ?? {},
    withheld: withheldIn(annotations),
    intact: known && isOurs && material !== undefined && material === view['dataHash'],
  };
}

function withheldIn(annotations: Annotations): Readonly<Record<string, string>> {
  return parsedTexts(annotations[ANNOTATION_WITHHELD]) ?? {};
}

function parsedTexts(text: string | undefined): Readonly<Record<string, string>> | undefined {
  try {
    const value: unknown = JSON.parse(text ?? '');
    const isMap = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isMap && Object.values(value).every((digest) => typeof digest === 'string')
      ? (value as Readonly<Record<string, string>>)
      : undefined;
  } catch {
    return undefined;
  }
}
