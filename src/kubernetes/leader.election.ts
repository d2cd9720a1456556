import type { Clock } from '../runtime/clock.js';
import { isApiError } from './api-error.js';
import type { ClusterClient } from './cluster.client.js';
import {
  checkTimings,
  decideLease,
  isHeldBy,
  observeLease,
  releasedLease,
} from './leader-lease.js';
import type { LeaseTimings, ObservedLease } from './leader-lease.js';
import type { KubernetesObject, ObjectKey, ObjectRef } from './object.js';
import { outcomeOf } from './write-record.js';
import type { OnWrite } from './write-record.js';

/** Share of the renew deadline that one call may take. */
const CALL_SHARE = 0.6;
/** Giving the lease back must not hold up the end of the process. */
const RELEASE_DEADLINE_MS = 700;

export interface ElectionOptions {
  /** Best a client of its own, so that no queue of writes delays a renewal. */
  readonly client: ClusterClient;
  readonly clock: Clock;
  /** 0 to below 1: spreads the attempts of several standbys. */
  readonly random: () => number;
  readonly lease: ObjectKey;
  /** Unique among all processes: pod name and a random part. */
  readonly identity: string;
  readonly timings: LeaseTimings;
  readonly onWrite: OnWrite;
  readonly onLeading: () => void;
  readonly onLost: (reason: 'Expired' | 'Taken') => void;
  readonly onError: (error: unknown) => void;
}

/**
 * Leads while it could renew the Lease within the renew deadline by the monotonic clock. Losing it ends nothing but
 * writing: it goes on trying.
 */
export class LeaderElection {
  readonly #options: ElectionOptions;
  #observed: ObservedLease | undefined;
  #held: KubernetesObject | undefined;
  /** When the last successful renewal was begun: the lease runs from then at the latest. */
  #renewedAtMs = Number.NEGATIVE_INFINITY;
  #leading = false;
  #stopped = false;
  #timer: NodeJS.Timeout | undefined;
  #attempt: Promise<void> = Promise.resolve();
  #deadline: NodeJS.Timeout | undefined;
  readonly #abort = new AbortController();

  constructor(options: ElectionOptions) {
    checkTimings(options.timings);
    this.#options = options;
  }

  /** Begins to run for leader; `onLeading` and `onLost` tell the outcome. */
  start(): void {
    this.#schedule(0);
  }

  /** True only while no other process can have taken the lease: asked before each write, it needs no timer. */
  get leads(): boolean {
    const { clock, timings } = this.#options;
    return this.#leading && clock.monotonicMs() - this.#renewedAtMs < timings.renewDeadlineMs;
  }

  /** Stops, and gives the lease back if it is ours. Call it when the last write has been answered. */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    const held = this.#leading ? this.#held : undefined;
    const ours = this.#leading;
    this.#leading = false;
    clearTimeout(this.#timer);
    clearTimeout(this.#deadline);
    this.#abort.abort();
    await this.#attempt;
    if (!ours) return;
    try {
      await this.#release(held);
    } catch (error) {
      this.#options.onError(error); // It expires by itself.
    }
  }

  /** A renewal that was cut off may have been stored: then the lease is read once and released as it is. */
  async #release(held: KubernetesObject | undefined): Promise<void> {
    const { client, clock, timings, identity, lease: ref } = this.#options;
    const options = { deadlineMs: Math.min(timings.retryPeriodMs, RELEASE_DEADLINE_MS) };
    try {
      if (held) {
        this.#tell('Release', await client.replace(releasedLease(held, clock.now()), options));
        return;
      }
    } catch (error) {
      if (!isApiError(error, 'Conflict')) throw error;
    }
    const live = await client.find(leaseRef(ref), options);
    if (live && isHeldBy(live, identity)) {
      this.#tell('Release', await client.replace(releasedLease(live, clock.now()), options));
    }
  }

  #schedule(delayMs: number): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => {
      this.#attempt = this.#tryOnce();
    }, delayMs);
  }

  async #tryOnce(): Promise<void> {
    const { timings, random, clock, onError } = this.#options;
    const beganMs = clock.monotonicMs();
    try {
      await this.#contend();
    } catch (error) {
      // Whatever came back, what we know of the lease is old: read it next time.
      this.#held = undefined;
      if (!this.#stopped) onError(error);
    }
    this.#checkDeadline();
    // From the beginning of this attempt: on a slow API server the next one follows at once.
    const periodMs = timings.retryPeriodMs * (this.#leading ? 1 : 1 + 0.2 * random());
    this.#schedule(Math.max(0, periodMs - (clock.monotonicMs() - beganMs)));
  }

  /** One attempt: at most one read and one write. The holder renews without reading. */
  async #contend(): Promise<void> {
    const { client, clock, identity, timings, lease: ref } = this.#options;
    // A call that hangs leaves time for a second one before the deadline.
    const options = {
      deadlineMs: timings.renewDeadlineMs * CALL_SHARE,
      signal: this.#abort.signal,
    };
    const lease = this.#held ?? (await client.find(leaseRef(ref), options));
    if (lease) this.#observed = observeLease(this.#observed, lease, clock.monotonicMs());
    const decision = decideLease({
      lease,
      observed: this.#observed,
      identity,
      timings,
      nowMs: clock.monotonicMs(),
      now: clock.now(),
      ref,
    });
    if (this.#stopped) return;
    if (decision.action === 'Wait') {
      this.#lose('Taken');
      return;
    }
    const beganMs = clock.monotonicMs();
    try {
      const written =
        decision.action === 'Create'
          ? await client.create(decision.lease, options)
          : await client.replace(decision.lease, options);
      this.#tell(decision.action, written);
      this.#lead(written, beganMs);
    } catch (error) {
      this.#tell(decision.action, error);
      if (!isApiError(error, 'Conflict', 'AlreadyExists')) throw error;
      this.#held = undefined; // Somebody was first; the next attempt reads who.
    }
  }

  /** A renewal every two seconds is no news; taking and giving back is. */
  #tell(action: 'Create' | 'Acquire' | 'Renew' | 'Release', answer: unknown): void {
    if (action === 'Renew') return;
    const verb = action === 'Create' ? 'create' : 'update';
    const { uid = '', resourceVersion = '' } =
      answer instanceof Error ? {} : (answer as KubernetesObject).metadata;
    this.#options.onWrite({
      verb,
      ref: leaseRef(this.#options.lease),
      ...(answer instanceof Error
        ? outcomeOf(answer)
        : { uid, resourceVersion, outcome: 'success', reason: action }),
    });
  }

  #lead(lease: KubernetesObject, beganMs: number): void {
    this.#held = lease;
    this.#renewedAtMs = beganMs;
    this.#observed = observeLease(this.#observed, lease, beganMs);
    this.#watchDeadline();
    if (this.#leading || this.#stopped) {
      this.#leading = true;
      return;
    }
    this.#leading = true;
    this.#options.onLeading();
  }

  /** Tells `onLost` in time even while an attempt hangs. */
  #watchDeadline(): void {
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(() => {
      this.#checkDeadline();
    }, this.#options.timings.renewDeadlineMs + 1);
    this.#deadline.unref();
  }

  #checkDeadline(): void {
    if (this.#leading && !this.leads) this.#lose('Expired');
  }

  #lose(reason: 'Expired' | 'Taken'): void {
    this.#held = undefined;
    if (!this.#leading || this.#stopped) return;
    this.#leading = false;
    this.#options.onLost(reason);
  }
}

function leaseRef(key: ObjectKey): ObjectRef {
  return { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', ...key };
}
