import type { Child } from './cluster.js';
import { EntryPool } from './entry-pool.js';
import { API_VERSION } from './metadata.js';
import type { KubernetesObject, ObjectRef } from './object.js';
import { refOf } from './object.js';
import { projectChild, projectOwn, type ProjectionOptions } from './projection.js';
import { isOlder } from './resource-version.js';
import { StringPool } from './string-pool.js';
import { Tombstones } from './tombstones.js';

/** What a cache holds for one object: ours whole, any other projected. */
export type CachedObject =
  | { readonly own: true; readonly object: KubernetesObject }
  | { readonly own: false; readonly child: Child };

/** A change of the cache. After a recreate two come: deleted, added. */
export interface Change {
  readonly type: 'Added' | 'Updated' | 'Deleted';
  readonly ref: ObjectRef;
  readonly uid: string;
  /** As it is now; as it was last known when deleted. */
  readonly now: CachedObject;
  readonly before?: CachedObject;
  /** Deleted, but nobody saw it happen: `now` may be older than the last state. */
  readonly tombstone?: true;
}

/** The scope of one reflector: a kind, in one namespace or everywhere. */
export interface StoreScope {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string;
}

/** An object as the cache keeps it, not in the cache yet: a list is projected while it arrives. */
export interface Prepared {
  readonly ref: ObjectRef;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly cached: CachedObject;
}

type Entry = Prepared;

type Entries = Map<string, Entry>;

const NONE: readonly never[] = [];

/**
 * The objects that the reflectors know: own kinds whole, children projected. Writes of ours enter it at
 * once, so that the next pass sees them without waiting for the watch; the newer resourceVersion wins.
 */
export class Store {
  readonly #projection: ProjectionOptions;
  readonly #pool = new StringPool();
  readonly #entries = new EntryPool(this.#pool.intern);
  readonly #kinds = new Map<string, Map<string, Entries>>();
  readonly #byOwner = new Map<string, Set<Child>>();
  readonly #tombstones = new Tombstones();
  readonly #left = new Set<string>();

  constructor({ fieldManager }: { readonly fieldManager: string }) {
    this.#projection = { fieldManager, intern: this.#pool.intern };
  }

  /** A resource of ours. */
  get(ref: ObjectRef): KubernetesObject | undefined {
    const cached = this.#entry(ref)?.cached;
    return cached?.own ? cached.object : undefined;
  }

  /** All resources of one kind of ours, in one namespace or everywhere. */
  list(apiVersion: string, kind: string, namespace?: string): readonly KubernetesObject[] {
    const found: KubernetesObject[] = [];
    for (const { cached } of this.#in({ apiVersion, kind, ...optional(namespace) })) {
      if (cached.own) found.push(cached.object);
    }
    return found;
  }

  /** A managed object. */
  child(ref: ObjectRef): Child | undefined {
    const cached = this.#entry(ref)?.cached;
    return cached?.own === false ? cached.child : undefined;
  }

  /** All managed objects whose label says that they were made for the resource with this UID. */
  children(ownerUid: string): readonly Child[] {
    const found = this.#byOwner.get(ownerUid);
    return found ? [...found] : NONE;
  }

  /** All managed objects of one kind, in one namespace or everywhere. */
  childrenOfKind(apiVersion: string, kind: string, namespace?: string): readonly Child[] {
    const found: Child[] = [];
    for (const { cached } of this.#in({ apiVersion, kind, ...optional(namespace) })) {
      if (!cached.own) found.push(cached.child);
    }
    return found;
  }

