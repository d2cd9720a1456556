import type { Clock } from '../runtime/clock.js';
import type { Logger } from '../runtime/log.js';
import { ChangeRoutes, allKeys } from '../kubernetes/change-routes.js';
import { ControllerRunner } from '../kubernetes/controller.runner.js';
import { keyId } from '../kubernetes/object.js';
import type { Reconciler } from '../kubernetes/reconciler.js';
import type { InMemoryCluster } from './in-memory-cluster.js';

export interface RoomsOptions {
  readonly cluster: InMemoryCluster;
  readonly reconcilers: readonly Reconciler[];
  readonly clock: Clock;
  readonly log: Logger;
}

/** Runs the same reconcilers as the engine does, on a cluster in memory: queue, workers and retries, and no network. */
export class RoomsRunner {
  readonly #options: RoomsOptions;
  readonly #routes: ChangeRoutes;
  readonly #controllers = new Map<string, ControllerRunner>();

  constructor(options: RoomsOptions) {
    this.#options = options;
    this.#routes = new ChangeRoutes(options.reconcilers);
  }

  /** Begins to work: on what is there, and on every change from now on; `changed` is told of each, too. */
  start(changed: () => void = () => undefined): void {
    const { cluster, reconcilers } = this.#options;
    for (const reconciler of reconcilers) this.#control(reconciler);
    cluster.onChange = (change) => {
      changed();
      this.#routes.note(change);
      for (const { controller, key } of this.#routes.of(change, cluster)) {
        this.#controllers.get(controller)?.add(key, 'Edit');
      }
    };
    this.enqueueAll();
  }

  /** Looks at every resource again. */
  enqueueAll(): void {
    const { cluster, reconcilers } = this.#options;
    for (const reconciler of reconcilers) {
      for (const key of allKeys(reconciler, cluster)) {
        this.#controllers.get(reconciler.name)?.add(key, 'Resync');
      }
    }
  }

  /** Nothing queued and nothing in work. */
  get idle(): boolean {
    return [...this.#controllers.values()].every((controller) => controller.idle);
  }

  /** Ends when what is in work has ended. */
  async stop(): Promise<void> {
    this.#options.cluster.onChange = () => undefined;
    await Promise.all([...this.#controllers.values()].map((controller) => controller.drain()));
  }

  #control(reconciler: Reconciler): void {
    const { clock, log } = this.#options;
    const { name } = reconciler;
    this.#controllers.set(
      name,
      new ControllerRunner({
        reconciler,
        workers: 1,
        nowMs: () => clock.monotonicMs(),
        mayWork: () => true,
        takeRequests: () => ({ backoff: false }),
        onReconciled: () => undefined,
        onError: (key, error) => {
          const message = error instanceof Error ? error.message : String(error);
          log.error('reconcile failed', { controller: name, key: keyId(key), error: message });
        },
        onWaited: () => undefined,
      }),
    );
  }
}
