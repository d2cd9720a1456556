/*
 * Whether a caller may have a request answered: the route, the roles of the bundle, and the state of his proof. Pure.
 */
import { decideAccess, type AccessDecision, type Denial } from '../../policy/decision.js';
import { VERBS_OF, type BundleRole, type RoleResource } from '../../policy/roles.js';
import type { RequestRefusal } from '../../messages/signaling.js';
import type { Caller } from '../caller.js';
import { STEP_UP_SECONDS, type Route } from './routes.js';

/** Everything that a decision is made from. */
export interface Question {
  readonly route: Route;
  readonly caller: Caller;
  readonly roles: readonly BundleRole[];
  /** Unix milliseconds. */
  readonly now: number;
  readonly comesFrom: (cidr: string) => boolean;
}

/** What was decided; `by` names role and rule, for the record. */
export type Authorisation =
  | { readonly allowed: true; readonly by: string }
  | {
      readonly allowed: false;
      readonly refusal: Extract<
        RequestRefusal,
        'forbidden' | 'second-factor-needed' | 'step-up-needed'
      >;
      /** CamelCase, of a closed list: the reason of the record. */
      readonly reason: Denial | 'SecondFactorNotEnrolled' | 'StepUpNeeded';
      readonly by: string;
    };

/** The built-in role of administrators that the resource names: all of administration, nothing with people. */
const ADMINISTRATION: readonly RoleResource[] = [
  'Account',
  'Device',
  'Session',
  'SecondFactor',
  'Invite',
  'Lease',
  'Relay',
  'AuditRecord',
];
/** Name of that role in records. */
export const ADMINISTRATOR_ROLE = 'administrators';

/** Decides. The first thing that is missing is the reason. */
export function authorise(question: Question): Authorisation {
  const { route, caller, now } = question;
  if (caller.mustEnrol && route.enrolment !== true)
    return denied('second-factor-needed', 'SecondFactorNotEnrolled', 'gateway');
  const decision = decide(question);
  const by = sourceOf(decision);
  if (decision.effect === 'Deny') return denied(refusalOf(decision.reason), decision.reason, by);
  if (route.stepUp === true && !isFresh(caller, now))
    return denied('step-up-needed', 'StepUpNeeded', by);
  return { allowed: true, by };
}

/** Whether the proof of a second factor is young enough for a step-up. To the second: 300 is, 301 is not. */
export function isFresh({ secondFactorAt }: Caller, now: number): boolean {
  const age = secondsSince(secondFactorAt, now);
  return age !== undefined && age <= STEP_UP_SECONDS;
}

function decide(question: Question): AccessDecision {
  const { route, caller, now, comesFrom } = question;
  if (route.permission === 'Own') return { effect: 'Allow', role: 'self', rule: 0 };
  const age = secondsSince(caller.secondFactorAt, now);
  const roles = caller.administrator
    ? [administratorRole(caller), ...question.roles]
    : question.roles;
  const request = {
    ...{ subject: caller.account, at: new Date(now), comesFrom },
    ...(age === undefined ? {} : { secondFactorAgeSeconds: age }),
  };
  let first: AccessDecision | undefined;
  for (const [resource, verb] of route.permission) {
    const decision = decideAccess(roles, { ...request, resource, verb });
    if (decision.effect === 'Allow') return decision;
    first ??= decision;
  }
  return first ?? { effect: 'Deny', reason: 'NoPermission' };
}

function secondsSince(at: number | undefined, now: number): number | undefined {
  return at === undefined ? undefined : Math.max(0, Math.floor((now - at) / 1_000));
}

/** Whether he must have proven a second factor is decided at login (`requiredFor`), not here. */
const administratorRole = (caller: Caller): BundleRole => ({
  name: ADMINISTRATOR_ROLE,
  permissions: ADMINISTRATION.map((resource) => ({ resource, verbs: VERBS_OF[resource] })),
  mfa: { required: false, hardwareKeyRequired: false },
  calls: { maxParticipants: 2, recording: 'Forbidden', externalParticipants: 'Forbidden' },
  assignment: 'Listed',
  subjects: [caller.account],
});

function sourceOf(decision: AccessDecision): string {
  return decision.role === undefined ? 'default' : `${decision.role}/${decision.rule ?? '-'}`;
}

function refusalOf(reason: Denial): 'forbidden' | 'second-factor-needed' | 'step-up-needed' {
  if (reason === 'SecondFactorMissing') return 'second-factor-needed';
  return reason === 'SecondFactorTooOld' ? 'step-up-needed' : 'forbidden';
}

function denied(
  refusal: (Authorisation & { allowed: false })['refusal'],
  reason: (Authorisation & { allowed: false })['reason'],
  by: string,
): Authorisation {
  return { allowed: false, refusal, reason, by };
}
