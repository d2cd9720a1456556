import type { Child } from './cluster.js';
import { LABEL_OWNER_NAMESPACE } from './metadata.js';
import type { ObjectKey } from './object.js';
import type { Reconciler } from './reconciler.js';
import type { Change, Store } from './store.js';

/** Name of the controller. */
export const ORPHANS = 'orphans';
/** A copy may be seen before its owner is: the caches of two kinds do not fill at once. */
export const ORPHAN_AFTER_MS = 5_000;

/** The key of a copy in another namespace: its owner's namespace and UID. Undefined for any other object. */
export function orphanKey({
  ownerUid,
  labels,
}: Pick<Child, 'ownerUid' | 'labels'>): ObjectKey | undefined {
  const namespace = labels[LABEL_OWNER_NAMESPACE];
  return ownerUid === undefined || namespace === undefined
    ? undefined
    : { namespace, name: ownerUid };
}

/** Copies that `change` may have left without an owner. */
export function orphansOf(
  { type, now, uid }: Change,
  store: Pick<Store, 'children'>,
  ownerLives: (uid: string) => boolean,
): readonly ObjectKey[] {
  const gone = now.own && type === 'Deleted';
  const children = gone ? store.children(uid) : now.own || type === 'Deleted' ? [] : [now.child];
  return children
    .filter(({ ownerUid }) => ownerUid !== undefined && !ownerLives(ownerUid))
    .flatMap((child) => orphanKey(child) ?? []);
}

/** Deletes copies in other namespaces whose owner is gone: no owner reference leads there. */
export function orphansReconciler(
  ownerLives: (uid: string) => boolean,
  prune: (ownerUid: string) => Promise<void>,
): Reconciler {
  return {
    name: ORPHANS,
    watches: [],
    reconcile: async ({ name: uid }) => {
      if (!ownerLives(uid)) await prune(uid);
      return {};
    },
  };
}
