/*
 * The life of a key that seals columns of a gateway's database: next (every replica has it, none seals with it) ->
 * current (seals) -> retired (opens). What a retired key sealed is sealed again by a gateway that runs, and cannot be
 * read without it before. So a key is never given up by the clock alone: only by a rotation, after a month, when many
 * newer ones are there; and the calendar rotates only while the gateway runs. Facts are public, keys are the keysmith's.
 */
import type { Child } from '../../kubernetes/cluster.js';
import type { ObjectMeta } from '../../kubernetes/object.js';
import { instant, observedColumnKeys, ownSecret } from './facts.js';
import type { ColumnKeyFact, ObservedKeys } from './facts.js';
import type { ColumnKeysOrder, KeyPlan } from './orders.js';
import { tokenDigest } from './token.js';

export interface ColumnKeysInput {
  /** Secret `NAME-gateway-column-keys` as the cache shows it. */
  readonly secret: Child | undefined;
  /** Metadata with which that Secret is written (`childMetadata`). */
  readonly metadata: ObjectMeta;
  /** `keyRotation.everySeconds` of the gateway; below a day it is a day. */
  readonly everySeconds: number;
  /** Whether a pod of the gateway is ready: it seals again what older keys sealed. */
  readonly isRunning: boolean;
  /** Annotation `sallyport.dev/rotate` of the gateway. */
  readonly rotate?: string | undefined;
  readonly now: Date;
}

/** How many keys the file of a gateway may hold (column-keys.file.ts). */
export const MAX_COLUMN_KEYS = 64;
/** A new key is in every replica's file before one seals with it: the kubelet brings a Secret within 90 s or so. */
const PUBLISH_SECONDS = 180;
const DAY = 86_400;
/** A key that was in use is kept at least so long, and at least as many newer retired ones beside it. */
const KEEP_SECONDS = 30 * DAY;
const KEEP_RETIRED = 30;

/** What a change makes of the keys. */
type Step = Pick<ColumnKeysOrder, 'reason' | 'keep' | 'make' | 'carry'>;

interface Situation {
  readonly input: ColumnKeysInput;
  readonly observed: ObservedKeys<ColumnKeyFact>;
  readonly current: ColumnKeyFact | undefined;
  readonly next: ColumnKeyFact | undefined;
  /** The newest first. */
  readonly retired: readonly ColumnKeyFact[];
}

/** What the column keys of a gateway need now. Same input, same plan. */
export function planColumnKeys(input: ColumnKeysInput): KeyPlan<ColumnKeyFact, ColumnKeysOrder> {
  const { secret, metadata } = input;
  const at = situationOf(observedColumnKeys(ownSecret(secret, metadata), metadata), input);
  const step = STEPS.map((decide) => decide(at)).find((decided) => decided !== undefined);
  const nextAt = nextDecision(at);
  return {
    facts: at.observed.facts,
    ...(step === undefined ? {} : { order: order(at, step) }),
    ...(nextAt === undefined ? {} : { nextAt }),
    ...(isAsked(at) ? { rotationPending: true } : {}),
  };
}

function situationOf(observed: ObservedKeys<ColumnKeyFact>, input: ColumnKeysInput): Situation {
  const of = (state: ColumnKeyFact['state']) =>
    observed.facts.filter((fact) => fact.state === state);
  return {
    input,
    observed,
    current: of('current')[0],
    next: of('next')[0],
    retired: of('retired'),
  };
}

/** The first that speaks wins. */
const STEPS: readonly ((at: Situation) => Step | undefined)[] = [
  whenMissing,
  whenTampered,
  whenAsked,
  whenDue,
  whenAstray,
];

function whenMissing({ observed, input }: Situation): Step | undefined {
  if (observed.exists) return undefined;
  return { reason: 'KeysCreated', keep: [], make: newPair(input.now), carry: 'Nothing' };
}

