import type { PolicyRule } from '../../config/tooling/generate/rbac.js';
import { rulesOf } from '../../config/tooling/generate/rbac.js';
import type { AnyObject } from './bed/admin.js';
import type { TestApiServer } from './bed/api-server.js';

/** Namespace of the operator in tests. */
export const OPERATOR_NAMESPACE = 'sallyport-system';
const API = 'rbac.authorization.k8s.io/v1';

/** Gives `user` what the cluster profile gives the operator, and nothing else. */
export async function grantCluster(server: TestApiServer, user: string): Promise<void> {
  await ensureNamespace(server, OPERATOR_NAMESPACE);
  const rules = [...rulesOf('Watched'), ...rulesOf('Cluster')];
  await grant(server, user, { name: `${user}-work` }, rules);
  await grant(server, user, leaseRole(user), rulesOf('Operator'));
}

/** Gives `user` what the named-namespaces profile gives the operator in `namespaces`, and nothing else. */
export async function grantNamed(
  server: TestApiServer,
  user: string,
  namespaces: readonly string[],
): Promise<void> {
  await ensureNamespace(server, OPERATOR_NAMESPACE);
  await grant(server, user, leaseRole(user), rulesOf('Operator'));
  for (const namespace of [OPERATOR_NAMESPACE, ...namespaces]) {
    await grant(server, user, { name: `${user}-work`, namespace }, rulesOf('Watched'));
  }
}

/** Makes a namespace that may be there. */
export async function ensureNamespace(server: TestApiServer, name: string): Promise<void> {
  await server.admin.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
}

interface RoleName {
  readonly name: string;
  /** Absent: a ClusterRole. */
  readonly namespace?: string;
}

const leaseRole = (user: string): RoleName => ({
  name: `${user}-lease`,
  namespace: OPERATOR_NAMESPACE,
});

async function grant(
  server: TestApiServer,
  user: string,
  metadata: RoleName,
  rules: readonly PolicyRule[],
): Promise<void> {
  const kind = metadata.namespace === undefined ? 'ClusterRole' : 'Role';
  const objects: AnyObject[] = [
    { apiVersion: API, kind, metadata: { ...metadata }, rules },
    {
      apiVersion: API,
      kind: `${kind}Binding`,
      metadata: { ...metadata },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name: metadata.name },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }],
    },
  ];
  for (const object of objects) await server.admin.apply(object);
}
