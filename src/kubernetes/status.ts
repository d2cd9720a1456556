import { failureStanding } from './child-failures.js';
import type { ChildFailure } from './child-failures.js';
import { commonConditions, setCondition } from './conditions.js';
import { driftVerdict, FIGHT_REVERTS, forgetFights } from './drift.js';
import type { Drift, DriftRecord } from './drift.js';
import { desiredHash } from './owned-fields.js';
import type { CommonStatus, Condition } from './plan.js';

/** A status as the engine reads and completes it. */
interface EngineStatus extends Partial<CommonStatus> {
  readonly drift?: readonly DriftRecord[];
}

/** Top-level fields of a status that other field managers of ours apply; they are neither compared nor written here. */
export const STATUS_FIELDS_OF_OTHERS: ReadonlySet<string> = new Set(['policyBundle']);

export interface Outcome {
  readonly failures: readonly ChildFailure[];
  readonly records: readonly DriftRecord[];
  /** Fields that are left as another manager wants them. */
  readonly left: readonly Drift[];
  readonly generation: number;
  readonly now: Date;
}

/**
 * The status to write: what the room planned, with what carrying out has shown. Failures replace `Ready`,
 * `Reconciling` and `Stalled`, unless the room itself is stalled: its reason comes first. Drift adds `DriftDetected`
 * and `drift`.
 */
export function completeStatus<Status extends CommonStatus>(
  planned: Status,
  live: object | undefined,
  outcome: Outcome,
): Status {
  const before = (live ?? {}) as EngineStatus;
  const standing = isStalled(planned) ? undefined : failureStanding(outcome.failures);
  const drift = driftVerdict(outcome.records, outcome.left);
  const verdicts = [...(standing ? commonConditions(standing) : []), ...(drift ? [drift] : [])];
  if (verdicts.length === 0) return planned;
  const conditions = verdicts.reduce<readonly Condition[]>(
    (list, verdict) => setCondition(withLive(list, before, verdict.type), verdict, outcome),
    planned.conditions,
  );
  return {
    ...planned,
    conditions,
    ...(outcome.records.length === 0 ? {} : { drift: outcome.records }),
  };
}

function isStalled({ conditions }: CommonStatus): boolean {
  return conditions.some(({ type, status }) => type === 'Stalled' && status === 'True');
}

/**
 * `status.drift` of `live`, without the quarrels that were declared for an earlier generation: an edit of the resource
 * starts anew.
 */
export function driftRecordsOf(
  live: object | undefined,
  generation: number,
): readonly DriftRecord[] {
  const { drift = [], conditions = [] } = (live ?? {}) as EngineStatus;
  const detected = conditions.find(({ type }) => type === 'DriftDetected');
  const edited = detected !== undefined && detected.observedGeneration !== generation;
  return edited && drift.some(({ reverts }) => reverts >= FIGHT_REVERTS)
    ? forgetFights(drift)
    : drift;
}

/** Hash of the part of a status that we write. Equal hashes need no write. */
export function statusHash(status: object | undefined): string {
  const ours = Object.entries(status ?? {}).filter(
    ([field, value]) => !STATUS_FIELDS_OF_OTHERS.has(field) && value !== undefined,
  );
  return desiredHash({
    apiVersion: '',
    kind: '',
    metadata: { name: '' },
    status: Object.fromEntries(ours),
  });
}

/**
 * `conditions` where the one of `type` is the live one, if there is any: the transition time is that of what stands, not
 * of what the room alone would have said.
 */
function withLive(
  conditions: readonly Condition[],
  live: EngineStatus,
  type: string,
): readonly Condition[] {
  const standing = live.conditions?.find((condition) => condition.type === type);
  if (!standing) return conditions;
  return conditions.some((condition) => condition.type === type)
    ? conditions.map((condition) => (condition.type === type ? standing : condition))
    : [...conditions, standing];
}
