import { TokenBucket, exponentialMs, type BackoffBounds } from './backoff.js';
import { DelayHeap } from './delay-heap.js';
import { RingBuffer } from './ring-buffer.js';

/** `Edit`: somebody changed something. `Resync`: we look again unasked. Edits are taken first. */
export type Priority = 'Edit' | 'Resync';

/** client-go's bounds for one key. */
const RETRY_BOUNDS: BackoffBounds = { firstMs: 5, maxMs: 1_000_000 };

/**
 * For all keys together. Ten times client-go's: server-side apply of one gateway is a dozen calls of a
 * millisecond each, and a thousand gateways that failed together should not take minutes to be tried again.
 */
const RETRY_RATE = { perSecond: 100, burst: 1000 };

/** After this many edits in a row one resync is taken, so that a busy cluster cannot starve them. */
const EDITS_IN_A_ROW = 64;

/** What a queue is made with. */
export interface WorkQueueOptions<K> {
  /** Keys with the same id are the same key. */
  readonly idOf: (key: K) => string;
  /** Monotonic milliseconds. */
  readonly nowMs: () => number;
  /** Called whenever `take` may give a key sooner than was known before. */
  readonly onWork?: () => void;
  /** How long a key waited in the queue, when it is taken. */
  readonly onTaken?: (waitedMs: number) => void;
  /** How long a key was worked on, when it is done. */
  readonly onDone?: (workedMs: number) => void;
  readonly retryBounds?: BackoffBounds;
  readonly retryRate?: { readonly perSecond: number; readonly burst: number };
}

/** How the queue does (names of client-go's metrics in docs). */
export interface WorkQueueMetrics {
  /** Keys that wait to be taken. */
  readonly depth: number;
  /** Keys that wait for a time. */
  readonly delayed: number;
  readonly processing: number;
  readonly oldestAgeMs: number;
  readonly longestRunningMs: number;
  readonly addsTotal: number;
  readonly retriesTotal: number;
}

interface Waiting<K> {
  readonly key: K;
  readonly id: string;
  readonly sinceMs: number;
  readonly priority: Priority;
}

interface Processing<K> {
  readonly sinceMs: number;
  /** Added again meanwhile: goes back into the queue when done. */
  again?: Waiting<K>;
}

interface Delayed<K> {
  readonly key: K;
  readonly id: string;
  readonly priority: Priority;
  readonly dueMs: number;
}

/**
 * The keys that need work, as client-go's rate limiting queue keeps them: a key waits at most once however
 * often it was added, and is never worked on twice at a time. Knows no timer and no worker.
 */
export class WorkQueue<K> {
  readonly #options: WorkQueueOptions<K>;
  readonly #bounds: BackoffBounds;
  #bucket: TokenBucket;
  readonly #edits = new RingBuffer<Waiting<K>>();
  readonly #resyncs = new RingBuffer<Waiting<K>>();
  /** The entry that counts for an id; entries of the buffers that are not here were promoted. */
  readonly #waiting = new Map<string, Waiting<K>>();
  readonly #processing = new Map<string, Processing<K>>();
  readonly #heap = new DelayHeap<Delayed<K>>();
  readonly #delayed = new Map<string, Delayed<K>>();
  readonly #failures = new Map<string, number>();
  #editsInARow = 0;
  #adds = 0;
  #retries = 0;
  #closed = false;

  constructor(options: WorkQueueOptions<K>) {
    this.#options = options;
    this.#bounds = options.retryBounds ?? RETRY_BOUNDS;
    this.#bucket = this.#fullBucket();
  }

