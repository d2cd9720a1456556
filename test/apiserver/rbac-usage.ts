import {
  permissionsOf,
  type Permission,
  type PermissionVerb,
} from '../../src/operator/permissions.js';
import type { AuditEntry } from './bed/audit-log.js';
import { recordOf, type RecordedCall } from './bed/recorded-calls.js';

/*
 * What programs really did on API servers, compared with what src/operator/permissions.ts grants. Every test server
 * keeps the calls of users named `operator...` (bed/recorded-calls.ts); test/final/rbac.spec.ts judges those of the suite.
 */

/** What the operator is granted in tests: the lease has its usual name. */
export const PERMISSIONS = permissionsOf('sallyport-operator');

/** The calls of `user` in an audit log, as they would be recorded. */
export function callsIn(entries: readonly AuditEntry[], user: string): RecordedCall[] {
  return entries.filter((entry) => entry.user.username === user).map(recordOf);
}

/** A server-side apply that creates is audited as patch alone, and authorized as patch and as create. */
function verbsOf({ verb, code }: RecordedCall): readonly string[] {
  return verb === 'patch' && code === 201 ? ['patch', 'create'] : [verb];
}

const isAbout = (call: RecordedCall, { group, resource }: Permission): boolean =>
  call.apiGroup === group && call.resource === resource;

/** `verb resource.group` of every call that no permission covers, or that was refused. */
export function refusals(
  calls: readonly RecordedCall[],
  permissions: readonly Permission[],
): string[] {
  const bad = calls
    .filter(({ resource }) => resource !== '')
    .flatMap((call) =>
      verbsOf(call)
        .filter(
          (verb) =>
            call.code === 403 ||
            !permissions.some((one) => isAbout(call, one) && verb in one.verbs),
        )
        .map((verb) => nameOf(verb, call.resource, call.apiGroup)),
    );
  return [...new Set(bad)].sort();
}

/** `verb resource.group` of every granted verb that no call used with success. */
export function unusedVerbs(
  calls: readonly RecordedCall[],
  permissions: readonly Permission[],
): string[] {
  const done = calls.filter(({ code }) => code !== 403);
  const isUsed = (permission: Permission, verb: string): boolean =>
    done.some((call) => isAbout(call, permission) && verbsOf(call).includes(verb));
  return permissions
    .flatMap((permission) =>
      (Object.keys(permission.verbs) as PermissionVerb[])
        .filter((verb) => !isUsed(permission, verb))
        .map((verb) => nameOf(verb, permission.resource, permission.group)),
    )
    .sort();
}

/** Paths outside of resources that were asked for; every authenticated user may read discovery, version and OpenAPI. */
export function pathsIn(calls: readonly RecordedCall[]): string[] {
  return [...new Set(calls.map(({ path }) => path).filter((path) => path !== ''))].sort();
}

const nameOf = (verb: string, resource: string, group: string) =>
  `${verb} ${resource}${group === '' ? '' : `.${group}`}`;
