import { dump } from 'js-yaml';
import {
  permissionsOf,
  VERBS,
  type Permission,
  type PermissionScope,
} from '../../../src/operator/permissions.js';

/** Name of the lease in the generated files; the chart replaces it together with the setting. */
const LEASE = 'sallyport-operator';
const NAME = 'sallyport-operator';
/** Where the generated files put the operator; `kubectl -n` or the chart says otherwise. */
const OPERATOR_NAMESPACE = 'sallyport-system';

/** One rule of a Role or ClusterRole. */
export interface PolicyRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

/** A file of this repository that is written by `npm run generate`. */
export interface GeneratedFile {
  /** From the root of the repository. */
  readonly path: string;
  readonly text: string;
}

/** The rules of one scope: resources of one group with the same verbs share a rule. */
export function rulesOf(scope: PermissionScope, leaseName = LEASE): PolicyRule[] {
  const rules = new Map<string, Permission[]>();
  for (const permission of permissionsOf(leaseName).filter((one) => one.scope === scope)) {
    const key = JSON.stringify([permission.group, permission.names, verbsOf(permission)]);
    rules.set(key, [...(rules.get(key) ?? []), permission]);
  }
  return [...rules.values()].map((alike) => ({
    apiGroups: [alike[0]!.group],
    resources: alike.map(({ resource }) => resource),
    ...(alike[0]!.names && { resourceNames: alike[0]!.names }),
    verbs: verbsOf(alike[0]!),
  }));
}

const verbsOf = ({ verbs }: Permission): string[] => VERBS.filter((verb) => verb in verbs);

/** The RBAC files and the page that explains them. */
export function generateRbac(): GeneratedFile[] {
  return [
    { path: 'config/rbac/operator-cluster.yaml', text: yaml(CLUSTER_HEADER, clusterObjects()) },
    { path: 'config/rbac/operator-namespaced.yaml', text: yaml(NAMED_HEADER, namedObjects()) },
    { path: 'docs/rbac.md', text: page() },
  ];
}

const CLUSTER_HEADER = `# Written by \`npm run generate\` from src/operator/permissions.ts. Do not edit.
# For an operator that serves all namespaces, or those with a label. It can read every Secret of the cluster.
`;
const NAMED_HEADER = `# Written by \`npm run generate\` from src/operator/permissions.ts. Do not edit.
# For an operator that serves named namespaces: no cluster-scoped object. Apply the Role and the RoleBinding
# "${NAME}" in each of those namespaces and in the operator's own (it holds the key that signs policy
# bundles), and the two "${NAME}-lease" in the operator's own.
`;

const labels = { 'app.kubernetes.io/name': 'sallyport', 'app.kubernetes.io/part-of': 'sallyport' };
const subjects = [{ kind: 'ServiceAccount', name: NAME, namespace: OPERATOR_NAMESPACE }];
const api = 'rbac.authorization.k8s.io/v1';

function role(
  kind: 'Role' | 'ClusterRole',
  metadata: object,
  rules: readonly PolicyRule[],
): object {
  return { apiVersion: api, kind, metadata: { ...metadata, labels }, rules };
}

function binding(kind: 'Role' | 'ClusterRole', metadata: { name: string }): object {
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind, name: metadata.name };
  return {
    apiVersion: api,
    kind: `${kind}Binding`,
    metadata: { ...metadata, labels },
    roleRef,
    subjects,
  };
}

function leaseObjects(): object[] {
  const metadata = { name: `${NAME}-lease`, namespace: OPERATOR_NAMESPACE };
  return [role('Role', metadata, rulesOf('Operator')), binding('Role', metadata)];
}

function clusterObjects(): object[] {
  const rules = [...rulesOf('Watched'), ...rulesOf('Cluster')];
  return [
    role('ClusterRole', { name: NAME }, rules),
    binding('ClusterRole', { name: NAME }),
    ...leaseObjects(),
  ];
}

function namedObjects(): object[] {
  return [
    role('Role', { name: NAME }, rulesOf('Watched')),
    binding('Role', { name: NAME }),
    ...leaseObjects(),
  ];
}

function yaml(header: string, objects: readonly object[]): string {
  const documents = objects.map((object) => dump(object, { lineWidth: 110, noRefs: true }));
  return `${header}${documents.join('---\n')}`;
}

const INTRODUCTION = `# What the operator may do, and why

Written by \`npm run generate\` from \`src/operator/permissions.ts\`. Do not edit.

Two profiles. **Cluster** (\`config/rbac/operator-cluster.yaml\`): the operator serves all namespaces or those with a
label, by one ClusterRole; it can then read every Secret of the cluster, although it lists only those that carry its
label. **Named namespaces** (\`config/rbac/operator-namespaced.yaml\`): Roles in the namespaces that it serves and in
its own, no cluster-scoped object, and no way to a Secret anywhere else.

In neither: a wildcard, \`escalate\`, \`bind\`, \`impersonate\`, \`pods/exec\`, \`pods/attach\`, \`pods/portforward\`,
\`nodes/proxy\`, \`serviceaccounts/token\`, or any write to a Role, a Namespace or a custom resource's spec. \`delete\` is
granted only for kinds that become unwanted while their resource lives; everything else goes with its resource, by
owner references.

A user who may write our resources but not read Secrets learns none through the operator: it copies no Secret and no
part of one into an object that such a user may read. RBAC cannot narrow \`list\` and \`create\` to a label or a name;
where that matters the reason says so. A test (\`test/apiserver/rbac.spec.ts\`) runs the operator with exactly these
rules and fails on a verb that was never used and on a call that was refused.
`;

const SECTIONS: readonly (readonly [PermissionScope, string])[] = [
  ['Watched', 'In each namespace that it serves'],
  ['Operator', 'In its own namespace'],
  ['Cluster', 'On cluster-scoped objects (cluster profile only)'],
];

function page(): string {
  return [INTRODUCTION, ...SECTIONS.map(([scope, title]) => section(scope, title))].join('\n');
}

function section(scope: PermissionScope, title: string): string {
  const rows = permissionsOf(LEASE)
    .filter((permission) => permission.scope === scope)
    .flatMap((permission) => VERBS.flatMap((verb) => row(permission, verb)));
  return [`## ${title}`, '', '| resource | verb | why |', '| --- | --- | --- |', ...rows, ''].join(
    '\n',
  );
}

function row(permission: Permission, verb: (typeof VERBS)[number]): string[] {
  const why = permission.verbs[verb];
  if (why === undefined) return [];
  const group = permission.group === '' ? '' : `.${permission.group}`;
  const [resource, subresource] = permission.resource.split('/');
  const name = `${resource!}${group}${subresource === undefined ? '' : `/${subresource}`}`;
  const only = permission.names ? ` named ${permission.names.join(', ')}` : '';
  return [
    `| \`${name}\`${only} | ${verb} | ${why}${permission.optional ? ' Where that API exists.' : ''} |`,
  ];
}
