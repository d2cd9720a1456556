import type { Child, Cluster } from './cluster.js';
import { GROUP } from './metadata.js';
import type { KubernetesObject, ObjectKey, ObjectRef } from './object.js';
import { refOf } from './object.js';
import type { Reconciler } from './reconciler.js';
import type { ResourceKind } from './resources.js';
import type { CachedObject, Change } from './store.js';

/** Which key of which controller a change concerns. */
export interface Route {
  readonly controller: string;
  readonly key: ObjectKey;
}

/** Finds the owners of objects by UID and the keys that a change concerns. Fed with every change, in order. */
export class ChangeRoutes {
  readonly #reconcilers: readonly Reconciler[];
  readonly #owners = new Map<string, ObjectRef>();

  constructor(reconcilers: readonly Reconciler[]) {
    this.#reconcilers = reconcilers;
  }

  /** Whether a resource of ours with this UID is in the cache. */
  ownerLives(uid: string): boolean {
    return this.#owners.has(uid);
  }

  /** Notes owners that come and go. Before `of`, for each change. */
  note({ type, ref, uid, now }: Change): void {
    if (!now.own) return;
    if (type === 'Deleted') this.#owners.delete(uid);
    else this.#owners.set(uid, ref);
  }

  /** The keys that `change` concerns: the resource itself, the owner of a child, and what watches say. */
  of(change: Change, cluster: Cluster): readonly Route[] {
    const routes = [...this.#direct(change), ...this.#watched(change, cluster)];
    const seen = new Set<string>();
    return routes.filter(({ controller, key }) => {
      const id = `${controller}/${key.namespace}/${key.name}`;
      return !seen.has(id) && seen.add(id);
    });
  }

  #direct({ ref, now, before }: Change): readonly Route[] {
    if (now.own) return this.#primary(ref);
    // A stripped label: the owner that it named before puts it back.
    const uids = [now.child.ownerUid, before && !before.own ? before.child.ownerUid : undefined];
    return uids.flatMap((uid) => {
      const owner = uid === undefined ? undefined : this.#owners.get(uid);
      return owner ? this.#primary(owner) : [];
    });
  }

  #primary(ref: ObjectRef): readonly Route[] {
    return this.#reconcilers
      .filter(({ primary }) => primary?.apiVersion === ref.apiVersion && primary.kind === ref.kind)
      .map(({ name }) => ({ controller: name, key: { namespace: ref.namespace, name: ref.name } }));
  }

  #watched({ ref, now }: Change, cluster: Cluster): readonly Route[] {
    return this.#reconcilers.flatMap(({ name, watches }) =>
      watches
        .filter(({ apiVersion, kind }) => apiVersion === ref.apiVersion && kind === ref.kind)
        .flatMap((watch) => watch.keysOf(cachedObject(now), cluster))
        .map((key) => ({ controller: name, key: { namespace: key.namespace, name: key.name } })),
    );
  }
}

/** What watches see: a resource of ours whole, any other as its view with metadata. */
export function cachedObject(cached: CachedObject): KubernetesObject {
  return cached.own ? cached.object : childObject(cached.child);
}

function childObject(child: Child): KubernetesObject {
  const { ref, uid, resourceVersion, generation, labels, annotations, view } = child;
  const { creationTimestamp, deletionTimestamp } = child;
  return {
    ...view,
    apiVersion: ref.apiVersion,
    kind: ref.kind,
    metadata: {
      name: ref.name,
      ...(ref.namespace === '' ? {} : { namespace: ref.namespace }),
      uid,
      resourceVersion,
      generation,
      labels,
      annotations,
      ...(creationTimestamp === undefined ? {} : { creationTimestamp }),
      ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
    },
  };
}

/** Every key of `reconciler` that the cache knows. */
export function allKeys(reconciler: Reconciler, cluster: Cluster): readonly ObjectKey[] {
  const { primary, watches } = reconciler;
  if (primary) return cluster.list(primary.apiVersion, primary.kind).map(keyOf);
  return watches.flatMap((watch) =>
    cluster.list(watch.apiVersion, watch.kind).flatMap((object) => watch.keysOf(object, cluster)),
  );
}

function keyOf(object: KubernetesObject): ObjectKey {
  const { namespace, name } = refOf(object);
  return { namespace, name };
}

/** Kinds that are watched only when a reconciler names them; of these we have no children. */
const ON_REQUEST: ReadonlySet<string> = new Set(['Namespace', 'Pod', 'Event', 'Lease']);

/**
 * The kinds of `table` to keep in the cache: those that reconcilers name, and every kind that can be a child. A child
 * that is not watched would be created anew in each pass.
 */
export function watchedKinds(
  table: readonly ResourceKind[],
  reconcilers: readonly Reconciler[],
): readonly ResourceKind[] {
  const named = reconcilers.flatMap(({ primary, watches }) => [
    ...(primary ? [primary] : []),
    ...watches,
  ]);
  return table.filter(({ apiVersion, kind }) => {
    const isNamed = named.some((one) => one.kind === kind && one.apiVersion === apiVersion);
    return isNamed || !(apiVersion.startsWith(`${GROUP}/`) || ON_REQUEST.has(kind));
  });
}

/**
 * Whether the answer to a write of ours holds something that we did not write and that plans read: the API server gives
 * a new Service its addresses at once, and no later event would tell.
 */
export function bringsNews({ type, ref, now }: Change): boolean {
  return type === 'Added' && ref.kind === 'Service' && !now.own;
}
