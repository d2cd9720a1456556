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
  await grant(server, user, undefined, [...rulesOf('Watched'), ...rulesOf('Cluster')]);
  await grant(server, user, OPERATOR_NAMESPACE, rulesOf('Operator'));
}

/** Gives `user` what the named-namespaces profile gives the operator in `namespaces`, and nothing else. */
export async function grantNamed(
  server: TestApiServer,
  user: string,
  namespaces: readonly string[],
): Promise<void> {
  await ensureNamespace(server, OPERATOR_NAMESPACE);
  await grant(server, user, OPERATOR_NAMESPACE, rulesOf('Operator'), 'lease');
  for (const namespace of namespaces) await grant(server, user, namespace, rulesOf('Watched'));
}

/** Makes a namespace that may be there. */
export async function ensureNamespace(server: TestApiServer, name: string): Promise<void> {
  await server.admin.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
}

async function grant(
  server: TestApiServer,
  user: string,
  namespace: string | undefined,
  rules: readonly PolicyRule[],
  part = 'work',
): Promise<void> {
  const kind = namespace === undefined ? 'ClusterRole' : 'Role';
  const metadata = { name: `${user}-${part}`, ...(namespace !== undefined && { namespace }) };
  const objects: AnyObject[] = [
    { apiVersion: API, kind, metadata, rules },
    {
      apiVersion: API,
      kind: `${kind}Binding`,
      metadata,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name: metadata.name },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }],
    },
  ];
  for (const object of objects) await server.admin.apply(object);
}
