import type { Child } from './cluster.js';
import type { PauseReason } from './conditions.js';
import { ANNOTATION_PAUSED_REASON, ANNOTATION_PAUSED_UNTIL } from './metadata.js';
import { refId, refOf } from './object.js';
import type { KubernetesObject } from './object.js';
import type { CommonStatus, Plan, Verdict } from './plan.js';

/** What the pause annotations of a resource say now. */
export type Pause =
  | { readonly state: 'Running' }
  | { readonly state: 'Paused'; readonly until: Date; readonly reason: string }
  | { readonly state: 'Expired'; readonly until: Date }
  | { readonly state: 'Invalid'; readonly value: string };

/** The longest pause: a resource that nobody wakes is forgotten. */
export const MAX_PAUSE_MS = 30 * 24 * 3_600_000;

/** RFC 3339 with a zone: a local time would mean something else on every machine. */
const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;
const MAX_REASON_CHARS = 100;

/**
 * Reads `sallyport.dev/paused-until` and `sallyport.dev/paused-reason`. A value that is no time, or is further away than
 * `MAX_PAUSE_MS`, does not pause: a typing mistake must not stop repairs for ever; status says so.
 */
export function readPause(
  annotations: Readonly<Record<string, string>> | undefined,
  now: Date,
): Pause {
  const value = annotations?.[ANNOTATION_PAUSED_UNTIL];
  if (value === undefined) return { state: 'Running' };
  const until = new Date(value);
  const remainingMs = until.getTime() - now.getTime();
  if (!RFC3339.test(value) || !(remainingMs <= MAX_PAUSE_MS)) return { state: 'Invalid', value };
  if (remainingMs <= 0) return { state: 'Expired', until };
  const reason = annotations?.[ANNOTATION_PAUSED_REASON] ?? 'no reason given';
  return { state: 'Paused', until, reason: reason.slice(0, MAX_REASON_CHARS) };
}

/** `Paused` for `pause`, naming how many objects wait. */
export function pausedVerdict(
  pause: Pause,
  pendingChanges: number,
): Verdict<'Paused', PauseReason> {
  const waiting = pendingChanges === 1 ? '1 change waits' : `${pendingChanges} changes wait`;
  switch (pause.state) {
    case 'Running':
      return {
        type: 'Paused',
        status: 'False',
        reason: 'NotPaused',
        message: 'Changes are applied at once.',
      };
    case 'Paused':
      return {
        type: 'Paused',
        status: 'True',
        reason: 'PausedByAnnotation',
        message: `Paused until ${pause.until.toISOString()} (${pause.reason}). ${pendingChanges === 0 ? 'No change waits' : waiting}. Remove the annotation ${ANNOTATION_PAUSED_UNTIL} to go on.`,
      };
    case 'Expired':
      return {
        type: 'Paused',
        status: 'False',
        reason: 'PauseExpired',
        message: `The pause ended at ${pause.until.toISOString()}; changes are applied. Remove the annotation ${ANNOTATION_PAUSED_UNTIL}.`,
      };
    case 'Invalid':
      return {
        type: 'Paused',
        status: 'False',
        reason: 'PauseInvalid',
        message: `Not paused: write ${ANNOTATION_PAUSED_UNTIL} as a time within 30 days, such as 2030-01-31T12:00:00Z.`,
      };
  }
}

export interface HoldInput {
  readonly pause: Pause;
  readonly now: Date;
  /** The cached child of a planned object. */
  readonly child: (object: KubernetesObject) => Child | undefined;
  /** `desiredHash` of owned-fields.ts. */
  readonly hash: (object: KubernetesObject) => string;
  /** Whether an object is written although the resource is paused: keys, certificates, trust. */
  readonly goesOn: (object: KubernetesObject) => boolean;
}

export interface Held<Status extends CommonStatus> {
  readonly plan: Plan<Status>;
  /** `Paused` as it belongs into the status. */
  readonly verdict: Verdict<'Paused', PauseReason>;
  readonly pending: number;
}

/**
 * `plan` as a paused resource carries it out: objects that go on are applied, all others stay as they are (neither
 * created, nor changed, nor pruned) and are counted when they would change; it looks again when the pause ends.
 */
export function holdWhilePaused<Status extends CommonStatus>(
  plan: Plan<Status>,
  { pause, now, child, hash, goesOn }: HoldInput,
): Held<Status> {
  if (pause.state !== 'Paused') return { plan, verdict: pausedVerdict(pause, 0), pending: 0 };
  const held = plan.apply.filter((object) => !goesOn(object));
  const pending = held.filter((object) => child(object)?.ownedHash !== hash(object)).length;
  const endsInMs = pause.until.getTime() - now.getTime();
  return {
    pending,
    verdict: pausedVerdict(pause, pending),
    plan: {
      ...plan,
      apply: plan.apply.filter(goesOn),
      keep: uniqueRefs([...plan.keep, ...held.map(refOf)]),
      prune: 'Nothing',
      requeueAfterMs: Math.min(plan.requeueAfterMs ?? endsInMs, endsInMs),
    },
  };
}

function uniqueRefs(refs: Plan['keep']): Plan['keep'] {
  return [...new Map(refs.map((ref) => [refId(ref), ref])).values()];
}
