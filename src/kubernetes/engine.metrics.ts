import type { Counter, Gauge, Histogram, Metrics } from '../runtime/metrics.js';
import type { CallRecord, Verb } from './client-types.js';
import type { ReconcileOutcome } from './controller.runner.js';
import type { PassReport } from './engine.cluster.js';
import type { WorkQueueMetrics } from './work-queue.js';

/** What gauges read at each scrape. */
export interface EngineState {
  readonly queues: ReadonlyMap<string, WorkQueueMetrics>;
  readonly leading: boolean;
  readonly cacheObjects: ReadonlyMap<string, number>;
  readonly lastEventAgeMs: number;
  readonly eventLoopLagMs: number;
  /** Paused resources by kind. */
  readonly paused: ReadonlyMap<string, number>;
  /** Fields that are left to another manager now. */
  readonly fights: number;
}

export interface EngineMetricsOptions {
  readonly metrics: Metrics;
  /** Name of the Lease. */
  readonly lease: string;
}

/** controller-runtime's buckets, in seconds. */
const RECONCILE_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
/** client-go's buckets, in seconds. */
const QUEUE_BUCKETS = [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1, 10, 100, 1000];

const RESULTS: readonly ReconcileOutcome[] = ['success', 'error', 'requeue', 'requeue_after'];
const APPLY_OUTCOMES = ['Created', 'Updated', 'Adopted', 'Left', 'Failed'] as const;

/** HTTP methods by RBAC verb, as client-go labels its requests. */
const METHODS: Readonly<Record<Verb, string>> = {
  get: 'GET',
  list: 'GET',
  watch: 'GET',
  discovery: 'GET',
  create: 'POST',
  update: 'PUT',
  patch: 'PATCH',
  delete: 'DELETE',
};

/** The engine's figures under controller-runtime's and client-go's names where they have one. */
export class EngineMetrics {
  readonly #reconciles: Counter;
  readonly #errors: Counter;
  readonly #seconds: Histogram;
  readonly #waited: Histogram;
  readonly #worked: Histogram;
  readonly #calls: Counter;
  readonly #reverts: Counter;
  readonly #applies: Counter;
  readonly #relists: Counter;
  readonly #reconnects: Counter;
  readonly #eventsDropped: Counter;
  readonly #adds: Counter;
  readonly #retries: Counter;
  readonly #counted = new Map<string, { readonly adds: number; readonly retries: number }>();
  #state: (() => EngineState) | undefined;

