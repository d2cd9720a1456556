/*
 * What /readyz says. A database that does not answer takes the gateway out: who logs in is refused, and another replica
 * may do better. Those who are in stay in, because not-ready ends no connection.
 */
import type { ProbeAnswer } from '../../runtime/probe.server.js';
import type { StorageReason } from '../store.js';

/** What readiness depends on. */
export interface GatewayCondition {
  /** SIGTERM came: nobody new is let in. */
  readonly isEnding: boolean;
  /** Why nobody can be served: no certificate, no lease keys, no database. */
  readonly problems: readonly string[];
  /** What is wrong and does not matter yet: a bad new file, the bus, no policy bundle. */
  readonly warnings: readonly string[];
}

/** `ready`, `ending`, or `not ready`, with one reason per line. */
export function readyAnswer({ isEnding, problems, warnings }: GatewayCondition): ProbeAnswer {
  if (isEnding) return { code: 503, body: 'ending' };
  if (problems.length > 0)
    return { code: 503, body: ['not ready', ...problems, ...warnings].join('\n') };
  return { code: 200, body: ['ready', ...warnings].join('\n') };
}

/** The problem of a database as a line; none while it takes writes. */
export const storageProblem = (reason: StorageReason | undefined): readonly string[] =>
  reason === undefined ? [] : [`storage: the database is not available: ${reason}`];

/** The problem of the bus as a line; none while other replicas can be reached. */
export const busProblem = (isConnected: boolean | undefined): readonly string[] =>
  isConnected === false ? ['bus: other replicas cannot be reached'] : [];
