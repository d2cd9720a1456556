import type { Clock } from '../runtime/clock.js';
import type { Logger } from '../runtime/log.js';
import { ChangeRoutes, allKeys } from './change-routes.js';
import type { ClusterClient } from './cluster.client.js';
import type { Child, Cluster } from './cluster.js';
import { ControllerRunner } from './controller.runner.js';
import { EngineCluster } from './engine.cluster.js';
import type { PassReport } from './engine.cluster.js';
import type { EngineMetrics, EngineState } from './engine.metrics.js';
import { EventsRecorder } from './events.recorder.js';
import { FencedClient } from './fenced.client.js';
import { LEASE_TIMINGS } from './leader-lease.js';
import type { LeaseTimings } from './leader-lease.js';
import { LABEL_OWNER_NAMESPACE, FIELD_MANAGER } from './metadata.js';
import { keyId, refOf } from './object.js';
import type { KubernetesObject, ObjectKey, ObjectRef } from './object.js';
import type { NamespaceScope } from './namespace-scope.js';
import { NamespaceScopeRunner } from './namespace-scope.runner.js';
import { readPause } from './pause.js';
import type { Reconciler, ReconcileResult } from './reconciler.js';
import { RESOURCE_KINDS } from './resources.js';
import type { ResourceKind } from './resources.js';
import { Store } from './store.js';
import type { Change } from './store.js';
import { Term } from './term.runner.js';
import { WatchedKinds } from './watched-kinds.runner.js';
import type { OnWrite } from './write-record.js';
import type { WorkQueueMetrics } from './work-queue.js';

export interface EngineOptions {
  readonly client: ClusterClient;
  /** For the Lease alone, so that no queue of writes delays a renewal. Default: `client`. */
  readonly leaseClient?: ClusterClient;
  readonly scope: NamespaceScope;
  /** Keys of each reconciler that are worked on at the same time. */
  readonly workers: number;
  readonly clock: Clock;
  /** From 0 to below 1. */
  readonly random: () => number;
  /** Name of this process in the Lease and in events; unique. */
  readonly identity: string;
  /** Absent: this process is the only one. */
  readonly election?: { readonly lease: ObjectKey; readonly timings?: LeaseTimings };
  readonly log: Logger;
  readonly onWrite: OnWrite;
  readonly metrics?: EngineMetrics;
  /** The kinds that may be watched; default: `RESOURCE_KINDS`. */
  readonly kinds?: readonly ResourceKind[];
}

/** Facts for /livez and /readyz. */
export interface EngineHealth {
  readonly synced: boolean;
  readonly leader: boolean;
  readonly lastEventAgeMs: number;
  readonly queues: ReadonlyMap<string, WorkQueueMetrics>;
}

/** How long running reconciles may go on after `stop`; then their next write is refused. */
const FINISH_MS = 1_200;
/** A copy may be seen before its owner is: the caches of two kinds do not fill at once. */
const ORPHAN_AFTER_MS = 5_000;
const ORPHANS = 'orphans';
const LAG_SAMPLE_MS = 500;

