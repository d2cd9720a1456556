import type { HealthReport } from '../runtime/health.js';
import type { OutdatedKind } from './schema-age.js';

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

/** What the operator knows of the CRDs of its kinds. */
export interface SchemaFacts {
  /** Undefined until the API server has answered once. */
  readonly outdated: readonly OutdatedKind[] | undefined;
  /** Kinds without a CRD. */
  readonly absent: readonly string[];
}

/** Kinds that are held because their CRD is older than the operator, or is not there: shown; the others are served. */
export function schemaReport({ outdated, absent }: SchemaFacts): HealthReport {
  if (outdated === undefined) return { name: 'crds', state: 'up', facts: { known: false } };
  const facts = {
    outdated: outdated.map(({ kind }) => kind).join(' '),
    absent: absent.join(' '),
  };
  const fine = outdated.length === 0 && absent.length === 0;
  return { name: 'crds', state: fine ? 'up' : 'degraded', facts };
}