  /** Queues `key` unless it waits already; an edit overtakes the resync that the same key waits for. */
  add(key: K, priority: Priority = 'Edit'): void {
    if (this.#closed) return;
    this.#adds += 1;
    const id = this.#options.idOf(key);
    const entry = { key, id, sinceMs: this.#options.nowMs(), priority };
    const busy = this.#processing.get(id);
    if (!busy) this.#enqueue(entry);
    else if (!busy.again || outranks(entry, busy.again)) busy.again = entry;
  }

  /** Queues `key` once `delayMs` have passed; the earliest of several times counts. */
  addAfter(key: K, delayMs: number, priority: Priority = 'Resync'): void {
    if (this.#closed) return;
    if (delayMs <= 0) {
      this.add(key, priority);
      return;
    }
    const id = this.#options.idOf(key);
    const dueMs = this.#options.nowMs() + delayMs;
    const known = this.#delayed.get(id);
    if (known && known.dueMs <= dueMs) return;
    const entry = { key, id, priority, dueMs };
    this.#delayed.set(id, entry);
    this.#heap.push(entry, dueMs);
    this.#options.onWork?.();
  }

  /** After a failure: queues `key` after its own doubling delay, or the common bucket's if that is longer. Returns it in ms. */
  addRateLimited(key: K): number {
    const id = this.#options.idOf(key);
    const failures = this.failures(key) + 1;
    this.#failures.set(id, failures);
    this.#retries += 1;
    const delayMs = Math.max(
      exponentialMs(failures, this.#bounds),
      this.#bucket.reserve(this.#options.nowMs()),
    );
    this.addAfter(key, delayMs, 'Edit');
    return delayMs;
  }

  /** After a success: the next failure of `key` starts at the shortest delay again. */
  forget(key: K): void {
    this.#failures.delete(this.#options.idOf(key));
  }

  /**
   * Queues every key that waits after a failure, now. For the moment when what made them fail is over (the
   * API server is back): without it the longest delay, not the outage, says when all have converged.
   */
  hurry(): void {
    this.#bucket = this.#fullBucket();
    for (const { key, id, priority } of [...this.#delayed.values()]) {
      if (!this.#failures.has(id)) continue;
      this.#failures.delete(id);
      this.#delayed.delete(id);
      this.add(key, priority);
    }
  }

  /** How often `key` failed since it was last forgotten. */
  failures(key: K): number {
    return this.#failures.get(this.#options.idOf(key)) ?? 0;
  }

  /** The next key to work on, or undefined. It must be given back by `done`. */
  take(): K | undefined {
    this.#wakeDue();
    const next = this.#next();
    if (!next) return undefined;
    this.#waiting.delete(next.id);
    const nowMs = this.#options.nowMs();
    this.#processing.set(next.id, { sinceMs: nowMs });
    this.#options.onTaken?.(nowMs - next.sinceMs);
    return next.key;
  }

  /** Ends the work on `key`; if it was added meanwhile it waits again. */
  done(key: K): void {
    const id = this.#options.idOf(key);
    const busy = this.#processing.get(id);
    if (!busy) return;
    this.#processing.delete(id);
    this.#options.onDone?.(this.#options.nowMs() - busy.sinceMs);
    if (busy.again) this.#enqueue(busy.again);
  }

  /** Milliseconds until the next delayed key is due, 0 when it is; undefined when none waits for a time. */
  msUntilDue(): number | undefined {
    const dueMs = this.#heap.nextDueMs;
    return dueMs === undefined ? undefined : Math.max(0, dueMs - this.#options.nowMs());
  }

  /** Takes no key any more, but hands out what waits now, and what was added during its own work. */
  drain(): void {
    this.#closed = true;
    this.#heap.clear();
    this.#delayed.clear();
  }

  /** Takes no key any more and forgets all that waits. What is being worked on is still to be given back. */
  shutDown(): void {
    this.drain();
    this.#edits.clear();
    this.#resyncs.clear();
    this.#waiting.clear();
    for (const busy of this.#processing.values()) delete busy.again;
    this.#options.onWork?.();
  }

  /** Whether nothing waits to be taken and nothing is being worked on. Keys that wait for a time do not count. */
  idle(): boolean {
    return this.#waiting.size === 0 && this.#processing.size === 0;
  }

  /** The state of the queue, for metrics. */
  metrics(): WorkQueueMetrics {
    const nowMs = this.#options.nowMs();
    const oldest = [this.#head(this.#edits), this.#head(this.#resyncs)].map((entry) =>
      entry ? nowMs - entry.sinceMs : 0,
    );
    const running = [...this.#processing.values()].map(({ sinceMs }) => nowMs - sinceMs);
    return {
      depth: this.#waiting.size,
      delayed: this.#delayed.size,
      processing: this.#processing.size,
      oldestAgeMs: Math.max(...oldest),
      longestRunningMs: Math.max(0, ...running),
      addsTotal: this.#adds,
      retriesTotal: this.#retries,
    };
  }

  #fullBucket(): TokenBucket {
    return new TokenBucket(this.#options.retryRate ?? RETRY_RATE);
  }

  #enqueue(entry: Waiting<K>): void {
    const known = this.#waiting.get(entry.id);
    if (known && !outranks(entry, known)) return;
    // An overtaking edit keeps the time since when its key waits.
    const kept = known ? { ...entry, sinceMs: known.sinceMs } : entry;
    this.#waiting.set(entry.id, kept);
    (entry.priority === 'Edit' ? this.#edits : this.#resyncs).push(kept);
    this.#options.onWork?.();
  }

  #wakeDue(): void {
    const nowMs = this.#options.nowMs();
    for (let due = this.#heap.popDue(nowMs); due; due = this.#heap.popDue(nowMs)) {
      // A later time that an earlier one has replaced.
      if (this.#delayed.get(due.id) !== due) continue;
      this.#delayed.delete(due.id);
      this.add(due.key, due.priority);
    }
  }

  #next(): Waiting<K> | undefined {
    const resync = this.#head(this.#resyncs);
    const resyncNow = resync && this.#editsInARow >= EDITS_IN_A_ROW;
    const edit = resyncNow ? undefined : this.#head(this.#edits);
    if (edit) {
      this.#editsInARow += 1;
      return this.#edits.shift();
    }
    this.#editsInARow = 0;
    return resync && this.#resyncs.shift();
  }

  /** The first entry of `buffer` that counts; those before it, which were overtaken, are dropped. */
  #head(buffer: RingBuffer<Waiting<K>>): Waiting<K> | undefined {
    let head = buffer.peek();
    while (head && this.#waiting.get(head.id) !== head) {
      buffer.shift();
      head = buffer.peek();
    }
    return head;
  }
}

function outranks(a: Waiting<unknown>, b: Waiting<unknown>): boolean {
  return a.priority === 'Edit' && b.priority === 'Resync';
}
