/*
 * The life of an Ed25519 signing key: next (published, not used) -> current (signs) -> retired (what it signed
 * is still valid) -> gone. There is always a next, one whole rotation ahead, so that an emergency finds a key that
 * verifiers already have. Everything is decided here from public facts; key-orders.keysmith.ts makes the keys.
 */
import type { ObjectMeta } from '../../kubernetes/object.js';
import type { KeyFact, ObservedKeys } from './facts.js';
import type { KeyPlan, KeyProblem, SigningKeysOrder, SigningPurpose } from './orders.js';
import type { KeySet } from './key-set.js';
import { tokenDigest } from './token.js';
import { created, isUsable, keySet, promoted, replaced, revoked, withNext } from './key-set.js';

export interface RotationSchedule {
  /** How long a key signs. */
  readonly everySeconds: number;
  /** How long what a retired key signed is still accepted. */
  readonly overlapSeconds: number;
}

/** What the annotations of a resource ask for. */
export interface KeyWishes {
  /** Value of `sallyport.dev/rotate`: each new value rotates once. */
  readonly rotate?: string | undefined;
  /** Value of `sallyport.dev/revoke`: a key id. */
  readonly revoke?: string | undefined;
}

/** What a live relay's heartbeat says. */
export interface RelayConfirmation {
  readonly relay: string;
  /** Key ids that it would accept. */
  readonly kids: readonly string[];
}

export interface SigningKeysInput {
  readonly purpose: SigningPurpose;
  readonly metadata: ObjectMeta;
  readonly schedule: RotationSchedule;
  /** How long a key must have been published before it signs. */
  readonly publishSeconds: number;
  readonly wishes: KeyWishes;
  /** What live relays accept; absent while none reports. */
  readonly relays?: readonly RelayConfirmation[];
  readonly now: Date;
}

/** A relay that does not have a key 15 minutes after its publication gets no leases and no longer counts. */
const CONFIRM_SECONDS = 900;
/** So many retired keys fit into status and into a relay's directory; a rotation waits until one is gone. */
const MAX_RETIRED = 8;

/** What the signing keys in one Secret need now. Same input, same plan. */
export function planSigningKeys(
  observed: ObservedKeys<KeyFact>,
  input: SigningKeysInput,
): KeyPlan<KeyFact, SigningKeysOrder> {
  const at: Situation = { observed, input, keys: keySet(observed.facts, input.now) };
  const problem = problemOf(at);
  const nextAt = nextDecision(at);
  const step = STEPS.map((decide) => decide(at)).find((decided) => decided !== undefined);
  return {
    facts: at.keys.all,
    ...(step === undefined ? {} : { order: order(at, step) }),
    ...(nextAt === undefined ? {} : { nextAt }),
    ...(isAsked(at) ? { rotationPending: true } : {}),
    ...(problem === undefined ? {} : { problem }),
  };
}

interface Situation {
  readonly observed: ObservedKeys<KeyFact>;
  readonly input: SigningKeysInput;
  readonly keys: KeySet;
}

/** What an order changes; the rest of it follows from the situation. */
type Step = Pick<SigningKeysOrder, 'reason' | 'keep' | 'carry' | 'make'>;

/** The first that speaks wins: an emergency before a wish, a wish before the calendar. */
const STEPS: readonly ((at: Situation) => Step | undefined)[] = [
  whenMissing,
  whenTampered,
  whenRevoked,
  whenUnusable,
  whenAsked,
  whenDue,
  whenNextMissing,
  whenAstray,
];

function whenMissing({ observed, input }: Situation): Step | undefined {
  return observed.exists ? undefined : { reason: 'KeysCreated', ...created(input) };
}

/** Whoever wrote into the Secret may know or have replaced what is in it: nothing of it signs again. */
function whenTampered({ observed, input, keys }: Situation): Step | undefined {
  return observed.tampered ? { reason: 'KeyMaterialChanged', ...replaced(keys, input) } : undefined;
}

function whenRevoked({ input, keys }: Situation): Step | undefined {
  const target = keys.all.find(({ kid }) => kid === input.wishes.revoke);
  if (target === undefined || target.state === 'revoked') return undefined;
  return { reason: 'KeyRevoked', ...revoked(keys, target, input) };
}

/** No current key, an expired one after a long absence, or one from a clock that ran ahead. */
function whenUnusable({ input, keys }: Situation): Step | undefined {
  if (keys.current !== undefined && isUsable(keys.current, input.now)) return undefined;
  const { next } = keys;
  const step = next !== undefined && isUsable(next, input.now) ? promoted : replaced;
  return { reason: 'KeyExpired', ...step(keys, input) };
}

function whenAsked(at: Situation): Step | undefined {
  if (!isAsked(at) || !mayPromote(at)) return undefined;
  return { reason: 'RotationRequested', ...promoted(at.keys, at.input) };
}

