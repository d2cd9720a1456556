import type { HealthReport } from '../runtime/health.js';

/** What the operator's probes look at. */
export interface OperatorHealth {
  /** Every cache holds what the API server holds. */
  readonly synced: boolean;
  readonly leader: boolean;
  /** Since the API server last said anything on the quietest watch; bookmarks come every minute. */
  readonly lastEventAgeMs: number;
}

/** Bookmarks come about once a minute; after three without one the caches may be old. */
const QUIET_FOR_MS = 180_000;

/** Alive as long as it can answer: an API server that is away is no reason to restart. */
export const liveReport = (): HealthReport => ({ name: 'process', state: 'up', facts: {} });

/**
 * Whether the caches are synced. Silence of the API server is `degraded`: shown, and no reason to be taken for dead.
 */
export function cachesReport({ synced, lastEventAgeMs }: OperatorHealth): HealthReport {
  const facts = { synced, lastEventAgeSeconds: Math.floor(lastEventAgeMs / 1000) };
  if (!synced) return { name: 'caches', state: 'down', facts };
  return { name: 'caches', state: lastEventAgeMs > QUIET_FOR_MS ? 'degraded' : 'up', facts };
}

/** A standby is as ready as the leader: its caches are warm and it writes nothing. */
export const electionReport = ({ leader }: OperatorHealth): HealthReport => ({
  name: 'election',
  state: 'up',
  facts: { role: leader ? 'leader' : 'standby' },
});
