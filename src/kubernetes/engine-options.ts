import type { Clock } from '../runtime/clock.js';
import type { Logger } from '../runtime/log.js';
import type { ClusterClient } from './cluster.client.js';
import type { EngineMetrics } from './engine.metrics.js';
import type { LeaseTimings } from './leader-lease.js';
import type { NamespaceScope } from './namespace-scope.js';
import type { ObjectKey } from './object.js';
import type { ResourceKind } from './resources.js';
import type { WorkQueueMetrics } from './work-queue.js';
import type { OnWrite } from './write-record.js';

/** What an engine is made with. */
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
  /** How often to ask again whether an optional kind is served, in milliseconds. Default 60,000. */
  readonly recheckKindsMs?: number;
}

/** Facts for /livez and /readyz. */
export interface EngineHealth {
  readonly synced: boolean;
  readonly leader: boolean;
  readonly lastEventAgeMs: number;
  readonly queues: ReadonlyMap<string, WorkQueueMetrics>;
}