  /**
   * Takes `object` in, from a watch or from the answer to a write of ours, unless something newer is known
   * about it, its deletion included.
   */
  put(object: KubernetesObject): readonly Change[] {
    const { uid = '', resourceVersion = '', namespace = '' } = object.metadata;
    if (this.#left.has(namespace) || this.#tombstones.covers(uid, resourceVersion)) return NONE;
    const known = this.#entry(refOf(object));
    if (known && !isNewer(resourceVersion, known.resourceVersion)) return NONE;
    return this.#set(this.prepare(object), known);
  }

  /** Strips and projects `object` without taking it in, so that the raw form can be forgotten. */
  prepare(object: KubernetesObject): Prepared {
    const { uid = '', resourceVersion = '' } = object.metadata;
    const cached: CachedObject =
      object.apiVersion === API_VERSION
        ? { own: true, object: projectOwn(object, (list) => this.#entries.share(list)) }
        : { own: false, child: projectChild(object, this.#projection) };
    const ref = cached.own ? refOf(object) : cached.child.ref;
    return { ref, uid, resourceVersion, cached };
  }

  /**
   * Takes out the object with this UID. `resourceVersion`: the version of the deletion, from the watch; then
   * something newer stays (the object left our selector, and a write of ours has brought it back).
   */
  remove(ref: ObjectRef, uid: string, resourceVersion?: string): readonly Change[] {
    const known = this.#entry(ref);
    const matches = known?.uid === uid;
    const version = resourceVersion ?? (matches ? known.resourceVersion : undefined);
    if (version !== undefined) this.#tombstones.add(uid, version);
    if (!known || !matches) return NONE;
    if (resourceVersion !== undefined && isOlder(resourceVersion, known.resourceVersion)) {
      this.#tombstones.remove(uid);
      return NONE;
    }
    return [this.#delete(known)];
  }

  /**
   * Makes the scope what a whole list says, at once. What a write of ours has made since the list was taken
   * stays, unless `rewound` says that the server's history went backwards (etcd was restored).
   */
  replaceAll(
    scope: StoreScope,
    objects: readonly Prepared[],
    resourceVersion: string,
    { rewound = false }: { readonly rewound?: boolean } = {},
  ): readonly Change[] {
    const listed = new Set(objects.map(({ uid }) => uid));
    const changes: Change[] = [];
    for (const entry of [...this.#in(scope)]) {
      if (listed.has(entry.uid)) continue;
      if (!rewound && isOlder(resourceVersion, entry.resourceVersion)) continue;
      this.#tombstones.add(entry.uid, resourceVersion);
      changes.push({ ...this.#delete(entry), tombstone: true });
    }
    for (const entry of objects) {
      changes.push(...(rewound ? this.#restore(entry) : this.#putPrepared(entry)));
    }
    return changes;
  }

  /** Forgets a scope that is not watched any more. Its objects live on; `tombstone` marks the changes. */
  drop(scope: StoreScope): readonly Change[] {
    const dropped = [...this.#in(scope)];
    return dropped.map((entry) => ({ ...this.#delete(entry), tombstone: true }));
  }

  /**
   * Says that nobody watches `namespace` any more. What is not dropped of it stays as last known, and is unknown rather
   * than gone; the answer to a late write of ours does not enter.
   */
  leave(namespace: string): void {
    this.#left.add(namespace);
  }

  /** Says that `namespace` is watched, again or for the first time. */
  enter(namespace: string): void {
    this.#left.delete(namespace);
  }

  /** How many objects of each kind are held and watched, by `apiVersion/Kind`. */
  sizes(): ReadonlyMap<string, number> {
    const sizes = new Map<string, number>();
    for (const [kind, namespaces] of this.#kinds) {
      let size = 0;
      for (const [namespace, entries] of namespaces) {
        if (!this.#left.has(namespace)) size += entries.size;
      }
      sizes.set(kind, size);
    }
    return sizes;
  }

  /** Identity and version of everything in a scope, for comparison with a fresh list. */
  versions(scope: StoreScope): ReadonlyMap<string, string> {
    const versions = new Map<string, string>();
    for (const { ref, uid, resourceVersion } of this.#in(scope)) {
      versions.set(`${ref.namespace}/${ref.name}`, `${uid}@${resourceVersion}`);
    }
    return versions;
  }

  #putPrepared(entry: Prepared): readonly Change[] {
    if (this.#tombstones.covers(entry.uid, entry.resourceVersion)) return NONE;
    const known = this.#entry(entry.ref);
    if (known && !isNewer(entry.resourceVersion, known.resourceVersion)) return NONE;
    return this.#set(entry, known);
  }

  #restore(entry: Prepared): readonly Change[] {
    const known = this.#entry(entry.ref);
    const same = known?.uid === entry.uid && known.resourceVersion === entry.resourceVersion;
    return same ? NONE : this.#set(entry, known);
  }

  #set(entry: Prepared, known: Entry | undefined): readonly Change[] {
    const { ref, uid, cached } = entry;
    this.#tombstones.remove(uid);
    if (known && known.uid === uid) {
      this.#unindex(known);
      this.#insert(entry);
      return [{ type: 'Updated', ref, uid, now: cached, before: known.cached }];
    }
    const gone = known ? [this.#delete(known)] : NONE;
    this.#insert(entry);
    return [...gone, { type: 'Added', ref, uid, now: cached }];
  }

  #insert(entry: Entry): void {
    const { apiVersion, kind, namespace, name } = entry.ref;
    const namespaces = getOrMake(this.#kinds, `${apiVersion}/${kind}`, newMap<Entries>);
    getOrMake(namespaces, namespace, newMap<Entry>).set(name, entry);
    const { cached } = entry;
    if (cached.own || cached.child.ownerUid === undefined) return;
    getOrMake(this.#byOwner, cached.child.ownerUid, () => new Set<Child>()).add(cached.child);
  }

  #delete(entry: Entry): Change {
    const { ref, uid, cached } = entry;
    this.#unindex(entry);
    const namespaces = this.#kinds.get(`${ref.apiVersion}/${ref.kind}`);
    const entries = namespaces?.get(ref.namespace);
    entries?.delete(ref.name);
    if (entries?.size === 0) namespaces?.delete(ref.namespace);
    return { type: 'Deleted', ref, uid, now: cached };
  }

  #unindex({ cached }: Entry): void {
    if (cached.own || cached.child.ownerUid === undefined) return;
    const siblings = this.#byOwner.get(cached.child.ownerUid);
    siblings?.delete(cached.child);
    if (siblings?.size === 0) this.#byOwner.delete(cached.child.ownerUid);
  }

  #entry({ apiVersion, kind, namespace, name }: ObjectRef): Entry | undefined {
    return this.#kinds.get(`${apiVersion}/${kind}`)?.get(namespace)?.get(name);
  }

  *#in({ apiVersion, kind, namespace }: StoreScope): Generator<Entry> {
    const namespaces = this.#kinds.get(`${apiVersion}/${kind}`);
    if (!namespaces) return;
    if (namespace !== undefined && namespace !== '') {
      yield* namespaces.get(namespace)?.values() ?? NONE;
      return;
    }
    for (const entries of namespaces.values()) yield* entries.values();
  }
}

/** Versions that cannot be compared count in the order in which they arrive. */
function isNewer(incoming: string, known: string): boolean {
  return incoming !== known && !isOlder(incoming, known);
}

function optional(namespace: string | undefined): { readonly namespace?: string } {
  return namespace === undefined ? {} : { namespace };
}

function newMap<V>(): Map<string, V> {
  return new Map<string, V>();
}

function getOrMake<V>(map: Map<string, V>, key: string, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
