import type { CachedObject, Change } from '../kubernetes/store.js';
import type { Child } from '../kubernetes/cluster.js';
import { API_VERSION, FIELD_MANAGER, LABEL_OWNER_UID } from '../kubernetes/metadata.js';
import { refId, refOf } from '../kubernetes/object.js';
import type { KubernetesObject, ObjectMeta, ObjectRef } from '../kubernetes/object.js';
import { desiredHash } from '../kubernetes/owned-fields.js';
import { identityHash, metadataHash, projectChild } from '../kubernetes/projection.js';

/** Where identities and times come from. */
export interface StoreSources {
  readonly newUid: () => string;
  readonly now: () => Date;
  readonly onChange: (change: Change) => void;
}

interface Stored {
  /** As it was put, with its status. */
  readonly put: KubernetesObject;
  /** What a controller has put into its spec, as an API server does: not part of what was applied. */
  readonly assigned: object | undefined;
  /** Both together: what a reader sees. */
  readonly object: KubernetesObject;
  readonly cached: CachedObject;
}

/** Objects in memory with the bookkeeping of an API server: UID, resource version, generation, garbage collection. */
export class ObjectStore {
  readonly #sources: StoreSources;
  readonly #objects = new Map<string, Stored>();
  #version = 0;

  constructor(sources: StoreSources) {
    this.#sources = sources;
  }

  /** The whole object, or undefined. Do not mutate. */
  get(ref: ObjectRef): KubernetesObject | undefined {
    return this.#objects.get(refId(ref))?.object;
  }