  constructor({ metrics, lease }: EngineMetricsOptions) {
    const counter = (name: string, help: string, ...labelNames: string[]): Counter =>
      metrics.counter({ name, help, labelNames });
    this.#reconciles = counter(
      'controller_runtime_reconcile_total',
      'Reconciles by controller and result.',
      'controller',
      'result',
    );
    this.#errors = counter(
      'controller_runtime_reconcile_errors_total',
      'Reconciles that threw, by controller.',
      'controller',
    );
    this.#calls = counter(
      'rest_client_requests_total',
      'Calls to the API server by status and method.',
      'code',
      'method',
    );
    this.#reverts = counter(
      'sallyport_drift_reverts_total',
      'Edits by others that were put back.',
      'kind',
    );
    this.#applies = counter(
      'sallyport_applies_total',
      'Objects that a pass brought to what is wanted, by outcome.',
      'kind',
      'outcome',
    );
    this.#relists = counter('sallyport_watch_relists_total', 'Whole lists asked for.', 'kind');
    this.#reconnects = counter('sallyport_watch_reconnects_total', 'Watches opened again.', 'kind');
    this.#eventsDropped = counter(
      'sallyport_events_dropped_total',
      'Events that were not recorded.',
      'reason',
    );
    const histogram = (
      name: string,
      help: string,
      label: string,
      buckets: readonly number[],
    ): Histogram => metrics.histogram({ name, help, labelNames: [label], buckets });
    this.#seconds = histogram(
      'controller_runtime_reconcile_time_seconds',
      'Length of a reconcile.',
      'controller',
      RECONCILE_BUCKETS,
    );
    this.#waited = histogram(
      'workqueue_queue_duration_seconds',
      'How long a key waited.',
      'name',
      QUEUE_BUCKETS,
    );
    this.#worked = histogram(
      'workqueue_work_duration_seconds',
      'How long a key was worked on.',
      'name',
      QUEUE_BUCKETS,
    );
    this.#eventsDropped.inc({ reason: 'Full' }, 0);
    this.#eventsDropped.inc({ reason: 'Failed' }, 0);
    this.#declareGauges(metrics, lease);
    // After the gauge that brings them up to date at a scrape.
    this.#adds = counter('workqueue_adds_total', 'Keys added.', 'name');
    this.#retries = counter('workqueue_retries_total', 'Keys added again after a failure.', 'name');
  }

  /** Sets every series to 0 that will exist: an alert on a missing one would fire at each start. */
  begin(controllers: readonly string[], kinds: readonly string[], state: () => EngineState): void {
    this.#state = state;
    for (const controller of controllers) {
      for (const result of RESULTS) this.#reconciles.inc({ controller, result }, 0);
      this.#errors.inc({ controller }, 0);
    }
    for (const kind of kinds) {
      this.#reverts.inc({ kind }, 0);
      this.#relists.inc({ kind }, 0);
      this.#reconnects.inc({ kind }, 0);
      for (const outcome of APPLY_OUTCOMES) this.#applies.inc({ kind, outcome }, 0);
    }
  }

  /** Counts one call; for `ClientOptions.onCall`. */
  called({ code, verb }: CallRecord): void {
    this.#calls.inc({ code: code === 0 ? '<error>' : code, method: METHODS[verb] });
  }

  reconciled(controller: string, result: ReconcileOutcome, seconds: number): void {
    this.#reconciles.inc({ controller, result });
    if (result === 'error') this.#errors.inc({ controller });
    this.#seconds.observe(seconds, { controller });
    this.#worked.observe(seconds, { name: controller });
  }

  waited(controller: string, seconds: number): void {
    this.#waited.observe(seconds, { name: controller });
  }

  passed({ outcomes, repaired }: PassReport): void {
    for (const { kind, outcome } of outcomes) {
      if (outcome !== 'Nothing') this.#applies.inc({ kind, outcome });
    }
    for (const { kind } of repaired) this.#reverts.inc({ kind });
  }

  relisted(kind: string): void {
    this.#relists.inc({ kind });
  }

  reconnected(kind: string): void {
    this.#reconnects.inc({ kind });
  }

  eventDropped(reason: 'Full' | 'Failed'): void {
    this.#eventsDropped.inc({ reason });
  }

  /** The queue counts; what was counted since the last time is added. */
  #count(name: string, { addsTotal, retriesTotal }: WorkQueueMetrics): void {
    const { adds, retries } = this.#counted.get(name) ?? { adds: 0, retries: 0 };
    this.#adds.inc({ name }, addsTotal - adds);
    this.#retries.inc({ name }, retriesTotal - retries);
    this.#counted.set(name, { adds: addsTotal, retries: retriesTotal });
  }

  #declareGauges(metrics: Metrics, lease: string): void {
    const gauge = (
      name: string,
      help: string,
      read: (state: EngineState, gauge: Gauge) => void,
      ...labelNames: string[]
    ): void => {
      const collect = (into: Gauge): void => {
        const state = this.#state?.();
        if (!state) return;
        into.reset();
        read(state, into);
      };
      metrics.gauge({ name, help, labelNames, collect });
    };
    gauge('sallyport_eventloop_lag_seconds', 'How late the last timer was.', (state, into) => {
      into.set(state.eventLoopLagMs / 1000);
    });
    for (const [name, help, of] of QUEUE_GAUGES) {
      const read = ({ queues }: EngineState, into: Gauge): void => {
        for (const [queue, figures] of queues) {
          into.set(of(figures), { name: queue });
          this.#count(queue, figures);
        }
      };
      gauge(name, help, read, 'name');
    }
    gauge(
      'leader_election_master_status',
      '1 while this process leads.',
      ({ leading }, into) => {
        into.set(leading ? 1 : 0, { name: lease });
      },
      'name',
    );
    gauge(
      'sallyport_last_event_age_seconds',
      'Since the API server last said anything.',
      (state, into) => {
        into.set(state.lastEventAgeMs / 1000);
      },
    );
    gauge('sallyport_fight_active', 'Fields left to another field manager.', (state, into) => {
      into.set(state.fights);
    });
    gauge('sallyport_cache_objects', 'Objects in the cache.', byKind('cacheObjects'), 'kind');
    gauge('sallyport_paused', 'Resources that are paused.', byKind('paused'), 'kind');
  }
}

/** client-go's names. */
const QUEUE_GAUGES: readonly (readonly [string, string, (figures: WorkQueueMetrics) => number])[] =
  [
    ['workqueue_depth', 'Keys that wait.', ({ depth }) => depth],
    [
      'workqueue_longest_running_processor_seconds',
      'How long the slowest key is being worked on.',
      ({ longestRunningMs }) => longestRunningMs / 1000,
    ],
    [
      'workqueue_unfinished_work_seconds',
      'Age of the oldest key that waits.',
      ({ oldestAgeMs }) => oldestAgeMs / 1000,
    ],
  ];

function byKind(field: 'cacheObjects' | 'paused'): (state: EngineState, into: Gauge) => void {
  return (state, into) => {
    for (const [kind, count] of state[field]) into.set(count, { kind });
  };
}
