/* What a change makes of a set of signing keys: which facts stay, which private halves are carried over, what is made. */
import { byCodeUnit } from '../../runtime/order.js';
import type { KeyFact } from './facts.js';
import { instant } from './facts.js';
import type { SigningKeysOrder } from './orders.js';

/** The keys that are still of use, by state. */
export interface KeySet {
  readonly all: readonly KeyFact[];
  readonly current: KeyFact | undefined;
  readonly next: KeyFact | undefined;
  readonly retired: readonly KeyFact[];
  readonly revoked: readonly KeyFact[];
}

/** When and with which periods a change is made. */
export interface ChangeTime {
  readonly now: Date;
  readonly schedule: { readonly everySeconds: number; readonly overlapSeconds: number };
  readonly publishSeconds: number;
  readonly purpose?: SigningKeysOrder['purpose'];
}

export type Change = Pick<SigningKeysOrder, 'keep' | 'carry' | 'make'>;

/** Beyond these the oldest are forgotten: only an attack or a script makes so many. */
const MAX_RETIRED = 8;
const MAX_REVOKED = 4;
/** A key from further in the future than this comes from a clock that ran ahead (30 s of skew are allowed). */
const FUTURE_MS = 300_000;

/** `facts` without retired and revoked keys whose time is over: they need no write to be gone. */
export function keySet(facts: readonly KeyFact[], now: Date): KeySet {
  const all = facts.filter(
    ({ state, notAfter }) => !isOver(state) || Date.parse(notAfter) > now.getTime(),
  );
  const of = (state: KeyFact['state']) => all.filter((fact) => fact.state === state);
  return {
    all,
    current: of('current')[0],
    next: of('next')[0],
    retired: of('retired'),
    revoked: of('revoked'),
  };
}

/** Whether a key may sign now. */
export function isUsable({ notBefore, notAfter }: KeyFact, now: Date): boolean {
  return Date.parse(notBefore) <= now.getTime() + FUTURE_MS && Date.parse(notAfter) > now.getTime();
}

/** A first pair. */
export function created(time: ChangeTime): Change {
  return { keep: [], carry: [], make: [newCurrent(time), newNext(time)] };
}

/**
 * `next` signs from now on, and a new next is published in the same write. Needs a `next`. A gateway that starts now may
 * meet a relay that does not have `next` yet, so the private half of a lease key stays for one more rotation; nobody
 * takes what it signs once its overlap is over.
 */
export function promoted(keys: KeySet, time: ChangeTime): Change {
  const { current, next, retired, revoked: gone } = keys;
  if (next === undefined) throw new TypeError('There is no next key to promote.');
  const keep = [asCurrent(next, time), ...retire(current, time), ...retired, ...gone];
  const before = time.purpose === 'Lease' && current !== undefined ? [current.kid] : [];
  return { keep: bounded(keep), carry: [next.kid, ...before], make: [newNext(time)] };
}

/** A new pair; what the old current key signed stays valid for the overlap, the old next never signed. */
export function replaced(keys: KeySet, time: ChangeTime): Change {
  const keep = [...retire(keys.current, time), ...keys.retired, ...keys.revoked];
  return { keep: bounded(keep), carry: [], make: [newCurrent(time), newNext(time)] };
}

/** `target` is nobody's key any more, at once; its place is taken by the next key, or by a new one. */
export function revoked(keys: KeySet, target: KeyFact, time: ChangeTime): Change {
  const others = keys.all.filter(({ kid }) => kid !== target.kid);
  const keep = [...others, markRevoked(target, time)];
  const { current, next } = keySet(others, time.now);
  if (current !== undefined && next !== undefined) {
    return { keep: bounded(keep), carry: [current.kid, next.kid], make: [] };
  }
  if (current !== undefined) {
    return { keep: bounded(keep), carry: [current.kid], make: [newNext(time)] };
  }
  if (next === undefined || !isUsable(next, time.now)) {
    const without = keep.filter(({ kid }) => kid !== next?.kid);
    return { keep: bounded(without), carry: [], make: [newCurrent(time), newNext(time)] };
  }
  const signing = keep.map((fact) => (fact.kid === next.kid ? asCurrent(fact, time) : fact));
  return { keep: bounded(signing), carry: [next.kid], make: [newNext(time)] };
}

/** The same keys and a next one. */
export function withNext(keys: KeySet, time: ChangeTime): Change {
  const carry = keys.current === undefined ? [] : [keys.current.kid];
  return { keep: bounded(keys.all), carry, make: [newNext(time)] };
}

function isOver(state: KeyFact['state']): boolean {
  return state === 'retired' || state === 'revoked';
}

/** `notBefore` is its first use, from which the calendar counts. */
function asCurrent(fact: KeyFact, time: ChangeTime): KeyFact {
  return { ...fact, state: 'current', notBefore: instant(time.now), notAfter: lifetime(time, 2) };
}

function retire(current: KeyFact | undefined, time: ChangeTime): readonly KeyFact[] {
  return current === undefined ? [] : [{ ...ended(current, time), state: 'retired' }];
}

function markRevoked(fact: KeyFact, time: ChangeTime): KeyFact {
  return { ...ended(fact, time), state: 'revoked' };
}

/** Nothing that it signed lives longer than the overlap. */
function ended(fact: KeyFact, { now, schedule }: ChangeTime): KeyFact {
  const end = now.getTime() + schedule.overlapSeconds * 1000;
  return { ...fact, notAfter: instant(Math.min(Date.parse(fact.notAfter), end)) };
}

function newCurrent(time: ChangeTime): Omit<KeyFact, 'kid' | 'public'> {
  const start = instant(time.now);
  return { state: 'current', publishedAt: start, notBefore: start, notAfter: lifetime(time, 2) };
}

/** It waits one rotation before it signs: so it is given one more. */
function newNext(time: ChangeTime): Omit<KeyFact, 'kid' | 'public'> {
  return {
    state: 'next',
    publishedAt: instant(time.now),
    notBefore: instant(time.now.getTime() + time.publishSeconds * 1000),
    notAfter: lifetime(time, 3),
  };
}

/** One rotation that is missed (an operator away for a day) must not end every lease: keys live for one more. */
function lifetime({ now, schedule }: ChangeTime, rotations: number): string {
  const seconds = rotations * schedule.everySeconds + schedule.overlapSeconds;
  return instant(now.getTime() + seconds * 1000);
}

/** Newest first; of retired and revoked keys only so many. */
function bounded(facts: readonly KeyFact[]): readonly KeyFact[] {
  const newest = [...facts].sort(byAge);
  const first = (state: KeyFact['state'], count: number) =>
    newest.filter((fact) => fact.state === state).slice(0, count);
  return [
    ...first('current', 1),
    ...first('next', 1),
    ...first('retired', MAX_RETIRED),
    ...first('revoked', MAX_REVOKED),
  ];
}

/** One order, whatever the clock's grain: equal input gives equal facts. */
function byAge(a: KeyFact, b: KeyFact): number {
  return byCodeUnit(b.publishedAt, a.publishedAt) || byCodeUnit(a.kid, b.kid);
}
