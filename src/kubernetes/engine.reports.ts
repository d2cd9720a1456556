import type { Logger } from '../runtime/log.js';
import { isApiError } from './api-error.js';
import type { ApiError } from './api-error.js';
import type { PassReport } from './engine.cluster.js';
import type { EngineMetrics } from './engine.metrics.js';
import { keyId, refOf } from './object.js';
import type { KubernetesObject } from './object.js';
import { readPause } from './pause.js';
import type { Reconciler } from './reconciler.js';
import type { Store } from './store.js';

/** Log lines and figures of what the engine does: one line per decision. */
export class EngineReports {
  readonly #log: Logger;
  readonly #metrics: EngineMetrics | undefined;
  readonly #server: string;
  #away = false;
  /** By UID of the resource: fields that are left to another manager. */
  readonly #fights = new Map<string, number>();

  /** `server`: host and port of the API server, for whoever must find out why it is away. */
  constructor(log: Logger, metrics: EngineMetrics | undefined, server: string) {
    this.#log = log;
    this.#metrics = metrics;
    this.#server = server;
  }

  /** Fields that are left to other managers, over all resources. */
  get fights(): number {
    return [...this.#fights.values()].reduce((sum, count) => sum + count, 0);
  }

  passed(report: PassReport): void {
    const { owner, carriedOut, repaired, left } = report;
    this.#metrics?.passed(report);
    const { uid = '' } = owner.metadata;
    if (left.length > 0) this.#fights.set(uid, left.length);
    else this.#fights.delete(uid);
    const { applied, pruned, failed, statusWritten } = carriedOut;
    if (applied.length + pruned.length + failed.length === 0 && !statusWritten) return;
    this.#log.info('carried out', {
      kind: owner.kind,
      key: keyId(refOf(owner)),
      applied: applied.length,
      pruned: pruned.length,
      status: statusWritten,
      failed: failed.map(({ ref, error }) => `${ref.kind}/${ref.name}: ${error.name}`),
      drift: repaired.map(
        ({ kind, name, field, manager }) => `${kind}/${name} ${field} by ${manager}`,
      ),
    });
  }

  forget(ownerUid: string): void {
    this.#fights.delete(ownerUid);
  }

  /** What threw is ours and knows no Secret. */
  failed(controller: string, key: string, error: unknown): void {
    this.#log.error('reconcile failed', {
      controller,
      key,
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
  }

  relisted(kind: string, reason: string): void {
    this.#log.debug('list', { kind, reason });
    this.#metrics?.relisted(kind);
  }

  reconnected(kind: string, error: unknown): void {
    if (isApiError(error, 'Network')) this.#unreachable(error);
    this.#log.debug('watch opened again', { kind, error: nameOf(error) });
    this.#metrics?.reconnected(kind);
  }

  /** Something came from the API server. */
  answered(): void {
    if (!this.#away) return;
    this.#away = false;
    this.#log.info('the API server answers again', { server: this.#server });
  }

  served(kind: string, served: boolean): void {
    this.#log.info('a kind has come or gone', { kind, served });
  }

  ready(namespace: string | undefined): void {
    this.answered();
    this.#log.info('the cache is whole', { namespace: namespace ?? '*' });
  }

  /** Once per outage, however many watches it ends. */
  #unreachable({ cause }: ApiError): void {
    if (this.#away) return;
    this.#away = true;
    const { code } = (cause ?? {}) as { readonly code?: unknown };
    this.#log.warn('the API server cannot be reached', {
      server: this.#server,
      error: typeof code === 'string' ? code : nameOf(cause),
    });
  }

  troubled(message: string, error: unknown): void {
    this.#log.warn(message, { error: nameOf(error) });
  }
}

/** The resources of each kind that `reconcilers` serve, in one namespace or everywhere. */
export function resourcesOf(
  reconcilers: readonly Reconciler[],
  store: Pick<Store, 'list'>,
  namespace?: string,
): readonly (readonly [kind: string, found: readonly KubernetesObject[]])[] {
  const primaries = reconcilers.flatMap(({ primary }) => primary ?? []);
  return primaries.map(({ apiVersion, kind }) => [kind, store.list(apiVersion, kind, namespace)]);
}

/** How many resources of each kind are paused now, in the namespaces that are followed. */
export function pausedByKind(
  resources: ReturnType<typeof resourcesOf>,
  { now, follows }: { readonly now: Date; readonly follows: (namespace: string) => boolean },
): ReadonlyMap<string, number> {
  const isPaused = ({ metadata: { namespace = '', annotations } }: KubernetesObject): boolean =>
    follows(namespace) && readPause(annotations, now).state === 'Paused';
  return new Map(resources.map(([kind, found]) => [kind, found.filter(isPaused).length]));
}

/** `apiVersion/Kind` -> `Kind`, as metrics name kinds. */
export function byKindName(sizes: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  return new Map([...sizes].map(([id, size]) => [id.slice(id.lastIndexOf('/') + 1), size]));
}

function nameOf(error: unknown): string | undefined {
  if (error === undefined) return undefined;
  return error instanceof Error ? error.name : typeof error;
}
