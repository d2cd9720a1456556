import { Fenced } from './leader-lease.js';
import { soonest } from './look-again.js';
import type { Asked } from './look-again.js';
import { keyId } from './object.js';
import type { ObjectKey } from './object.js';
import type { Reconciler, ReconcileResult } from './reconciler.js';
import { WorkQueue } from './work-queue.js';
import type { Priority, WorkQueueMetrics } from './work-queue.js';

/** How one reconcile ended, in controller-runtime's words. */
export type ReconcileOutcome = 'success' | 'error' | 'requeue' | 'requeue_after';

export interface ControllerOptions {
  readonly reconciler: Reconciler;
  readonly workers: number;
  /** Monotonic milliseconds. */
  readonly nowMs: () => number;
  /** Whether keys may be worked on now: synced and leading. */
  readonly mayWork: () => boolean;
  /** What carrying out asked for besides the result (`LookAgain`), taken once. */
  readonly takeRequests: (key: ObjectKey) => Asked;
  readonly onReconciled: (key: ObjectKey, outcome: ReconcileOutcome, seconds: number) => void;
  readonly onError: (key: ObjectKey, error: unknown) => void;
  readonly onWaited: (seconds: number) => void;
}

/** client-go waits up to 1,000 s; somebody who has removed the cause should not wait that long. */
const RETRY_BOUNDS = { firstMs: 5, maxMs: 120_000 };

/** The workers of one reconciler: a key is never worked on twice at once, and one that fails stops no other. */
export class ControllerRunner {
  readonly #options: ControllerOptions;
  readonly #queue: WorkQueue<ObjectKey>;
  readonly #running = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | undefined;
  #draining = false;
  #pumping = false;

  constructor(options: ControllerOptions) {
    this.#options = options;
    this.#queue = new WorkQueue<ObjectKey>({
      idOf: keyId,
      nowMs: options.nowMs,
      retryBounds: RETRY_BOUNDS,
      onTaken: (waitedMs) => {
        options.onWaited(waitedMs / 1000);
      },
      onWork: () => {
        this.#schedule();
      },
    });
  }

  get name(): string {
    return this.#options.reconciler.name;
  }

  get metrics(): WorkQueueMetrics {
    return this.#queue.metrics();
  }

  /** Nothing queued and nothing in work; delayed keys apart. */
  get idle(): boolean {
    return this.#queue.idle();
  }

  add(key: ObjectKey, priority: Priority): void {
    this.#queue.add(key, priority);
  }

  addAfter(key: ObjectKey, delayMs: number): void {
    this.#queue.addAfter(key, delayMs);
  }

  /** Tries again now whatever has failed: what it failed for may be over. */
  hurry(): void {
    this.#queue.hurry();
  }

  /** Takes up work that has become possible (leadership gained). */
  wake(): void {
    this.#schedule();
  }

  /** Starts no further key; resolves when the running ones have ended. */
  async drain(): Promise<void> {
    this.#draining = true;
    clearTimeout(this.#timer);
    await Promise.all(this.#running);
    this.#queue.shutDown();
  }

  /**
   * In a turn of the event loop of its own: handlers of events only enqueue, and passes that need no call would
   * otherwise follow each other as microtasks, so that watches, probes and the lease wait for all of them.
   */
  #schedule(): void {
    if (this.#pumping || this.#draining) return;
    this.#pumping = true;
    setImmediate(() => {
      this.#pumping = false;
      this.#pump();
    });
  }

  #pump(): void {
    clearTimeout(this.#timer);
    if (this.#draining || !this.#options.mayWork()) return;
    while (this.#running.size < this.#options.workers) {
      const key = this.#queue.take();
      if (key === undefined) break;
      const work = this.#work(key);
      this.#running.add(work);
      void work.finally(() => {
        this.#running.delete(work);
        this.#schedule();
      });
    }
    const dueMs = this.#queue.msUntilDue();
    if (dueMs !== undefined) {
      this.#timer = setTimeout(
        () => {
          this.#pump();
        },
        Math.min(Math.max(dueMs, 1), MAX_TIMER_MS),
      );
    }
  }

  async #work(key: ObjectKey): Promise<void> {
    const { reconciler, nowMs, onReconciled, onError } = this.#options;
    const beganMs = nowMs();
    let outcome: ReconcileOutcome;
    try {
      outcome = this.#again(key, await reconciler.reconcile(key));
    } catch (error) {
      this.#options.takeRequests(key);
      outcome = this.#afterError(key, error);
      if (!(error instanceof Fenced)) onError(key, error);
    }
    this.#queue.done(key);
    onReconciled(key, outcome, (nowMs() - beganMs) / 1000);
  }

  /** Puts the key back as the result and the carrying out ask for. */
  #again(key: ObjectKey, result: ReconcileResult): ReconcileOutcome {
    const asked = this.#options.takeRequests(key);
    if (asked.backoff) {
      this.#queue.addRateLimited(key);
      return 'requeue';
    }
    this.#queue.forget(key);
    const afterMs = soonest(result.requeueAfterMs, asked.requeueAfterMs);
    if (afterMs === undefined) return 'success';
    this.#queue.addAfter(key, afterMs);
    return 'requeue_after';
  }

  /** A fenced key waits for the next term; any other is tried again with growing delays. */
  #afterError(key: ObjectKey, error: unknown): ReconcileOutcome {
    if (error instanceof Fenced) {
      this.add(key, 'Edit');
      return 'requeue';
    }
    this.#queue.addRateLimited(key);
    return 'error';
  }
}

/** setTimeout takes no more than 2^31 - 1 ms; looking at the queue once an hour costs nothing. */
const MAX_TIMER_MS = 3_600_000;
