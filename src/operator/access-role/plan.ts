/*
 * What an AccessRole's status says now. It has no objects of its own: what it allows is in the bundles of its gateways
 * (bundle.ts).
 */
import type { AccessRole, AccessRoleStatus } from '../../kinds/access-role.gen.js';
import type { SignalingGateway } from '../../kinds/signaling-gateway.gen.js';
import type { Child } from '../../kubernetes/cluster.js';
import { commonConditions, conditionsOf, type Standing } from '../../kubernetes/conditions.js';
import { pausedVerdict, readPause } from '../../kubernetes/pause.js';
import type { Plan, PlannedEvent, Verdict } from '../../kubernetes/plan.js';
import { appliesTo } from '../../policy/retention.js';
import { dutyConflicts, exclusionOf, isExpired, rolesOn } from '../../policy/roles.js';
import {
  gatewaysFoundVerdict,
  missingGateways,
  missingMessage,
} from '../pods/gateway-selection.js';
import { pausedField } from '../pods/status-fields.js';
import { publishedBundle, roleDigests } from './objects.js';
import { roleProblem } from './validate.js';

/** Conditions of this room, after the three of kstatus. */
export type AccessRoleConditionType = 'GatewaysFound' | 'DutiesSeparated' | 'Expired';

/** Reasons of this room. Closed: a dashboard may list them. */
export type AccessRoleReason =
  | 'Published'
  | 'RoleExpired'
  | 'InvalidSpec'
  | 'GatewayNotFound'
  | 'NoGatewaySelected'
  | 'WaitingForBundle'
  | 'AllFound'
  | 'NoConflict'
  | 'SubjectsConflict'
  | 'NotExpired';

/** A gateway to which the role applies, with the ConfigMap of its bundle. */
export interface RoleGateway {
  readonly gateway: SignalingGateway;
  readonly configMap: Child | undefined;
}

export interface ObservedAccessRole {
  readonly role: AccessRole;
  /** All roles and gateways of the namespace. */
  readonly roles: readonly AccessRole[];
  readonly gateways: readonly RoleGateway[];
}

/** The longest list of gateways that status shows (CRD). */
const MAX_GATEWAYS = 64;

/** What the role needs now: a status, and to be looked at again when it ends. */
export function planAccessRole(observed: ObservedAccessRole, now: Date): Plan<AccessRoleStatus> {
  const { role } = observed;
  const { generation = 0, annotations } = role.metadata;
  const situation = situationOf(observed, now);
  const pause = readPause(annotations, now);
  const pending = pause.state === 'Paused' ? situation.waiting.length : 0;
  const standing = standingOf(situation);
  const verdicts: readonly Verdict[] = [
    ...commonConditions(standing),
    gatewaysFoundVerdict(situation.missing, situation.selected),
    dutiesVerdict(role, situation),
    expiredVerdict(role, situation.expired),
    pausedVerdict(pause, pending),
  ];
  const gateways = situation.published.map(({ name, serial }) => ({ name, serial }));
  return {
    apply: [],
    keep: [],
    prune: 'Nothing',
    status: {
      observedGeneration: generation,
      conditions: conditionsOf(role.status?.conditions ?? [], verdicts, { generation, now }),
      ...(gateways.length === 0 ? {} : { gateways: gateways.slice(0, MAX_GATEWAYS) }),
      ...pausedField(pause, pending),
    },
    events: eventsOf(standing),
    ...untilChange(
      [role.spec.expiresAt, pause.state === 'Paused' ? pause.until.toISOString() : undefined],
      now,
    ),
  };
}

interface Situation {
  readonly expired: boolean;
  readonly problem: string | undefined;
  /** Roles that count when duties are separated: valid, and not ended. */
  readonly rivals: readonly AccessRole[];
  /** The older role, with which it conflicts for everyone: it is in no bundle. */
  readonly excludedBy: string | undefined;
  /** Names in `spec.gateways.names` without a gateway. */
  readonly missing: readonly string[];
  readonly selected: number;
  /** Gateways whose bundle has the role as it is now. */
  readonly published: readonly { readonly name: string; readonly serial: number }[];
  /** A paused role that others of its subjects have, so that they are not given this one meanwhile. */
  readonly withheldFor: string | undefined;
  /** Names of those whose bundle has not, or still has it although it ended. */
  readonly waiting: readonly string[];
}

