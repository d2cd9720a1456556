import { ApiError } from './api-error.js';
import { exponentialMs, jitteredMs, type BackoffBounds } from './backoff.js';
import type { Scope, WatchEvent } from './client-types.js';
import type { ClusterClient } from './cluster.client.js';
import { listScope, type Snapshot } from './reflector-list.client.js';
import { streamScope } from './reflector-stream.client.js';
import { refOf } from './object.js';
import type { Change, Store } from './store.js';
import { wait } from './wait.client.js';
import { BadWatchLine } from './watch-lines.js';

/** Why a whole list was asked for. */
export type RelistReason = 'Start' | 'Gone' | 'BadLine' | 'Rewound' | 'Incomplete';

/** What happens to a reflector, for metrics and logs. */
export interface ReflectorHooks {
  onRelist?(scope: Scope, reason: RelistReason): void;
  /** A watch ended or failed and is opened again; `error` is absent when the server ended it in order. */
  onReconnect?(scope: Scope, error?: unknown): void;
  onBookmark?(scope: Scope): void;
  /** A change handler threw. */
  onHandlerError?(scope: Scope, error: unknown): void;
}

/** Times of a reflector, in milliseconds; tests shorten them. */
export interface ReflectorTimings {
  /** The server is asked to end a watch after this long, plus up to as much again. */
  readonly watchMs: number;
  /**
   * A watch without a byte for this long is opened again; that is one request, no list. The server sends a
   * bookmark about every minute, if its etcd reports progress (`--watch-progress-notify-interval`, kubeadm: 5s).
   */
  readonly livenessMs: number;
  /** A watch that lived this long proves that the server is well: the next failure starts at the shortest pause. */
  readonly healthyMs: number;
  /** The whole set must have been streamed within this time, else it is listed. */
  readonly initialMs: number;
  readonly backoff: BackoffBounds;
}

const TIMINGS: ReflectorTimings = {
  watchMs: 300_000,
  livenessMs: 100_000,
  healthyMs: 60_000,
  initialMs: 60_000,
  // The longest pause is what an event may be late after the network has healed.
  backoff: { firstMs: 200, maxMs: 3_000 },
};

/** A watch that the server ends sooner than this, in order, counts as a failure: else we would spin. */
const SHORT_WATCH_MS = 1_000;

/** What a reflector is made with. */
export interface ReflectorOptions {
  readonly client: ClusterClient;
  readonly store: Store;
  readonly scope: Scope;
  /** Must only enqueue keys. What it throws goes to `onHandlerError` and ends nothing. */
  readonly onChange: (change: Change) => void;
  readonly hooks?: ReflectorHooks;
  readonly timings?: Partial<ReflectorTimings>;
  /** From 0 to 1; default Math.random. */
  readonly random?: () => number;
}

/** Counters of one reflector. */
export interface ReflectorMetrics {
  readonly relistsTotal: number;
  readonly reconnectsTotal: number;
  readonly bookmarksTotal: number;
  readonly eventsTotal: number;
  /** Since anything came from the server: an event, a bookmark, a list. */
  readonly lastEventAgeMs: number;
}

/**
 * Keeps one scope of the store equal to the API server: streams or lists the whole set, then watches, and
 * starts again from the right point after whatever ends a watch. Never gives up until it is stopped.
 */
export class Reflector {
  readonly #options: ReflectorOptions;
  readonly #timings: ReflectorTimings;
  readonly #stopping = new AbortController();
  readonly #synced = Promise.withResolvers<undefined>();
  readonly #random: () => number;
  #running: Promise<void> | undefined;
  #hasSynced = false;
  /** Where the next watch starts; undefined: a whole list is needed. */
  #version: string | undefined;
  #reason: RelistReason = 'Start';
  #streams = true;
  #failures = 0;
  #openedMs = 0;
  #heardMs = performance.now();
  readonly #counts = { relists: 0, reconnects: 0, bookmarks: 0, events: 0 };

  constructor(options: ReflectorOptions) {
    this.#options = options;
    this.#timings = { ...TIMINGS, ...options.timings };
    this.#random = options.random ?? Math.random;
    // Who does not wait for it shall not see an unhandled rejection when we are stopped.
    this.#synced.promise.catch(() => undefined);
  }