/**
 * Whoever wrote into the Secret may know what is in it, so nothing of it seals again; but what its keys have sealed can
 * be opened with them alone, and the writer may be somebody who restored a backup: whatever is there still opens.
 */
function whenTampered({ observed, input, current, next }: Situation): Step | undefined {
  const isWhole = !observed.tampered && current !== undefined && next !== undefined;
  if (!observed.exists || isWhole) return undefined;
  return { reason: 'KeyMaterialChanged', keep: [], make: newPair(input.now), carry: 'Found' };
}

function whenAsked(at: Situation): Step | undefined {
  return isAsked(at) ? rotated(at, 'RotationRequested') : undefined;
}

function whenDue(at: Situation): Step | undefined {
  const due = dueAt(at);
  const isDue = due !== undefined && due <= at.input.now.getTime();
  return isDue && at.input.isRunning ? rotated(at, 'KeysRotated') : undefined;
}

/** Somebody changed labels or owner: the same keys are written once more. */
function whenAstray({ observed }: Situation): Step | undefined {
  if (!observed.astray) return undefined;
  return { reason: 'LabelsRestored', keep: observed.facts, make: [], carry: 'Kept' };
}

/** `next` seals from now on, and a new next is published in the same write. Undefined while that may not be. */
function rotated(at: Situation, reason: Step['reason']): Step | undefined {
  const { input, current, next, retired } = at;
  const earliest = promotableAt(at);
  if (current === undefined || next === undefined || earliest === undefined) return undefined;
  if (earliest > input.now.getTime()) return undefined;
  const since = instant(input.now);
  const keep: readonly ColumnKeyFact[] = [
    { ...next, state: 'current', since },
    { ...current, state: 'retired', since },
    ...retired.filter((fact, index) => index < KEEP_RETIRED || !isLongRetired(fact, input.now)),
  ];
  return { reason, keep, make: [{ state: 'next', since }], carry: 'Kept' };
}

function newPair(now: Date): ColumnKeysOrder['make'] {
  const since = instant(now);
  return [
    { state: 'current', since },
    { state: 'next', since },
  ];
}

function isLongRetired({ since }: ColumnKeyFact, now: Date): boolean {
  return Date.parse(since) + KEEP_SECONDS * 1000 <= now.getTime();
}

/** From when `next` may seal: published for long enough, and the file has room for one more key. */
function promotableAt({ next, retired }: Situation): number | undefined {
  if (next === undefined) return undefined;
  const published = Date.parse(next.since) + PUBLISH_SECONDS * 1000;
  const oldest = retired.at(-1);
  // After the rotation there are all retired keys, one more, a current and a next.
  if (oldest === undefined || retired.length + 3 <= MAX_COLUMN_KEYS) return published;
  return Math.max(published, Date.parse(oldest.since) + KEEP_SECONDS * 1000);
}

function dueAt({ current, input }: Situation): number | undefined {
  if (current === undefined) return undefined;
  return Date.parse(current.since) + Math.max(input.everySeconds, DAY) * 1000;
}

/** A new token that no order has answered yet. */
function isAsked({ observed, input: { rotate } }: Situation): boolean {
  return rotate !== undefined && rotate !== '' && tokenDigest(rotate) !== observed.rotated;
}

function nextDecision(at: Situation): Date | undefined {
  const promotable = promotableAt(at);
  const due = isAsked(at) ? 0 : dueAt(at);
  if (promotable === undefined || due === undefined) return undefined;
  return new Date(Math.max(promotable, due));
}

function order({ observed, input }: Situation, step: Step): ColumnKeysOrder {
  const { rotate } = input;
  const answered = step.reason !== 'LabelsRestored' && rotate !== undefined && rotate !== '';
  const digest = answered ? tokenDigest(rotate) : observed.rotated;
  return {
    type: 'ColumnKeys',
    metadata: input.metadata,
    ...step,
    ...(observed.basedOn === undefined ? {} : { basedOn: observed.basedOn }),
    ...(digest === undefined ? {} : { rotated: digest }),
  };
}
