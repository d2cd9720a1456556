/*
 * What AccessRoles mean on a gateway. Default deny: nobody may do what no role of his allows. The operator makes the
 * signed bundle from `rolesOn`, the gateway asks decision.ts of what the bundle says.
 */
import type { AccessRole, AccessRolePermission, AccessRoleSpec } from '../kinds/access-role.gen.js';
import type { SignalingGateway } from '../kinds/signaling-gateway.gen.js';
import { appliesTo } from './retention.js';

export type RoleResource = AccessRolePermission['resource'];
export type RoleVerb = AccessRolePermission['verbs'][number];

/** The verbs of each resource: the whole set, so that a role names what it allows and never `*`. */
export const VERBS_OF: Readonly<Record<RoleResource, readonly RoleVerb[]>> = {
  Chat: ['Send', 'Receive'],
  Call: ['Start', 'Join'],
  File: ['Send', 'Receive'],
  Input: ['Send', 'Receive'],
  Account: ['Read', 'Approve', 'Lock', 'Unlock', 'Delete'],
  Device: ['Read', 'Approve', 'Revoke'],
  Session: ['Read', 'Revoke'],
  SecondFactor: ['Read', 'Reset'],
  Invite: ['Create', 'Read', 'Revoke'],
  Lease: ['Read', 'Revoke'],
  Relay: ['Read'],
  AuditRecord: ['Read', 'Export'],
};

/** One role as the bundle carries it: closed, without the fields that only the operator needs. */
export interface BundleRole {
  readonly name: string;
  readonly permissions: readonly AccessRolePermission[];
  readonly mfa: AccessRoleSpec['mfa'];
  readonly calls: AccessRoleSpec['calls'];
  /** `Everyone`: every registered account has the role; `subjects` is empty then. */
  readonly assignment: AccessRoleSpec['assignment'];
  readonly sessions?: NonNullable<AccessRoleSpec['sessions']>;
  readonly auditLevel?: NonNullable<AccessRoleSpec['auditLevel']>;
  readonly files?: NonNullable<AccessRoleSpec['files']>;
  readonly expiresAt?: string;
  /** Fingerprints, sorted. */
  readonly subjects: readonly string[];
}

/** Subjects whom a role may not have because an older role, with which it conflicts, already does. */
export interface DutyConflict {
  /** The older role: it keeps them. */
  readonly with: string;
  readonly subjects: readonly string[];
  /** One of the two is for everyone, so that whoever has this role has both: nobody is given it at all. */
  readonly everyone?: true;
}

/** Whether `role` has ended. The instant of `expiresAt` is already after it. */
export function isExpired({ spec }: AccessRole, now: Date): boolean {
  return spec.expiresAt !== undefined && Date.parse(spec.expiresAt) <= now.getTime();
}

/**
 * The roles of `gateway` as its bundle carries them, sorted by name: those that apply, are `valid` and have not ended,
 * without subjects, and without whole roles, that segregation of duties takes away.
 */
export function rolesOn(
  gateway: SignalingGateway,
  roles: readonly AccessRole[],
  now: Date,
): readonly BundleRole[] {
  const live = roles.filter((role) => !isExpired(role, now));
  return live
    .filter((role) => appliesTo(role, gateway) && exclusionOf(role, live) === undefined)
    .map((role) => bundleRole(role, live))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Which subjects of `role` conflict with older roles among `all` (of any namespace). */
export function dutyConflicts(
  role: AccessRole,
  all: readonly AccessRole[],
): readonly DutyConflict[] {
  const subjects = new Set(role.spec.subjects ?? []);
  return all
    .filter((other) => exclude(role, other) && isOlder(other, role))
    .map((other) => ({
      with: other.metadata.name,
      subjects: (other.spec.subjects ?? []).filter((subject) => subjects.has(subject)).sort(),
      ...(isForEveryone(role) || isForEveryone(other) ? { everyone: true as const } : {}),
    }))
    .filter(({ subjects: both, everyone }) => everyone === true || both.length > 0)
    .sort((a, b) => (a.with < b.with ? -1 : 1));
}

/** The conflict among `dutyConflicts` that keeps `role` out of every bundle; undefined when none does. */
export function exclusionOf(
  role: AccessRole,
  all: readonly AccessRole[],
): DutyConflict | undefined {
  return dutyConflicts(role, all).find(({ everyone }) => everyone === true);
}

function bundleRole(role: AccessRole, all: readonly AccessRole[]): BundleRole {
  const { permissions, mfa, calls, sessions, auditLevel, files, expiresAt } = role.spec;
  const { assignment, subjects } = role.spec;
  const taken = new Set(dutyConflicts(role, all).flatMap((found) => found.subjects));
  return {
    name: role.metadata.name,
    permissions,
    mfa,
    calls,
    assignment,
    ...(sessions === undefined ? {} : { sessions }),
    ...(auditLevel === undefined ? {} : { auditLevel }),
    ...(files === undefined ? {} : { files }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
    subjects: [...new Set(subjects ?? [])].filter((subject) => !taken.has(subject)).sort(),
  };
}

function isForEveryone({ spec }: AccessRole): boolean {
  return spec.assignment === 'Everyone';
}

/** Whether nobody may have both roles: either may say so, and both are of one namespace. */
export function exclude(a: AccessRole, b: AccessRole): boolean {
  if (a.metadata.namespace !== b.metadata.namespace || a.metadata.name === b.metadata.name)
    return false;
  const names = (x: AccessRole, y: AccessRole) => x.spec.conflictsWith?.includes(y.metadata.name);
  return names(a, b) === true || names(b, a) === true;
}

/** By creation, then by name: the same answer in every pass and on every machine. */
function isOlder(a: AccessRole, b: AccessRole): boolean {
  const age = ({ metadata }: AccessRole) => `${metadata.creationTimestamp ?? ''}/${metadata.name}`;
  return age(a) < age(b);
}
