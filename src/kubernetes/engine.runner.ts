import { allKeys, bringsNews, ChangeRoutes, watchedKinds } from './change-routes.js';
import type { Cluster } from './cluster.js';
import { ControllerRunner } from './controller.runner.js';
import { EngineCluster } from './engine.cluster.js';
import type { EngineHealth, EngineOptions } from './engine-options.js';
import type { EngineState } from './engine.metrics.js';
import { EngineReports, byKindName, pausedByKind, resourcesOf } from './engine.reports.js';
import { EventLoopLag } from './event-loop-lag.runner.js';
import { EventsRecorder } from './events.recorder.js';
import { FencedClient } from './fenced.client.js';
import { LEASE_TIMINGS } from './leader-lease.js';
import { LookAgainRequests } from './look-again.js';
import { FIELD_MANAGER } from './metadata.js';
import { NamespaceScopeRunner } from './namespace-scope.runner.js';
import { keyId, refOf } from './object.js';
import type { KubernetesObject, ObjectKey } from './object.js';
import { ORPHANS, ORPHAN_AFTER_MS, orphansOf, orphansReconciler } from './orphans.js';
import type { Reconciler } from './reconciler.js';
import { RESOURCE_KINDS } from './resources.js';
import type { ResourceKind } from './resources.js';
import { Store } from './store.js';
import type { Change } from './store.js';
import { Term } from './term.runner.js';
import { WatchedKinds } from './watched-kinds.runner.js';
import type { WorkQueueMetrics } from './work-queue.js';

/** How long running reconciles may go on after `stop`; then their next write is refused. */
const FINISH_MS = 1_200;