function whenDue(at: Situation): Step | undefined {
  const due = dueAt(at);
  if (due === undefined || at.input.now.getTime() < due || !mayPromote(at)) return undefined;
  return { reason: 'KeysRotated', ...promoted(at.keys, at.input) };
}

function whenNextMissing({ input, keys }: Situation): Step | undefined {
  return keys.next === undefined
    ? { reason: 'NextKeyMissing', ...withNext(keys, input) }
    : undefined;
}

/** Somebody changed labels or owner: the same keys are written once more. */
function whenAstray({ observed, keys }: Situation): Step | undefined {
  if (!observed.astray) return undefined;
  const carry = [keys.current, keys.next].flatMap((key) => key?.kid ?? []);
  return { reason: 'LabelsRestored', keep: keys.all, carry, make: [] };
}

/** A new token that no order has answered yet. */
function isAsked({ observed, input }: Situation): boolean {
  const { rotate } = input.wishes;
  return rotate !== undefined && rotate !== '' && tokenDigest(rotate) !== observed.rotated;
}

function mayPromote(at: Situation): boolean {
  const earliest = promotableAt(at);
  return earliest !== undefined && earliest <= at.input.now.getTime();
}

/** From when `next` may sign: long enough published, and every live relay has it or has had its 15 minutes. */
function promotableAt({ input, keys }: Situation): number | undefined {
  const { next, retired } = keys;
  if (next === undefined) return undefined;
  const confirmed = (input.relays ?? []).every(({ kids }) => kids.includes(next.kid));
  const published = Date.parse(next.publishedAt);
  const room = retired.length < MAX_RETIRED ? 0 : Math.min(...retired.map(expiry));
  return Math.max(
    published + input.publishSeconds * 1000,
    confirmed ? 0 : published + CONFIRM_SECONDS * 1000,
    room,
  );
}

/** When the calendar wants the next key to sign; earlier when the current one would end first. */
function dueAt({ input, keys }: Situation): number | undefined {
  const { current } = keys;
  if (current === undefined) return undefined;
  const { everySeconds, overlapSeconds } = input.schedule;
  return Math.min(
    Date.parse(current.notBefore) + everySeconds * 1000,
    expiry(current) - overlapSeconds * 1000,
  );
}

function nextDecision(at: Situation): Date | undefined {
  const promotable = promotableAt(at);
  const due = isAsked(at) ? at.input.now.getTime() : dueAt(at);
  const promotion =
    promotable === undefined || due === undefined ? [] : [Math.max(promotable, due)];
  const ends = [...at.keys.retired, ...at.keys.revoked].map(expiry);
  const times = [...promotion, ...ends];
  return times.length === 0 ? undefined : new Date(Math.min(...times));
}

function expiry({ notAfter }: KeyFact): number {
  return Date.parse(notAfter);
}

function problemOf(at: Situation): KeyProblem | undefined {
  const { input, keys } = at;
  if (isRevokeUnknown(at)) {
    return {
      reason: 'UnknownKey',
      message:
        'Annotation sallyport.dev/revoke names no key of this resource. Write a key id of status.keys, or remove it.',
    };
  }
  const unconfirmed = (input.relays ?? []).filter(
    ({ kids }) => keys.next !== undefined && !kids.includes(keys.next.kid),
  );
  const [first] = unconfirmed;
  if (first === undefined || !isWaiting(at)) return undefined;
  return {
    reason: 'NextKeyUnconfirmed',
    message: `${unconfirmed.length} relays do not have the next key yet, ${first.relay.slice(0, 100)} first. They have 15 minutes; look at their logs.`,
  };
}

/** A key that was revoked is forgotten in time; that its annotation stands is no mistake. */
function isRevokeUnknown({ observed, input }: Situation): boolean {
  const { revoke } = input.wishes;
  if (!observed.exists || revoke === undefined || tokenDigest(revoke) === observed.revoked) {
    return false;
  }
  return !observed.facts.some(({ kid }) => kid === revoke);
}

function isWaiting(at: Situation): boolean {
  const due = isAsked(at) ? 0 : (dueAt(at) ?? Infinity);
  return due <= at.input.now.getTime() && !mayPromote(at);
}

function order({ observed, input }: Situation, step: Step): SigningKeysOrder {
  const { rotate, revoke } = input.wishes;
  const revoked =
    step.reason === 'KeyRevoked' && revoke !== undefined ? tokenDigest(revoke) : observed.revoked;
  // Any new key answers a token except the mere making of a next one, which changes no signature.
  const answered = step.reason !== 'NextKeyMissing' && step.reason !== 'KeyRevoked';
  const rotated =
    answered && rotate !== undefined && rotate !== '' ? tokenDigest(rotate) : observed.rotated;
  return {
    type: 'SigningKeys',
    purpose: input.purpose,
    metadata: input.metadata,
    ...(observed.basedOn === undefined ? {} : { basedOn: observed.basedOn }),
    ...step,
    ...(rotated === undefined ? {} : { rotated }),
    ...(revoked === undefined ? {} : { revoked }),
  };
}
