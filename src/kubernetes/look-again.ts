import type { ObjectKey, ObjectRef } from './object.js';
import type { ReconcileResult } from './reconciler.js';

/** When to look at a resource again: with growing delays after a failure, or after a time. */
export type When = { readonly backoff: true } | { readonly afterMs: number };

/** What was asked for one key. */
export type Asked = ReconcileResult & { readonly backoff: boolean };

/** What carrying out asks of the queue, until the worker takes it at the end of the pass. */
export class LookAgainRequests {
  readonly #asked = new Map<string, Asked>();

  /** The soonest of several times counts. */
  ask(owner: Pick<ObjectRef, 'kind' | 'namespace' | 'name'>, when: When): void {
    const id = requestId(owner.kind, owner);
    const before = this.#asked.get(id);
    const afterMs = soonest(before?.requeueAfterMs, 'afterMs' in when ? when.afterMs : undefined);
    this.#asked.set(id, {
      backoff: (before?.backoff ?? false) || 'backoff' in when,
      ...(afterMs === undefined ? {} : { requeueAfterMs: afterMs }),
    });
  }

  /** What was asked for this key of `kind`, once. */
  take(kind: string | undefined, key: ObjectKey): Asked {
    const id = requestId(kind ?? '', key);
    const asked = this.#asked.get(id);
    this.#asked.delete(id);
    return asked ?? { backoff: false };
  }
}

/** The smaller of two times that may be absent. */
export function soonest(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return Math.min(a, b);
}

function requestId(kind: string, { namespace, name }: ObjectKey): string {
  return `${kind}/${namespace}/${name}`;
}
