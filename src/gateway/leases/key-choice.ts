/*
 * Which lease key signs, and which relays may be given leases (architecture, 9). A key signs only when every live relay
 * says that it has it, so that no lease meets a relay that cannot read it. A relay that does not have a key 15 minutes
 * after its publication gets no leases, and is no reason to wait any more.
 */
import type { GatewayKey } from './lease-keys.js';

/** How long a relay may take to have a published key. */
export const CONFIRM_MS = 900_000;
/** A relay whose clock is further off gets no leases. */
export const MAX_CLOCK_OFF_MS = 5_000;

/** What a relay is good for now: a closed list and a metric label. */
export const RELAY_STATES = ['Live', 'Draining', 'Missing', 'ClockOff', 'KeysMissing'] as const;
/** One of RELAY_STATES; only a `Live` one gets leases. */
export type RelayState = (typeof RELAY_STATES)[number];

/** What is known of a relay that has registered here or at another replica. */
export interface RelayFacts {
  readonly rid: string;
  readonly kids: readonly string[];
  readonly sessions: number;
  readonly draining: boolean;
  /** Undefined before its first heartbeat. */
  readonly clockAheadMs: number | undefined;
  /** A heartbeat came within three intervals, and no other process claims the same id. */
  readonly alive: boolean;
}

/** Which keys are there and when. */
export interface KeyCircumstances {
  readonly keys: readonly GatewayKey[];
  /** Whether the private half of this key is at hand. */
  readonly canSign: (kid: string) => boolean;
  /** Unix milliseconds. */
  readonly nowMs: number;
}

/** What relays are good for, and which key signs their leases; undefined while none can. */
export interface Judgement {
  readonly kid: string | undefined;
  readonly states: ReadonlyMap<string, RelayState>;
}

/** Judges all relays at once: which key signs depends on all of them. */
export function judgeRelays(relays: readonly RelayFacts[], at: KeyCircumstances): Judgement {
  const late = lateKeys(at);
  const states = new Map(relays.map((relay) => [relay.rid, stateOf(relay, late)]));
  const counted = relays.filter(({ rid }) => states.get(rid) === 'Live');
  const kid = signingKey(counted, at);
  for (const { rid, kids } of counted)
    if (kid !== undefined && !kids.includes(kid)) states.set(rid, 'KeysMissing');
  return { kid, states };
}

/** Ids of keys that every relay must have by now. */
const lateKeys = ({ keys, nowMs }: KeyCircumstances): readonly string[] =>
  keys
    .filter(({ state }) => state === 'current' || state === 'next')
    .filter(({ publishedAtMs }) => publishedAtMs + CONFIRM_MS <= nowMs)
    .map(({ kid }) => kid);

function stateOf(relay: RelayFacts, late: readonly string[]): RelayState {
  if (!relay.alive || relay.clockAheadMs === undefined) return 'Missing';
  if (relay.draining) return 'Draining';
  if (Math.abs(relay.clockAheadMs) > MAX_CLOCK_OFF_MS) return 'ClockOff';
  return late.every((kid) => relay.kids.includes(kid)) ? 'Live' : 'KeysMissing';
}

/** The current key, or while a relay lacks it the one before; the next one when neither will do. */
function signingKey(counted: readonly RelayFacts[], at: KeyCircumstances): string | undefined {
  const candidates = at.keys.filter((key) => isUsable(key, at)).sort(byPreference);
  const confirmed = candidates.find(({ kid }) => counted.every(({ kids }) => kids.includes(kid)));
  return (confirmed ?? candidates[0])?.kid;
}

const isUsable = (
  { kid, state, notBeforeMs, notAfterMs }: GatewayKey,
  { canSign, nowMs }: KeyCircumstances,
): boolean => state !== 'revoked' && notBeforeMs <= nowMs && nowMs < notAfterMs && canSign(kid);

const RANK = { current: 0, retired: 1, next: 2, revoked: 3 } as const;

/** The next one last: whoever mounted the keys has not said yet that it signs. */
const byPreference = (a: GatewayKey, b: GatewayKey): number =>
  RANK[a.state] - RANK[b.state] || b.notBeforeMs - a.notBeforeMs;