  /** Starts to follow the scope; a second call does nothing. */
  start(): void {
    if (!this.#stopped()) this.#running ??= this.#run();
  }

  /** Resolves when the first whole set is in the store; rejects when stopped before. */
  get synced(): Promise<undefined> {
    return this.#synced.promise;
  }

  /** Whether the first whole set is in the store. */
  get hasSynced(): boolean {
    return this.#hasSynced;
  }

  /** The counters as of now. */
  metrics(): ReflectorMetrics {
    const { relists, reconnects, bookmarks, events } = this.#counts;
    return {
      relistsTotal: relists,
      reconnectsTotal: reconnects,
      bookmarksTotal: bookmarks,
      eventsTotal: events,
      lastEventAgeMs: performance.now() - this.#heardMs,
    };
  }

  /** Ends the watch and resolves when nothing runs any more. No handler is called after this was. May be called twice. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#synced.reject(new Error('The reflector was stopped before it had synced.'));
    await this.#running;
  }

  #stopped(): boolean {
    return this.#stopping.signal.aborted;
  }

  async #run(): Promise<void> {
    while (!this.#stopped()) {
      this.#openedMs = performance.now();
      let failure: unknown;
      try {
        await this.#session();
      } catch (error) {
        failure = error;
      }
      if (!this.#stopped()) await wait(this.#ended(failure), this.#stopping.signal);
    }
  }

  /** From a whole set or the last version to the end of one watch. */
  async #session(): Promise<void> {
    if (this.#version === undefined) {
      this.#counts.relists += 1;
      this.#options.hooks?.onRelist?.(this.#options.scope, this.#reason);
      if (this.#streams && (await this.#stream())) return;
      this.#publish(await this.#list());
    }
    const events = this.#watch(this.#version, this.#stopping.signal);
    for await (const event of events) this.#take(event);
  }

  async #list(): Promise<Snapshot> {
    const { client, store, scope } = this.#options;
    const signal = this.#stopping.signal;
    const first = this.#reason === 'Start' || this.#reason === 'Incomplete';
    return listScope({ client, scope, signal, fresh: !first, prepare: (o) => store.prepare(o) });
  }

  /** False when the server has not streamed the whole set. */
  async #stream(): Promise<boolean> {
    const { store } = this.#options;
    const outcome = await streamScope({
      open: (signal) => this.#watch(undefined, signal),
      signal: this.#stopping.signal,
      initialMs: this.#timings.initialMs,
      prepare: (object) => store.prepare(object),
      onSet: (snapshot) => {
        this.#publish(snapshot);
      },
      onEvent: (event) => {
        this.#take(event);
      },
    });
    if (outcome === 'Refused') this.#streams = false;
    return outcome === 'Ended';
  }

  #watch(version: string | undefined, signal: AbortSignal): AsyncGenerator<WatchEvent, void, void> {
    const { client, scope } = this.#options;
    const { watchMs, livenessMs } = this.#timings;
    return client.watch(scope, {
      signal,
      timeoutSeconds: Math.ceil((watchMs * (1 + this.#random())) / 1000),
      livenessMs,
      ...(version === undefined ? { sendInitialEvents: true } : { resourceVersion: version }),
    });
  }

  #publish({ entries, resourceVersion }: Snapshot): void {
    if (this.#stopped()) return;
    this.#heardMs = performance.now();
    const { store, scope } = this.#options;
    const rewound = this.#reason === 'Rewound';
    const changes = store.replaceAll(scope, entries, resourceVersion, { rewound });
    this.#version = resourceVersion;
    this.#hasSynced = true;
    this.#tell(changes);
    this.#synced.resolve(undefined);
  }

  #take(event: WatchEvent): void {
    if (this.#stopped()) return;
    this.#heardMs = performance.now();
    if (event.type === 'BOOKMARK') {
      this.#counts.bookmarks += 1;
      this.#version = event.resourceVersion;
      this.#options.hooks?.onBookmark?.(this.#options.scope);
      return;
    }
    const { store } = this.#options;
    const { object } = event;
    const { uid = '', resourceVersion = '' } = object.metadata;
    this.#counts.events += 1;
    this.#version = resourceVersion;
    this.#tell(
      event.type === 'DELETED'
        ? store.remove(refOf(object), uid, resourceVersion)
        : store.put(object),
    );
  }

  #tell(changes: readonly Change[]): void {
    const { onChange, hooks, scope } = this.#options;
    for (const change of changes) {
      try {
        onChange(change);
      } catch (error) {
        hooks?.onHandlerError?.(scope, error);
      }
    }
  }

  /** Draws the conclusions from the end of a session; returns the pause before the next, in ms. */
  #ended(error: unknown): number {
    const livedMs = performance.now() - this.#openedMs;
    const reason = relistReason(error);
    if (reason !== undefined) {
      this.#version = undefined;
      this.#reason = reason;
    }
    this.#counts.reconnects += 1;
    this.#options.hooks?.onReconnect?.(this.#options.scope, error);
    if (livedMs >= this.#timings.healthyMs) this.#failures = 0;
    if (error === undefined && livedMs >= SHORT_WATCH_MS) return 0;
    this.#failures += 1;
    const ms = jitteredMs(exponentialMs(this.#failures, this.#timings.backoff), this.#random());
    return Math.max(ms, askedPauseMs(error));
  }
}

/** A server that is overloaded says when to come back; more than this is not believed. */
const MAX_ASKED_MS = 30_000;

function askedPauseMs(error: unknown): number {
  const seconds = error instanceof ApiError ? (error.retryAfterSeconds ?? 0) : 0;
  return Math.min(seconds * 1000, MAX_ASKED_MS);
}

/** Why the next session must begin with a whole list; undefined when the last version still serves. */
function relistReason(error: unknown): RelistReason | undefined {
  if (error instanceof BadWatchLine) return 'BadLine';
  if (!(error instanceof ApiError)) return error === undefined ? undefined : 'Incomplete';
  if (error.kind === 'Gone') return 'Gone';
  const rewound = error.causes.some(({ reason }) => reason === 'ResourceVersionTooLarge');
  return rewound ? 'Rewound' : undefined;
}
