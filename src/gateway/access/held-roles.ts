/*
 * What a change of the bundle takes away: whose sockets, sessions and leases end. Pure.
 */
import { hasEnded, isHeldBy } from '../../policy/decision.js';
import type { BundleRole } from '../../policy/roles.js';

/** Whom a change may concern: these accounts, or every account. */
export type Concerned = ReadonlySet<string> | 'Everyone';

/** The roles of `account` that have not ended, in the order of the bundle. */
export const rolesOf = (
  roles: readonly BundleRole[],
  account: string,
  at: Date,
): readonly BundleRole[] => roles.filter((role) => isHeldBy(role, account) && !hasEnded(role, at));

/** Whether `after` lacks something that `before` allowed, or allows it under more conditions. */
export function losesRight(before: readonly BundleRole[], after: readonly BundleRole[]): boolean {
  const kept = new Set(after.flatMap(grantsOf));
  return before.flatMap(grantsOf).some((grant) => !kept.has(grant));
}

/** Accounts of which a role was changed, taken away or has ended; the others need not be looked at. */
export function concerned(before: readonly BundleRole[], after: readonly BundleRole[]): Concerned {
  const unchanged = new Set(after.map((role) => JSON.stringify(role)));
  const touched = before.filter((role) => !unchanged.has(JSON.stringify(role)));
  if (touched.some(({ assignment }) => assignment === 'Everyone')) return 'Everyone';
  return new Set(touched.flatMap(({ subjects }) => subjects));
}

/** Everything that a role gives, each with its conditions, as texts that are equal when it is the same. */
function grantsOf({ permissions, mfa, files, calls }: BundleRole): readonly string[] {
  const conditionsOf = (more: unknown): string => JSON.stringify([mfa, more ?? {}]);
  const verbs = permissions.flatMap(({ resource, verbs: allowed, conditions }) =>
    allowed.map((verb) => `${resource}/${verb} ${conditionsOf(conditions)}`),
  );
  return [...verbs, `files ${JSON.stringify(files ?? {})}`, `calls ${JSON.stringify(calls)}`];
}
