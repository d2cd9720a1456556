import type { Cluster, Resource } from '../kubernetes/cluster.js';
import type { ObjectKey } from '../kubernetes/object.js';
import type { Reconciler, ReconcileResult } from '../kubernetes/reconciler.js';
import type { Clock } from '../runtime/clock.js';
import { heldPlan, type OutdatedKind } from './schema-age.js';

export interface GuardParts {
  readonly cluster: Cluster;
  readonly clock: Clock;
  /** Undefined while nobody knows. */
  readonly outdated: () => readonly OutdatedKind[] | undefined;
}

/** How soon to ask again whether the age of the CRDs is known; an answer enqueues everything anyway. */
const UNKNOWN_MS = 1_000;

/**
 * `reconcilers` that do nothing for a resource while the CRD of its kind, or of another kind that they read, is older
 * than the operator: they say so in its status instead. The first reconciler of a kind writes that. Those of namespaces
 * (keys, the CA) go on: they read no spec.
 */
export function guarded(
  reconcilers: readonly Reconciler[],
  parts: GuardParts,
): readonly Reconciler[] {
  const spoken = new Set<string>();
  return reconcilers.map((reconciler) => {
    const { name, primary, watches } = reconciler;
    if (primary === undefined) return reconciler;
    const speaks = !spoken.has(primary.kind);
    spoken.add(primary.kind);
    const reads = new Set([primary.kind, ...watches.map(({ kind }) => kind)]);
    const reconcile = async (key: ObjectKey): Promise<ReconcileResult> => {
      const all = parts.outdated();
      if (all === undefined) return { requeueAfterMs: UNKNOWN_MS };
      const outdated = all.filter(({ kind }) => reads.has(kind));
      if (outdated.length === 0) return reconciler.reconcile(key);
      if (speaks) await hold({ ...primary, ...key }, outdated, parts);
      return {};
    };
    return { name, primary, watches, reconcile };
  });
}

async function hold(
  ref: ObjectKey & NonNullable<Reconciler['primary']>,
  outdated: readonly OutdatedKind[],
  { cluster, clock }: GuardParts,
): Promise<void> {
  // Every kind of ours has conditions, whatever the revision of its schema.
  const resource = cluster.get<Resource>(ref);
  if (resource) await cluster.carryOut(resource, heldPlan(resource, outdated, clock.now()));
}