/** Caches, queues, workers and election as one: hand it reconcilers, start it, stop it. */
export class Engine {
  /** What reconcilers are made with. */
  readonly cluster: Cluster;
  readonly #options: EngineOptions;
  readonly #engineCluster: EngineCluster;
  readonly #store = new Store({ fieldManager: FIELD_MANAGER });
  readonly #term: Term;
  readonly #recorder: EventsRecorder;
  readonly #reports: EngineReports;
  readonly #lag: EventLoopLag;
  readonly #requests = new LookAgainRequests();
  readonly #controllers = new Map<string, ControllerRunner>();
  readonly #synced = Promise.withResolvers<undefined>();
  #reconcilers: readonly Reconciler[] = [];
  #routes = new ChangeRoutes([]);
  #kinds: WatchedKinds | undefined;
  #scope: NamespaceScopeRunner | undefined;
  #wasSynced = false;
  #stopping: Promise<void> | undefined;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#synced.promise.catch(() => undefined);
    const { clock, log, metrics, onWrite, identity } = options;
    this.#reports = new EngineReports(log, metrics, options.client.server);
    this.#lag = new EventLoopLag(clock);
    this.#term = this.#makeTerm();
    const client = new FencedClient(options.client, this.#term, onWrite);
    this.#recorder = new EventsRecorder({
      client,
      clock,
      instance: identity,
      onDropped: (reason) => metrics?.eventDropped(reason),
    });
    this.#engineCluster = this.#makeCluster(client);
    this.cluster = this.#engineCluster;
  }

  /** Starts watching, running for leader, and working. */
  start(reconcilers: readonly Reconciler[]): void {
    const { metrics, kinds: table = RESOURCE_KINDS } = this.#options;
    this.#reconcilers = reconcilers;
    this.#routes = new ChangeRoutes(reconcilers);
    const orphans = orphansReconciler(this.#ownerLives, (uid) =>
      this.#engineCluster.pruneOrphans(uid),
    );
    for (const reconciler of [...reconcilers, orphans]) this.#control(reconciler);
    const kinds = watchedKinds(table, reconcilers);
    const names = kinds.map(({ kind }) => kind);
    metrics?.begin([...this.#controllers.keys()], names, () => this.#state());
    this.#kinds = this.#watch(kinds);
    this.#scope = this.#follow(this.#kinds);
    this.#kinds.start();
    this.#scope.start();
    this.#term.start();
    this.#lag.start();
  }

  /** Resolves when every watched kind is in the cache for the first time; rejects when stopped before. */
  get synced(): Promise<undefined> {
    return this.#synced.promise;
  }

  /** Looks at every resource again, behind what is waiting: it costs no call where nothing is to do. */
  enqueueAll(): void {
    for (const reconciler of this.#reconcilers) {
      const controller = this.#controllers.get(reconciler.name);
      for (const key of allKeys(reconciler, this.cluster)) controller?.add(key, 'Resync');
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

  /** Whether objects of `namespace` are watched and whole in the cache; of any other it holds what was last known. */
  follows(namespace: string): boolean {
    return this.#kinds?.isReady(namespace) ?? false;
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
    this.#lag.stop();
    const drained = Promise.all([...this.#controllers.values()].map((one) => one.drain()));
    await Promise.race([drained.then(() => this.#recorder.flushed()), after(FINISH_MS)]);
    await this.#term.stop();
    await Promise.all([this.#scope?.stop(), this.#kinds?.stop()]);
    this.#synced.reject(new Error('stopped before the caches were whole'));
  }

  readonly #ownerLives = (uid: string): boolean => this.#routes.ownerLives(uid);

  #makeTerm(): Term {
    const { client, leaseClient, clock, random, identity, election, log, onWrite } = this.#options;
    return new Term({
      client: leaseClient ?? client,
      clock,
      random,
      identity,
      election: election && { timings: LEASE_TIMINGS, ...election },
      log,
      onWrite,
      onLeading: () => {
        this.enqueueAll();
        for (const controller of this.#controllers.values()) controller.wake();
      },
    });
  }

  #makeCluster(client: FencedClient): EngineCluster {
    return new EngineCluster({
      client,
      store: this.#store,
      clock: this.#options.clock,
      ownerLives: this.#ownerLives,
      serves: (apiVersion, kind) => this.#kinds?.serves(apiVersion, kind) ?? false,
      onChanges: (changes, owner) => {
        for (const change of changes) this.#onChange(change, owner);
      },
      lookAgain: (owner, when) => {
        this.#requests.ask(owner, when);
      },
      recordEvents: (owner, events) => {
        this.#recorder.record(owner, events);
      },
      onPass: (report) => {
        this.#reports.passed(report);
      },
    });
  }

  #watch(kinds: readonly ResourceKind[]): WatchedKinds {
    const { client, recheckKindsMs } = this.#options;
    return new WatchedKinds({
      client,
      store: this.#store,
      kinds,
      ...(recheckKindsMs === undefined ? {} : { recheckMs: recheckKindsMs }),
      reports: this.#reports,
      onChange: (change) => {
        this.#onChange(change);
      },
      onReady: () => {
        this.enqueueAll();
        this.#checkSynced();
      },
      onServed: () => {
        this.enqueueAll();
      },
      onReconnect: () => {
        for (const controller of this.#controllers.values()) controller.hurry();
      },
    });
  }

  #follow(kinds: WatchedKinds): NamespaceScopeRunner {
    const { client, scope } = this.#options;
    return new NamespaceScopeRunner({
      client,
      scope,
      onTaken: (namespace) => {
        kinds.take(namespace);
      },
      onDropped: (namespace, how) => {
        for (const [, found] of resourcesOf(this.#reconcilers, this.#store, namespace))
          for (const { metadata } of found) this.#forget(metadata.uid ?? '');
        kinds.drop(namespace, how);
      },
      onSynced: () => {
        this.#checkSynced();
      },
    });
  }

  #control(reconciler: Reconciler): void {
    const { workers, clock, metrics } = this.#options;
    const { name, primary, watches } = reconciler;
    const reconcile = (key: ObjectKey): ReturnType<Reconciler['reconcile']> =>
      // A namespace that is not whole in the cache yet is enqueued as a whole when it is.
      this.follows(key.namespace || key.name) ? reconciler.reconcile(key) : Promise.resolve({});
    const controller = new ControllerRunner({
      reconciler: { name, watches, reconcile, ...(primary ? { primary } : {}) },
      workers,
      nowMs: () => clock.monotonicMs(),
      // A plan may read other namespaces: none is made from caches that were never whole.
      mayWork: () => this.#term.leads && this.#wasSynced,
      takeRequests: (key) => this.#requests.take(primary?.kind, key),
      onReconciled: (_, outcome, seconds) => metrics?.reconciled(name, outcome, seconds),
      onError: (key, error) => {
        this.#reports.failed(name, keyId(key), error);
      },
      onWaited: (seconds) => metrics?.waited(name, seconds),
    });
    this.#controllers.set(name, controller);
  }

  #hasSynced(): boolean {
    return (this.#scope?.hasSynced ?? false) && (this.#kinds?.hasSynced ?? false);
  }

  #checkSynced(): void {
    if (!this.#hasSynced()) return;
    this.#wasSynced = true;
    this.#synced.resolve(undefined);
    for (const controller of this.#controllers.values()) controller.wake();
  }

  /** `byOwner`: a write of ours in a pass of this resource, which needs no further pass unless the answer has news. */
  #onChange(change: Change, byOwner?: KubernetesObject): void {
    this.#routes.note(change);
    if (change.now.own && change.type === 'Deleted') this.#forget(change.uid);
    for (const key of orphansOf(change, this.#store, this.#ownerLives)) {
      this.#controllers.get(ORPHANS)?.addAfter(key, ORPHAN_AFTER_MS);
    }
    for (const { controller, key } of this.#routes.of(change, this.cluster)) {
      if (!this.#isPassOf(byOwner, controller, key) || bringsNews(change))
        this.#controllers.get(controller)?.add(key, 'Edit');
    }
  }

  #forget(ownerUid: string): void {
    this.#reports.forget(ownerUid);
    this.#engineCluster.forgetOwner(ownerUid);
  }

  #isPassOf(owner: KubernetesObject | undefined, controller: string, key: ObjectKey): boolean {
    if (!owner || keyId(refOf(owner)) !== keyId(key)) return false;
    const primary = this.#reconcilers.find(({ name }) => name === controller)?.primary;
    return primary?.kind === owner.kind;
  }

  #queues(): ReadonlyMap<string, WorkQueueMetrics> {
    return new Map([...this.#controllers].map(([name, { metrics }]) => [name, metrics]));
  }

  #state(): EngineState {
    const now = this.#options.clock.now();
    const follows = (namespace: string): boolean => this.follows(namespace);
    return {
      queues: this.#queues(),
      leading: this.#term.leads,
      cacheObjects: byKindName(this.#store.sizes()),
      lastEventAgeMs: this.#kinds?.lastEventAgeMs() ?? 0,
      eventLoopLagMs: this.#lag.lagMs,
      paused: pausedByKind(resourcesOf(this.#reconcilers, this.#store), { now, follows }),
      fights: this.#reports.fights,
    };
  }
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