function situationOf({ role, roles, gateways }: ObservedAccessRole, now: Date): Situation {
  const names = gateways.map(({ gateway }) => gateway.metadata.name);
  const selected = gateways.filter(({ gateway }) => appliesTo(role, gateway));
  const valid = roles.filter((other) => roleProblem(other) === undefined);
  const states = selected
    .map(({ gateway, configMap }) => {
      const wanted = roleDigests(rolesOn(gateway, valid, now))[role.metadata.name];
      const bundle = publishedBundle(gateway, configMap);
      const current = (bundle?.roles ?? {})[role.metadata.name];
      const { name } = gateway.metadata;
      return {
        name,
        serial: bundle?.serial ?? 0,
        withheldFor: bundle?.withheld[role.metadata.name],
        has: current !== undefined,
        agrees: wanted === current,
      };
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const rivals = valid.filter((other) => !isExpired(other, now));
  return {
    expired: isExpired(role, now),
    problem: roleProblem(role),
    rivals,
    excludedBy: exclusionOf(role, rivals)?.with,
    missing: missingGateways(role, names),
    selected: selected.length,
    published: states.filter(({ has, agrees }) => has && agrees),
    withheldFor: states.find(({ withheldFor }) => withheldFor !== undefined)?.withheldFor,
    waiting: states.filter(({ agrees }) => !agrees).map(({ name }) => name),
  };
}

/** Most important first; the first that speaks wins. */
function standingOf(situation: Situation): Standing<AccessRoleReason> {
  const { problem, missing, waiting, expired, excludedBy, published } = situation;
  if (problem !== undefined) {
    const message = `Nobody has this role: ${problem}`;
    return { state: 'Stalled', reason: 'InvalidSpec', message };
  }
  if (waiting.length > 0) {
    const message = `The bundle of ${waiting.join(', ')} does not say so yet.`;
    return { state: 'Progressing', reason: 'WaitingForBundle', message };
  }
  if (expired) {
    const message = 'The role has ended and is in no bundle. Delete it, or set a later expiresAt.';
    return { state: 'Ready', reason: 'RoleExpired', message };
  }
  if (excludedBy !== undefined)
    return { state: 'Stalled', reason: 'SubjectsConflict', message: exclusionMessage(excludedBy) };
  if (missing.length > 0)
    return { state: 'Stalled', reason: 'GatewayNotFound', message: missingMessage(missing) };
  const message = `In the policy bundle of ${published.length} gateway(s).`;
  return { state: 'Ready', reason: 'Published', message };
}

function exclusionMessage(older: string): string {
  return `Nobody has this role: it conflicts with the older role ${older}, and one of the two is for everyone. Change conflictsWith, or write assignment Listed.`;
}

function dutiesVerdict(
  role: AccessRole,
  { rivals, withheldFor }: Situation,
): Verdict<AccessRoleConditionType, AccessRoleReason> {
  const type = 'DutiesSeparated';
  if (withheldFor !== undefined) {
    const message = `Who has role ${withheldFor}, with which this one conflicts, is not given this role while that one is paused: remove them from one of the two, or end the pause.`;
    return { type, status: 'False', reason: 'SubjectsConflict', message };
  }
  const excluding = exclusionOf(role, rivals);
  if (excluding !== undefined) {
    const message = exclusionMessage(excluding.with);
    return { type, status: 'False', reason: 'SubjectsConflict', message };
  }
  const [found] = dutyConflicts(role, rivals);
  if (found === undefined) {
    const message = 'Nobody has this role together with one that it conflicts with.';
    return { type, status: 'True', reason: 'NoConflict', message };
  }
  const message = `${found.subjects.length} subject(s) also have role ${found.with}, with which this one conflicts, and are not given this role: remove them from one of the two.`;
  return { type, status: 'False', reason: 'SubjectsConflict', message };
}

function expiredVerdict(
  { spec: { expiresAt } }: AccessRole,
  expired: boolean,
): Verdict<AccessRoleConditionType, AccessRoleReason> {
  const type = 'Expired';
  if (!expired || expiresAt === undefined) {
    const message =
      expiresAt === undefined ? 'The role has no end.' : `The role ends at ${expiresAt}.`;
    return { type, status: 'False', reason: 'NotExpired', message };
  }
  return {
    type,
    status: 'True',
    reason: 'RoleExpired',
    message: `The role ended at ${expiresAt}.`,
  };
}

function eventsOf({ state, reason, message }: Standing<AccessRoleReason>): readonly PlannedEvent[] {
  if (state === 'Progressing') return [];
  return [{ type: state === 'Ready' ? 'Normal' : 'Warning', reason, note: message }];
}

/** A timer of more than a day is pointless: looking costs no call. */
const MAX_REQUEUE_MS = 86_400_000;

function untilChange(
  times: readonly (string | undefined)[],
  now: Date,
): { readonly requeueAfterMs?: number } {
  const waits = times
    .map((time) => Date.parse(time ?? '') - now.getTime())
    .filter((wait) => wait > 0);
  return waits.length === 0 ? {} : { requeueAfterMs: Math.min(...waits, MAX_REQUEUE_MS) };
}
