import { isApiError } from './api-error.js';
import type { ListOptions, Scope } from './client-types.js';
import type { ClusterClient } from './cluster.client.js';
import type { KubernetesObject } from './object.js';
import type { Prepared } from './store.js';

/** A whole set at one version. */
export interface Snapshot {
  readonly entries: readonly Prepared[];
  readonly resourceVersion: string;
}

/** How a scope is listed. */
export interface ListRequest {
  readonly client: ClusterClient;
  readonly scope: Scope;
  readonly signal: AbortSignal;
  /** Ask etcd: what the server has in memory is too old, or from another history. */
  readonly fresh: boolean;
  readonly prepare: (object: KubernetesObject) => Prepared;
}

/**
 * The whole set of a scope, page by page, each projected before the next is asked for, so that the raw form
 * of a large set never stands in memory. A list that expires between two pages is read once more in one piece.
 */
export async function listScope(request: ListRequest): Promise<Snapshot> {
  const { signal, fresh } = request;
  try {
    return await collect(request, { signal, resourceVersion: fresh ? '' : '0' });
  } catch (error) {
    if (!isApiError(error, 'Gone')) throw error;
    return collect(request, { signal, resourceVersion: '', limit: 0 });
  }
}

async function collect(request: ListRequest, options: ListOptions): Promise<Snapshot> {
  const entries: Prepared[] = [];
  let resourceVersion = '';
  for await (const page of request.client.pages(request.scope, options)) {
    for (const object of page.items) entries.push(request.prepare(object));
    resourceVersion = page.resourceVersion;
  }
  return { entries, resourceVersion };
}
