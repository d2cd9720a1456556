/*
 * Whether somebody may do something, with the reason and the rule. Default deny: nobody may do what no role of his
 * allows. Pure: no clock, no address arithmetic; the caller answers where a request comes from.
 */
import type { BundleRole, RoleResource, RoleVerb } from './roles.js';

/** What somebody wants to do, and how he came. */
export interface AccessRequest {
  readonly subject: string;
  readonly resource: RoleResource;
  readonly verb: RoleVerb;
  readonly at: Date;
  /** Whether his address lies in a range; the gateway knows the address, this folder compares none. */
  readonly comesFrom: (cidr: string) => boolean;
  /** How long ago he gave a second factor, in seconds; absent: not in this session. */
  readonly secondFactorAgeSeconds?: number;
}

/** Why a request is denied. Each is a reason of an audit record; the first that was nearest to being allowed is given. */
export const DENIALS = [
  'NoRole',
  'RoleEnded',
  'NoPermission',
  'SourceNotAllowed',
  'SecondFactorMissing',
  'SecondFactorTooOld',
] as const;
/** Why a request is denied. */
export type Denial = (typeof DENIALS)[number];

/** What was decided and by which rule: `role` and the place of the permission in it, from 0. */
export type AccessDecision =
  | { readonly effect: 'Allow'; readonly role: string; readonly rule: number }
  | {
      readonly effect: 'Deny';
      readonly reason: Denial;
      readonly role?: string;
      readonly rule?: number;
    };

/**
 * Decides by the `roles` of a bundle. One permission that allows is enough; if none does, the reason is that of the
 * permission that came closest (the last in the order of DENIALS), so that the holder learns what would help.
 */
export function decideAccess(roles: readonly BundleRole[], request: AccessRequest): AccessDecision {
  let nearest: AccessDecision & { effect: 'Deny' } = { effect: 'Deny', reason: 'NoRole' };
  for (const role of roles) {
    if (!isHeldBy(role, request.subject)) continue;
    for (const decision of decisionsOf(role, request)) {
      if (decision.effect === 'Allow') return decision;
      if (DENIALS.indexOf(decision.reason) > DENIALS.indexOf(nearest.reason)) nearest = decision;
    }
  }
  return nearest;
}

/** Whether one of the `roles` of a bundle allows `request`. */
export const isPermitted = (roles: readonly BundleRole[], request: AccessRequest): boolean =>
  decideAccess(roles, request).effect === 'Allow';

/** Whether `role` is the account's, ended or not. */
export const isHeldBy = (role: BundleRole, subject: string): boolean =>
  role.assignment === 'Everyone' || role.subjects.includes(subject);

/** Whether `role` has ended. The instant of `expiresAt` is already after it. */
export const hasEnded = (role: BundleRole, at: Date): boolean =>
  role.expiresAt !== undefined && Date.parse(role.expiresAt) <= at.getTime();

function decisionsOf(role: BundleRole, request: AccessRequest): readonly AccessDecision[] {
  const deny = (reason: Denial, rule?: number): AccessDecision => ({
    ...{ effect: 'Deny', reason, role: role.name },
    ...(rule === undefined ? {} : { rule }),
  });
  if (hasEnded(role, request.at)) return [deny('RoleEnded')];
  const decisions = role.permissions.flatMap(({ resource, verbs, conditions }, rule) => {
    if (resource !== request.resource || !verbs.includes(request.verb)) return [];
    const reason = unmet(role, conditions ?? {}, request);
    const allowed: AccessDecision = { effect: 'Allow', role: role.name, rule };
    return [reason === undefined ? allowed : deny(reason, rule)];
  });
  return decisions.length === 0 ? [deny('NoPermission')] : decisions;
}

/** Which condition does not hold, source first: where somebody is cannot be mended by another proof. */
function unmet(
  { mfa }: BundleRole,
  conditions: NonNullable<BundleRole['permissions'][number]['conditions']>,
  { comesFrom, secondFactorAgeSeconds }: AccessRequest,
): Denial | undefined {
  const { sourceCidrs, secondFactorWithinSeconds } = conditions;
  if (sourceCidrs !== undefined && !sourceCidrs.some((cidr) => comesFrom(cidr)))
    return 'SourceNotAllowed';
  const wantsFactor = mfa.required || secondFactorWithinSeconds !== undefined;
  if (wantsFactor && secondFactorAgeSeconds === undefined) return 'SecondFactorMissing';
  const oldest = secondFactorWithinSeconds ?? Infinity;
  return (secondFactorAgeSeconds ?? 0) > oldest ? 'SecondFactorTooOld' : undefined;
}