  /** Everything, in the order in which it was made. */
  all(): readonly KubernetesObject[] {
    return [...this.#objects.values()].map(({ object }) => object);
  }

  /** What we have applied, as plans see it. */
  child(ref: ObjectRef): Child | undefined {
    const cached = this.#objects.get(refId(ref))?.cached;
    return cached?.own === false && cached.child.ownedHash !== '' ? cached.child : undefined;
  }

  children(): readonly Child[] {
    return [...this.#objects.values()].flatMap(({ cached }) =>
      cached.own || cached.child.ownedHash === '' ? [] : [cached.child],
    );
  }

  /**
   * Stores `object` in place of what stands under its name. The status stays; the generation grows when anything but
   * metadata and status differs. `byUs`: it counts as applied by our field manager.
   */
  put(object: KubernetesObject, byUs: boolean): KubernetesObject {
    const before = this.#objects.get(refId(refOf(object)));
    const wanted = withoutStatus(object);
    const live = before?.put;
    const next: KubernetesObject = {
      ...wanted,
      ...(live?.['status'] === undefined ? {} : { status: live['status'] }),
      metadata: {
        ...wanted.metadata,
        ...this.#identity(live),
        generation: nextGeneration(live, object),
        ...(byUs ? { managedFields: APPLIED } : {}),
      },
    };
    return this.#store({ put: next, assigned: before?.assigned }, before);
  }

  /** Adds fields to the spec of an object that nobody applied; they stay when it is put again. */
  assign(ref: ObjectRef, assigned: object): KubernetesObject | undefined {
    const before = this.#objects.get(refId(ref));
    if (!before) return undefined;
    const metadata = { ...before.put.metadata, ...this.#identity(before.put) };
    return this.#store({ put: { ...before.put, metadata }, assigned }, before);
  }

  /** Everything as it is kept on disk. */
  kept(): readonly Pick<Stored, 'put' | 'assigned'>[] {
    return [...this.#objects.values()].map(({ put, assigned }) => ({ put, assigned }));
  }

  /** Puts back what `kept` gave, with its identity, before anything else is put. */
  restore(put: KubernetesObject, assigned: object | undefined): void {
    this.#version = Math.max(this.#version, Number(put.metadata.resourceVersion ?? 0));
    this.#store({ put, assigned }, undefined);
  }

  /** Replaces the status of an object; undefined when it does not exist. */
  putStatus(ref: ObjectRef, status: object): KubernetesObject | undefined {
    const before = this.#objects.get(refId(ref));
    if (!before) return undefined;
    const metadata = { ...before.put.metadata, ...this.#identity(before.put) };
    const { assigned } = before;
    return this.#store({ put: { ...before.put, metadata, status }, assigned }, before);
  }

  /** Deletes an object and, as Kubernetes does by owner reference, everything made for it. */
  remove(ref: ObjectRef): boolean {
    const stored = this.#objects.get(refId(ref));
    if (!stored) return false;
    const uid = stored.object.metadata.uid ?? '';
    this.#objects.delete(refId(ref));
    this.#sources.onChange({ type: 'Deleted', ref, uid, now: stored.cached });
    for (const object of this.all()) {
      if (object.metadata.labels?.[LABEL_OWNER_UID] === uid) this.remove(refOf(object));
    }
    return true;
  }

  #identity(
    live: KubernetesObject | undefined,
  ): Pick<KubernetesObject['metadata'], 'uid' | 'resourceVersion' | 'creationTimestamp'> {
    this.#version += 1;
    const { now, newUid } = this.#sources;
    return {
      uid: live?.metadata.uid ?? newUid(),
      resourceVersion: String(this.#version),
      creationTimestamp: live?.metadata.creationTimestamp ?? `${now().toISOString().slice(0, 19)}Z`,
    };
  }

  #store(
    { put, assigned }: Pick<Stored, 'put' | 'assigned'>,
    before: Stored | undefined,
  ): KubernetesObject {
    const ref = refOf(put);
    const object = withAssigned(put, assigned);
    const stored = { put, assigned, object, cached: cachedOf(put, object) };
    this.#objects.set(refId(ref), stored);
    this.#sources.onChange({
      type: before ? 'Updated' : 'Added',
      ref,
      uid: object.metadata.uid ?? '',
      now: stored.cached,
      ...(before ? { before: before.cached } : {}),
    });
    return object;
  }
}

/** Marks what we have applied, as managedFields does on an API server. */
const APPLIED = [{ manager: FIELD_MANAGER, operation: 'Apply' as const }];

const PROJECTION = { fieldManager: FIELD_MANAGER, intern: (text: string): string => text };

function withAssigned(put: KubernetesObject, assigned: object | undefined): KubernetesObject {
  if (assigned === undefined) return put;
  return { ...put, spec: { ...(put['spec'] as object | undefined), ...assigned } };
}

/** `object` as it was put, and as a reader sees it. */
function cachedOf(object: KubernetesObject, seen: KubernetesObject): CachedObject {
  if (object.apiVersion === API_VERSION) return { own: true, object };
  const child = projectChild(seen, PROJECTION);
  if (object.metadata.managedFields === undefined) {
    return { own: false, child: { ...child, ownedHash: '' } };
  }
  // Nobody else writes here, so what we own is what we applied.
  const metadata = appliedMetadata(object);
  const ownedHash = desiredHash({ ...withoutStatus(object), metadata });
  return {
    own: false,
    child: { ...child, ownedHash, view: { ...child.view, ...ownedFacts(object, metadata) } },
  };
}

/** The hashes that the projection takes from managedFields on an API server: plans compare what they signed by them. */
function ownedFacts({ kind }: KubernetesObject, metadata: ObjectMeta): Child['view'] {
  if (kind === 'ConfigMap') return { ownedMetadataHash: metadataHash(metadata) };
  return kind === 'Secret' ? { ownedIdentityHash: identityHash(metadata) } : {};
}

function appliedMetadata({ metadata }: KubernetesObject): ObjectMeta {
  const { name, namespace, labels, annotations, ownerReferences } = metadata;
  return {
    name,
    ...(namespace === undefined ? {} : { namespace }),
    ...(labels === undefined ? {} : { labels }),
    ...(annotations === undefined ? {} : { annotations }),
    ...(ownerReferences === undefined ? {} : { ownerReferences }),
  };
}

function nextGeneration(live: KubernetesObject | undefined, object: KubernetesObject): number {
  if (!live) return 1;
  const { generation = 1 } = live.metadata;
  return contentHash(live) === contentHash(object) ? generation : generation + 1;
}

function contentHash(object: KubernetesObject): string {
  const rest = withoutStatus(object);
  return desiredHash({
    ...rest,
    metadata: { name: object.metadata.name },
  });
}

function withoutStatus(object: KubernetesObject): KubernetesObject {
  const copy = { ...object };
  Reflect.deleteProperty(copy, 'status');
  return copy;
}
