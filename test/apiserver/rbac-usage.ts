import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  permissionsOf,
  type Permission,
  type PermissionVerb,
} from '../../src/operator/permissions.js';
import type { AuditEntry } from './bed/audit-log.js';

/*
 * What programs really did on an API server, compared with what src/operator/permissions.ts grants. Each test file
 * that runs the operator adds its calls with `writeUsage`; `npx tsx test/apiserver/rbac-usage.check.ts` judges all.
 */

/** Calls of one kind, as RBAC sees them. */
export interface Usage {
  readonly verb: string;
  readonly group: string;
  /** With subresource. */
  readonly resource: string;
  readonly namespace: string;
  /** '' where the call names none. */
  readonly name: string;
  /** RBAC refused it (403 from the authorizer). */
  readonly refused: boolean;
}

const FOLDER = join(import.meta.dirname, '../../test-results/rbac');

/** The distinct calls of `users` in an API server's audit log. */
export function usageOf(entries: readonly AuditEntry[], users: readonly string[]): Usage[] {
  const distinct = new Map<string, Usage>();
  for (const entry of entries) {
    if (!users.includes(entry.user.username) || !entry.objectRef?.resource) continue;
    for (const usage of usagesOfEntry(entry)) distinct.set(JSON.stringify(usage), usage);
  }
  return [...distinct.values()];
}

function usagesOfEntry(entry: AuditEntry): Usage[] {
  const { resource, subresource, namespace, name, apiGroup } = { ...NO_OBJECT, ...entry.objectRef };
  const usage = {
    verb: entry.verb,
    group: apiGroup,
    resource: subresource === '' ? resource : `${resource}/${subresource}`,
    namespace,
    name: resource === 'leases' ? name : '',
    refused: isForbidden(entry),
  };
  // A server-side apply that creates is audited as patch, and authorized as patch and as create.
  const creates = entry.verb === 'patch' && entry.responseStatus?.code === 201;
  return creates ? [usage, { ...usage, verb: 'create', name: '' }] : [usage];
}

const NO_OBJECT = { apiGroup: '', resource: '', subresource: '', namespace: '', name: '' };

/** Also the refusal inside an apply that may patch but not create. */
const isForbidden = ({ responseStatus }: AuditEntry) =>
  responseStatus?.code === 403 && responseStatus.reason === 'Forbidden';

/** The permission that covers `usage`, if one does. */
export function permissionFor(
  usage: Usage,
  permissions: readonly Permission[],
): Permission | undefined {
  return permissions.find(
    ({ group, resource, names, verbs }) =>
      group === usage.group &&
      resource === usage.resource &&
      usage.verb in verbs &&
      (names === undefined || names.includes(usage.name)),
  );
}

/** `verb resource.group` of every call that no permission covers or that was refused. */
export function refusals(usages: readonly Usage[], permissions: readonly Permission[]): string[] {
  const bad = usages.filter((usage) => usage.refused || !permissionFor(usage, permissions));
  return [...new Set(bad.map(({ verb, resource, group }) => nameOf(verb, resource, group)))].sort();
}

/** `verb resource.group` of every granted verb that no call used. */
export function unusedVerbs(
  usages: readonly Usage[],
  permissions: readonly Permission[],
): string[] {
  const used = new Set(
    usages.flatMap((usage) => {
      const permission = permissionFor(usage, permissions);
      return permission ? [`${permissions.indexOf(permission)} ${usage.verb}`] : [];
    }),
  );
  return permissions
    .flatMap((permission, index) =>
      (Object.keys(permission.verbs) as PermissionVerb[])
        .filter((verb) => !used.has(`${index} ${verb}`))
        .map((verb) => nameOf(verb, permission.resource, permission.group)),
    )
    .sort();
}

const nameOf = (verb: string, resource: string, group: string) =>
  `${verb} ${resource}${group === '' ? '' : `.${group}`}`;

/** Adds the calls of one test file to those of the suite. */
export function writeUsage(spec: string, usages: readonly Usage[]): void {
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(join(FOLDER, `${spec}.json`), JSON.stringify(usages, undefined, 1));
}

/** The calls of every test file that wrote them. */
export function readUsages(): Usage[] {
  const names = readdirSync(FOLDER).filter((name) => name.endsWith('.json'));
  return names.flatMap((name) => JSON.parse(readFileSync(join(FOLDER, name), 'utf8')) as Usage[]);
}

/** What the operator is granted in tests: the lease has its usual name. */
export const PERMISSIONS = permissionsOf('sallyport-operator');
