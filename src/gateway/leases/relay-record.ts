/*
 * What is known of one relay id: the process that is registered here under it, and what another replica says of it.
 * Times are monotonic milliseconds, except where a name says otherwise.
 */
import type { RelayReport } from '../bus.js';
import { HEARTBEAT_SECONDS } from '../../messages/relay-registry.js';
import type { RelayFacts } from './key-choice.js';
import type { RelayLoad } from './relay-load.js';

/** Three intervals without a heartbeat: nothing more is expected of that process. */
export const ALIVE_MS = 3 * HEARTBEAT_SECONDS * 1_000;

/** A process that is or was registered at this replica. */
export interface LocalRelay {
  readonly boot: string;
  /** Distinguishes connections of the same process. */
  readonly connection: object;
  readonly connected: boolean;
  readonly registeredMs: number;
  readonly heardMs: number;
  readonly seq: number;
  readonly kids: readonly string[];
  readonly draining: boolean;
  /** Undefined before the first heartbeat. */
  readonly clockAheadMs?: number;
  /** Of the newest heartbeat of this process, also of one before it registered again. */
  readonly load?: RelayLoad & { readonly atMs: number };
}

/** What another replica told. */
export interface RemoteRelay {
  readonly from: string;
  readonly toldMs: number;
  readonly report: RelayReport;
}

/** One relay id. */
export interface RelayRecord {
  local?: LocalRelay;
  remote?: RemoteRelay;
  /** When processes registered here, newest last; as many as are needed to tell flapping. */
  registrations: readonly number[];
  /** What was counted already and still holds: an anomaly is counted when it begins. */
  readonly counted: Set<string>;
}

/** A process that has just registered; what the same process said before still counts. */
export function registered(
  before: LocalRelay | undefined,
  who: Pick<LocalRelay, 'boot' | 'connection' | 'kids'>,
  nowMs: number,
): LocalRelay {
  const known = before?.boot === who.boot ? before : undefined;
  return {
    ...who,
    connected: true,
    registeredMs: nowMs,
    heardMs: nowMs,
    seq: 0,
    draining: known?.draining ?? false,
    ...(known?.load && { load: known.load }),
  };
}

/** Whether the process that is registered here is alive. */
export const isAlive = (local: LocalRelay | undefined, nowMs: number): local is LocalRelay =>
  local?.connected === true && nowMs - local.heardMs < ALIVE_MS;

/** Whether another replica has it, as far as is known here. */
export const isElsewhere = (
  remote: RemoteRelay | undefined,
  nowMs: number,
): remote is RemoteRelay => remote?.report.connected === true && nowMs - remote.toldMs < ALIVE_MS;

/** Whether two processes claim this id at two replicas: then nobody knows which one a lease would reach. */
export const isContested = ({ local, remote }: RelayRecord, nowMs: number): boolean =>
  isAlive(local, nowMs) && isElsewhere(remote, nowMs) && local.boot !== remote.report.boot;

/** What counts for choosing: this replica's own view before that of another. */
export function factsOf(rid: string, record: RelayRecord, nowMs: number): RelayFacts {
  const { local, remote } = record;
  if (isAlive(local, nowMs)) {
    const { kids, draining, clockAheadMs, load } = local;
    const alive = !isContested(record, nowMs);
    return { rid, kids, draining, clockAheadMs, sessions: load?.sessions ?? 0, alive };
  }
  if (isElsewhere(remote, nowMs)) {
    const { kids, draining, clockAheadMs, sessions } = remote.report;
    return { rid, kids, draining, clockAheadMs, sessions, alive: true };
  }
  return { rid, kids: [], draining: false, clockAheadMs: undefined, sessions: 0, alive: false };
}
