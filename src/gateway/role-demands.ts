/*
 * What the roles of an account ask of its logins, all of them together: the strictest wins.
 */
import type { BundleRole } from '../policy/roles.js';
import type { EnrolledKind } from './factor-kinds.js';
import type { AccountPolicy } from './login/factor-policy.js';

/** Second factors as roles name them, and as messages do. */
const KINDS: Readonly<Record<string, EnrolledKind>> = { WebAuthn: 'WebAuthn', Totp: 'TOTP' };

/** The demands of `roles`; of no role, none. */
export function roleDemands(roles: readonly BundleRole[]): AccountPolicy {
  const kinds = roles
    .map(({ mfa }) => mfa.allowed?.map((kind) => KINDS[kind]).filter((kind) => kind !== undefined))
    .filter((allowed) => allowed !== undefined);
  return {
    required: roles.some(({ mfa }) => mfa.required || mfa.hardwareKeyRequired),
    ...(kinds.length > 0 && { kinds: kinds.reduce(both) }),
    roamingKey: roles.some(({ mfa }) => mfa.hardwareKeyRequired),
    sessions: {
      ...shortest(
        'idleSeconds',
        roles.map(({ sessions }) => sessions?.idleTimeoutSeconds),
      ),
      ...shortest(
        'absoluteSeconds',
        roles.map(({ sessions }) => sessions?.absoluteTimeoutSeconds),
      ),
    },
  };
}

const both = <Kind>(some: Kind[], others: readonly Kind[]): Kind[] =>
  some.filter((kind) => others.includes(kind));

function shortest<Name extends string>(
  name: Name,
  limits: readonly (number | undefined)[],
): Partial<Record<Name, number>> {
  const given = limits.filter((limit) => limit !== undefined);
  // The name is the only key.
  return given.length === 0
    ? {}
    : ({ [name]: Math.min(...given) } as Partial<Record<Name, number>>);
}
