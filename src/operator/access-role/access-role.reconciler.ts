import { ACCESS_ROLE, type AccessRole } from '../../kinds/access-role.gen.js';
import { SIGNALING_GATEWAY, type SignalingGateway } from '../../kinds/signaling-gateway.gen.js';
import type { Cluster } from '../../kubernetes/cluster.js';
import { refOf, type KubernetesObject, type ObjectKey } from '../../kubernetes/object.js';
import type { Reconciler, ReconcileResult, Watch } from '../../kubernetes/reconciler.js';
import type { Clock } from '../../runtime/clock.js';
import { bundleRef } from './objects.js';
import { planAccessRole } from './plan.js';

export interface AccessRoleParts {
  readonly cluster: Cluster;
  readonly clock: Clock;
}

/** Status of AccessRoles. Reads, plans, carries out; every decision is in plan.ts. */
export class AccessRoleReconciler implements Reconciler {
  readonly name = 'access-role';
  readonly primary = ACCESS_ROLE;
  readonly watches: readonly Watch[] = [
    // A gateway comes, goes, changes its labels, or gets a bundle.
    { ...SIGNALING_GATEWAY, keysOf: rolesOfNamespace },
    // Roles judge each other: segregation of duties.
    { ...ACCESS_ROLE, keysOf: rolesOfNamespace },
    { apiVersion: 'v1', kind: 'ConfigMap', keysOf: rolesOfBundle },
  ];
  readonly #parts: AccessRoleParts;

  constructor(parts: AccessRoleParts) {
    this.#parts = parts;
  }

  async reconcile(key: ObjectKey): Promise<ReconcileResult> {
    const { cluster, clock } = this.#parts;
    const role = cluster.get<AccessRole>({ ...ACCESS_ROLE, ...key });
    if (!role) return {};
    const roles = cluster.list<AccessRole>(ACCESS_ROLE.apiVersion, ACCESS_ROLE.kind, key.namespace);
    const gateways = cluster
      .list<SignalingGateway>(SIGNALING_GATEWAY.apiVersion, SIGNALING_GATEWAY.kind, key.namespace)
      .map((gateway) => ({ gateway, configMap: cluster.child(bundleRef(gateway)) }));
    const plan = planAccessRole({ role, roles, gateways }, clock.now());
    await cluster.carryOut(role, plan);
    return { requeueAfterMs: plan.requeueAfterMs };
  }
}

function rolesOfNamespace({ metadata }: KubernetesObject, cluster: Cluster): readonly ObjectKey[] {
  const { apiVersion, kind } = ACCESS_ROLE;
  return cluster.list(apiVersion, kind, metadata.namespace ?? '').map(refOf);
}

function rolesOfBundle(object: KubernetesObject, cluster: Cluster): readonly ObjectKey[] {
  return object.metadata.name.endsWith('-gateway-policy') ? rolesOfNamespace(object, cluster) : [];
}