/** Caches, queues, workers and election as one: hand it reconcilers, start it, stop it. */
export class Engine {
  /** What reconcilers are made with. */
  readonly cluster: Cluster;
  readonly #options: EngineOptions;
  readonly #engineCluster: EngineCluster;
  readonly #store = new Store({ fieldManager: FIELD_MANAGER });
  readonly #term: Term;
  readonly #recorder: EventsRecorder;
  readonly #requests = new Map<string, ReconcileResult & { readonly backoff: boolean }>();
  readonly #fights = new Map<string, number>();
  readonly #controllers = new Map<string, ControllerRunner>();
  readonly #synced = Promise.withResolvers<undefined>();
  #reconcilers: readonly Reconciler[] = [];
  #routes = new ChangeRoutes([]);
  #kinds: WatchedKinds | undefined;
  #scope: NamespaceScopeRunner | undefined;
  #lagTimer: NodeJS.Timeout | undefined;
  #lagMs = 0;
  #stopping: Promise<void> | undefined;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#synced.promise.catch(() => undefined);
    const { clock, onWrite, identity, election } = options;
    this.#term = new Term({
      client: options.leaseClient ?? options.client,
      clock,
      random: options.random,
      identity,
      election: election && { timings: LEASE_TIMINGS, ...election },
      log: options.log,
      onWrite,
      onLeading: () => {
        this.enqueueAll();
        this.#wake();
      },
    });
    const client = new FencedClient(options.client, this.#term, onWrite);
    this.#recorder = new EventsRecorder({
      client,
      clock,
      instance: identity,
      onDropped: (reason) => options.metrics?.eventDropped(reason),
    });
    this.#engineCluster = new EngineCluster({
      client,
      store: this.#store,
      clock,
      ownerLives: (uid) => this.#routes.ownerLives(uid),
      serves: (apiVersion, kind) => this.#kinds?.serves(apiVersion, kind) ?? false,
      onChanges: (changes, owner) => {
        for (const change of changes) this.#onChange(change, owner);
      },
      lookAgain: (owner, when) => {
        this.#lookAgain(owner, when);
      },
      recordEvents: (owner, events) => {
        this.#recorder.record(owner, events);
      },
      onPass: (report) => {
        this.#onPass(report);
      },
    });
    this.cluster = this.#engineCluster;
  }

  /** Starts watching, running for leader, and working. */
  start(reconcilers: readonly Reconciler[]): void {
    const { client, scope, metrics, log } = this.#options;
    this.#reconcilers = reconcilers;
    this.#routes = new ChangeRoutes(reconcilers);
    const kinds = this.#watchedKinds();
    for (const reconciler of [...reconcilers, this.#orphans()]) this.#control(reconciler);
    metrics?.begin(
      [...this.#controllers.keys()],
      kinds.map(({ kind }) => kind),
      () => this.#state(),
    );
    this.#kinds = new WatchedKinds({
      client,
      store: this.#store,
      kinds,
      onChange: (change) => {
        this.#onChange(change);
      },
      onReady: (namespace) => {
        this.#onReady(namespace);
      },
      onServed: (kind, served) => {
        log.info('a kind has come or gone', { kind: kind.kind, served });
        this.enqueueAll();
      },
      onRelist: (kind, reason) => {
        log.debug('list', { kind, reason });
        metrics?.relisted(kind);
      },
      onReconnect: (kind, error) => {
        log.debug('watch opened again', { kind, error: nameOf(error) });
        metrics?.reconnected(kind);
        for (const controller of this.#controllers.values()) controller.hurry();
      },
      onError: (message, error) => {
        log.warn(message, { error: nameOf(error) });
      },
    });
    this.#scope = new NamespaceScopeRunner({
      client,
      scope,
      onTaken: (namespace) => this.#kinds?.take(namespace),
      onDropped: (namespace) => this.#kinds?.drop(namespace),
      onSynced: () => {
        this.#checkSynced();
      },
    });
    this.#kinds.start();
    this.#scope.start();
    this.#term.start();
    this.#sampleLag();
  }

  /** Resolves when every watched kind is in the cache for the first time; rejects when stopped before. */
  get synced(): Promise<undefined> {
    return this.#synced.promise;
  }

  /** Looks at every resource again, behind what is waiting: it costs no call where nothing is to do. */
  enqueueAll(): void {
    for (const reconciler of this.#reconcilers) {
      for (const key of allKeys(reconciler, this.cluster)) {
        this.#controllers.get(reconciler.name)?.add(key, 'Resync');
      }
    }
  }

  health(): EngineHealth {
    return {
      synced: this.#hasSynced(),
      leader: this.#term.leads,
      lastEventAgeMs: this.#kinds?.lastEventAgeMs() ?? 0,
      queues: this.#queues(),
    };
  }

  /** Nothing queued and nothing in work. */
  get idle(): boolean {
    return [...this.#controllers.values()].every((controller) => controller.idle);
  }

  /** Finishes what is in work, writes nothing more, gives the lease back, stops watching: within 2 seconds. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    clearInterval(this.#lagTimer);
    const drained = Promise.all([...this.#controllers.values()].map((one) => one.drain()));
    await Promise.race([drained.then(() => this.#recorder.flushed()), after(FINISH_MS)]);
    await this.#term.stop();
    await Promise.all([this.#scope?.stop(), this.#kinds?.stop()]);
    this.#synced.reject(new Error('stopped before the caches were whole'));
  }

  #watchedKinds(): readonly ResourceKind[] {
    const table = this.#options.kinds ?? RESOURCE_KINDS;
    const wanted = this.#reconcilers.flatMap(({ primary, watches }) =>
      primary ? [primary, ...watches] : [...watches],
    );
    return table.filter((known) =>
      wanted.some((one) => one.kind === known.kind && one.apiVersion === known.apiVersion),
    );
  }

  #control(reconciler: Reconciler): void {
    const { workers, clock, metrics, log } = this.#options;
    const { name } = reconciler;
    const guarded: Reconciler = {
      ...reconciler,
      // A namespace that is not whole in the cache yet is enqueued as a whole when it is.
      reconcile: (key) => (this.#isReady(key) ? reconciler.reconcile(key) : Promise.resolve({})),
    };
    const controller = new ControllerRunner({
      reconciler: guarded,
      workers,
      nowMs: () => clock.monotonicMs(),
      mayWork: () => this.#term.leads,
      takeRequests: (key) => this.#takeRequests(reconciler, key),
      onReconciled: (_, outcome, seconds) => metrics?.reconciled(name, outcome, seconds),
      onError: (key, error) => {
        log.error('reconcile failed', {
          controller: name,
          key: keyId(key),
          error: describe(error),
        });
      },
      onWaited: (seconds) => metrics?.waited(name, seconds),
    });
    this.#controllers.set(name, controller);
  }

  #isReady({ namespace, name }: ObjectKey): boolean {
    return this.#kinds?.isReady(namespace === '' ? name : namespace) ?? false;
  }

  #onReady(namespace: string | undefined): void {
    this.#options.log.info('the cache is whole', { namespace: namespace ?? '*' });
    this.enqueueAll();
    this.#checkSynced();
  }

  #hasSynced(): boolean {
    return (this.#scope?.hasSynced ?? false) && (this.#kinds?.hasSynced ?? false);
  }

  #checkSynced(): void {
    if (this.#hasSynced()) this.#synced.resolve(undefined);
  }

  /** `byOwner`: a write of ours in a pass of this resource, which needs no further pass for it. */
  #onChange(change: Change, byOwner?: KubernetesObject): void {
    this.#routes.note(change);
    this.#noteOrphans(change);
    const own = byOwner && keyId(refOf(byOwner));
    for (const { controller, key } of this.#routes.of(change, this.cluster)) {
      if (own === keyId(key) && this.#isPrimary(controller, byOwner)) continue;
      this.#controllers.get(controller)?.add(key, 'Edit');
    }
  }

  #isPrimary(controller: string, owner: KubernetesObject | undefined): boolean {
    const primary = this.#reconcilers.find(({ name }) => name === controller)?.primary;
    return primary?.kind === owner?.kind;
  }

  #noteOrphans({ type, now, uid }: Change): void {
    if (now.own) {
      if (type !== 'Deleted') return;
      this.#fights.delete(uid);
      this.#engineCluster.forgetOwner(uid);
      this.#store.children(uid).forEach((child) => {
        this.#enqueueOrphan(child);
      });
    } else if (type !== 'Deleted') {
      this.#enqueueOrphan(now.child);
    }
  }

  #enqueueOrphan({ ownerUid, labels }: Child): void {
    const namespace = labels[LABEL_OWNER_NAMESPACE];
    if (ownerUid === undefined || namespace === undefined) return;
    if (this.#routes.ownerLives(ownerUid)) return;
    this.#controllers.get(ORPHANS)?.addAfter({ namespace, name: ownerUid }, ORPHAN_AFTER_MS);
  }

  /** Deletes copies in other namespaces whose owner is gone: no owner reference leads there. Keys: owner's namespace and UID. */
  #orphans(): Reconciler {
    return {
      name: ORPHANS,
      watches: [],
      reconcile: async ({ name: uid }) => {
        if (!this.#routes.ownerLives(uid)) await this.#engineCluster.pruneOrphans(uid);
        return {};
      },
    };
  }

  #lookAgain(owner: ObjectRef, when: { backoff: true } | { afterMs: number }): void {
    const id = requestId(owner.kind, owner);
    const before = this.#requests.get(id);
    const afterMs = 'afterMs' in when ? when.afterMs : Number.POSITIVE_INFINITY;
    const soonest = Math.min(before?.requeueAfterMs ?? Number.POSITIVE_INFINITY, afterMs);
    this.#requests.set(id, {
      backoff: (before?.backoff ?? false) || 'backoff' in when,
      ...(Number.isFinite(soonest) ? { requeueAfterMs: soonest } : {}),
    });
  }

  #takeRequests(
    { primary }: Reconciler,
    key: ObjectKey,
  ): ReconcileResult & { readonly backoff: boolean } {
    const id = requestId(primary?.kind ?? '', key);
    const asked = this.#requests.get(id);
    this.#requests.delete(id);
    return asked ?? { backoff: false };
  }

  #onPass(report: PassReport): void {
    const { log, metrics } = this.#options;
    const { owner, carriedOut, repaired, left } = report;
    metrics?.passed(report);
    const uid = owner.metadata.uid ?? '';
    if (left.length > 0) this.#fights.set(uid, left.length);
    else this.#fights.delete(uid);
    const { applied, pruned, failed, statusWritten } = carriedOut;
    if (applied.length + pruned.length + failed.length === 0 && !statusWritten) return;
    log.info('carried out', {
      kind: owner.kind,
      key: keyId(refOf(owner)),
      applied: applied.length,
      pruned: pruned.length,
      status: statusWritten,
      failed: failed.map(({ ref, error }) => `${ref.kind}/${ref.name}: ${nameOf(error)}`),
      drift: repaired.map(
        ({ kind, name, field, manager }) => `${kind}/${name} ${field} by ${manager}`,
      ),
    });
  }

  #wake(): void {
    for (const controller of this.#controllers.values()) controller.wake();
  }

  #queues(): ReadonlyMap<string, WorkQueueMetrics> {
    return new Map([...this.#controllers].map(([name, { metrics }]) => [name, metrics]));
  }

  #state(): EngineState {
    const now = this.#options.clock.now();
    const primaries = this.#reconcilers.flatMap(({ primary }) => primary ?? []);
    return {
      queues: this.#queues(),
      leading: this.#term.leads,
      cacheObjects: kindOnly(this.#store.sizes()),
      lastEventAgeMs: this.#kinds?.lastEventAgeMs() ?? 0,
      eventLoopLagMs: this.#lagMs,
      paused: new Map(
        primaries.map(({ apiVersion, kind }) => [
          kind,
          this.#store
            .list(apiVersion, kind)
            .filter(({ metadata }) => readPause(metadata.annotations, now).state === 'Paused')
            .length,
        ]),
      ),
      fights: [...this.#fights.values()].reduce((sum, count) => sum + count, 0),
    };
  }

  #sampleLag(): void {
    const { clock } = this.#options;
    let dueMs = clock.monotonicMs() + LAG_SAMPLE_MS;
    this.#lagTimer = setInterval(() => {
      const nowMs = clock.monotonicMs();
      this.#lagMs = Math.max(0, nowMs - dueMs);
      dueMs = nowMs + LAG_SAMPLE_MS;
    }, LAG_SAMPLE_MS);
    this.#lagTimer.unref();
  }
}

function requestId(kind: string, { namespace, name }: ObjectKey): string {
  return `${kind}/${namespace}/${name}`;
}

function kindOnly(sizes: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  return new Map([...sizes].map(([id, size]) => [id.slice(id.lastIndexOf('/') + 1), size]));
}

function nameOf(error: unknown): string | undefined {
  if (error === undefined) return undefined;
  return error instanceof Error ? error.name : typeof error;
}

/** Message and place; what threw is ours and knows no Secret. */
function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
