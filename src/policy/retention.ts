/*
 * Several RetentionPolicies may name one gateway. Their meeting is decided here and nowhere else: the longest
 * at-least and the shortest at-most win. Where these cross there is no right answer, so nothing is deleted and
 * both policies are named.
 */
import type { RetentionPolicy } from '../kinds/retention-policy.gen.js';
import type { SignalingGateway } from '../kinds/signaling-gateway.gen.js';

/** The classes of data that a gateway keeps, in the order in which they are shown. */
export const RETENTION_CLASSES = [
  'account',
  'device',
  'session',
  'signalingMetadata',
  'auditSkeleton',
  'auditPersonal',
  'backup',
] as const;

export type RetentionClass = (typeof RETENTION_CLASSES)[number];

/** Ages in seconds; an absent bound means none. */
export interface RetentionBounds {
  readonly atLeastSeconds?: number;
  readonly atMostSeconds?: number;
}

export interface LegalHold {
  /** RFC 3339 time at which the hold ends. */
  readonly until: string;
  readonly reason: string;
}

/** How data is deleted; each is wanted as soon as one policy wants it. */
export interface SecureDeletion {
  /** The key of the subject is destroyed, so that copies in backups become unreadable as well. */
  readonly cryptographicErasure: boolean;
  /** Each deletion leaves a receipt in the audit log. */
  readonly receipts: boolean;
}

/** What one RetentionPolicy asks for. */
export interface RetentionDemand {
  /** Name of the policy, used in messages. */
  readonly name: string;
  readonly classes: Readonly<Partial<Record<RetentionClass, RetentionBounds>>>;
  readonly secureDeletion: SecureDeletion;
  readonly legalHold?: LegalHold;
}

/** Two policies that cannot both be obeyed. */
export interface RetentionConflict {
  readonly class: RetentionClass;
  readonly atLeast: { readonly seconds: number; readonly policy: string };
  readonly atMost: { readonly seconds: number; readonly policy: string };
}

export interface MergedRetention {
  /** `Suspended` while policies contradict each other. A legal hold is judged by its own date. */
  readonly deletion: 'Enabled' | 'Suspended';
  readonly secureDeletion: SecureDeletion;
  readonly classes: Readonly<Partial<Record<RetentionClass, RetentionBounds>>>;
  readonly legalHolds: readonly LegalHold[];
  readonly conflicts: readonly RetentionConflict[];
}

/** What the policies of the gateway's namespace demand of it. A legal hold that has ended demands nothing. */
export function demandsOn(
  gateway: SignalingGateway,
  policies: readonly RetentionPolicy[],
  now: Date,
): readonly RetentionDemand[] {
  return policies
    .filter((policy) => appliesTo(policy, gateway))
    .map(({ metadata, spec: { classes, secureDeletion, legalHold } }) => ({
      name: metadata.name,
      classes,
      secureDeletion,
      ...(legalHold === undefined || Date.parse(legalHold.until) <= now.getTime()
        ? {}
        : { legalHold }),
    }));
}

/** A resource that names the gateways of its namespace, one by one or by their labels. */
export interface ChoosesGateways {
  readonly metadata: { readonly namespace?: string };
  readonly spec: {
    readonly gateways: {
      readonly names?: readonly string[];
      readonly selector?: { readonly matchLabels: Readonly<Record<string, string>> };
    };
  };
}

/** Whether `policy` is about `gateway`: same namespace, and named or selected by label. */
export function appliesTo(
  { metadata, spec: { gateways } }: ChoosesGateways,
  gateway: SignalingGateway,
): boolean {
  if (metadata.namespace !== gateway.metadata.namespace) return false;
  if (gateways.selector === undefined) {
    return (gateways.names ?? []).includes(gateway.metadata.name);
  }
  const wanted = Object.entries(gateways.selector.matchLabels);
  return wanted.every(([label, value]) => gateway.metadata.labels?.[label] === value);
}

/** What `demands` mean together. The order of the demands does not matter. */
export function mergeRetention(demands: readonly RetentionDemand[]): MergedRetention {
  const sorted = [...demands].sort((a, b) => compare(a.name, b.name));
  const merged = RETENTION_CLASSES.map((name) => ({ name, ...boundsOf(name, sorted) }));
  const conflicts = merged.flatMap(({ conflict }) => (conflict === undefined ? [] : [conflict]));
  return {
    deletion: conflicts.length === 0 ? 'Enabled' : 'Suspended',
    secureDeletion: {
      cryptographicErasure: sorted.some(
        ({ secureDeletion }) => secureDeletion.cryptographicErasure,
      ),
      receipts: sorted.some(({ secureDeletion }) => secureDeletion.receipts),
    },
    classes: Object.fromEntries(
      merged
        .filter(({ bounds }) => Object.keys(bounds).length > 0)
        .map(({ name, bounds }) => [name, bounds]),
    ),
    legalHolds: legalHoldsOf(sorted),
    conflicts,
  };
}

/** One sentence about a conflict, that says what to change. */
export function describeConflict({ class: name, atLeast, atMost }: RetentionConflict): string {
  return (
    `${name}: RetentionPolicy ${atLeast.policy} keeps at least ${atLeast.seconds} s, ` +
    `${atMost.policy} at most ${atMost.seconds} s. Nothing is deleted; change one of them.`
  );
}

function boundsOf(
  name: RetentionClass,
  demands: readonly RetentionDemand[],
): { bounds: RetentionBounds; conflict?: RetentionConflict } {
  const atLeast = strictest(demands, (demand) => demand.classes[name]?.atLeastSeconds, Math.max);
  const atMost = strictest(demands, (demand) => demand.classes[name]?.atMostSeconds, Math.min);
  const bounds = {
    ...(atLeast && { atLeastSeconds: atLeast.seconds }),
    ...(atMost && { atMostSeconds: atMost.seconds }),
  };
  const crossing =
    atLeast !== undefined && atMost !== undefined && atLeast.seconds > atMost.seconds;
  return crossing ? { bounds, conflict: { class: name, atLeast, atMost } } : { bounds };
}

function strictest(
  demands: readonly RetentionDemand[],
  read: (demand: RetentionDemand) => number | undefined,
  choose: (...values: number[]) => number,
): { seconds: number; policy: string } | undefined {
  const named = demands.flatMap((demand) => {
    const seconds = read(demand);
    return seconds === undefined ? [] : [{ seconds, policy: demand.name }];
  });
  const bound = choose(...named.map(({ seconds }) => seconds));
  return named.find(({ seconds }) => seconds === bound);
}

function legalHoldsOf(demands: readonly RetentionDemand[]): readonly LegalHold[] {
  const holds = demands.flatMap(({ legalHold }) => (legalHold === undefined ? [] : [legalHold]));
  return [...holds].sort((a, b) => compare(a.until, b.until) || compare(a.reason, b.reason));
}

/** By code unit: the same order on every machine, whatever its locale. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
