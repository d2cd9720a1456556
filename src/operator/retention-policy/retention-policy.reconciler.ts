import { RETENTION_POLICY, type RetentionPolicy } from '../../kinds/retention-policy.gen.js';
import { SIGNALING_GATEWAY, type SignalingGateway } from '../../kinds/signaling-gateway.gen.js';
import type { Cluster } from '../../kubernetes/cluster.js';
import { refOf, type KubernetesObject, type ObjectKey } from '../../kubernetes/object.js';
import type { Reconciler, ReconcileResult, Watch } from '../../kubernetes/reconciler.js';
import type { Clock } from '../../runtime/clock.js';
import { planRetentionPolicy } from './plan.js';

export interface RetentionPolicyParts {
  readonly cluster: Cluster;
  readonly clock: Clock;
}

/** Status of RetentionPolicies. Reads, plans, carries out; every decision is in plan.ts. */
export class RetentionPolicyReconciler implements Reconciler {
  readonly name = 'retention-policy';
  readonly primary = RETENTION_POLICY;
  readonly watches: readonly Watch[] = [
    { ...SIGNALING_GATEWAY, keysOf: policiesOfNamespace },
    // Policies judge each other: longest at-least, shortest at-most.
    { ...RETENTION_POLICY, keysOf: policiesOfNamespace },
    { apiVersion: 'v1', kind: 'ConfigMap', keysOf: policiesOfSettings },
  ];
  readonly #parts: RetentionPolicyParts;

  constructor(parts: RetentionPolicyParts) {
    this.#parts = parts;
  }

  async reconcile(key: ObjectKey): Promise<ReconcileResult> {
    const { cluster, clock } = this.#parts;
    const { apiVersion, kind } = RETENTION_POLICY;
    const policy = cluster.get<RetentionPolicy>({ ...RETENTION_POLICY, ...key });
    if (!policy) return {};
    const policies = cluster.list<RetentionPolicy>(apiVersion, kind, key.namespace);
    const gateways = cluster
      .list<SignalingGateway>(SIGNALING_GATEWAY.apiVersion, SIGNALING_GATEWAY.kind, key.namespace)
      .map((gateway) => ({ gateway, settings: cluster.child(settingsRef(gateway)) }));
    const plan = planRetentionPolicy({ policy, policies, gateways }, clock.now());
    await cluster.carryOut(policy, plan);
    return { requeueAfterMs: plan.requeueAfterMs };
  }
}

const SETTINGS_SUFFIX = '-gateway-settings';

function settingsRef({ metadata: { namespace = '', name } }: SignalingGateway) {
  return { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: `${name}${SETTINGS_SUFFIX}` };
}

function policiesOfNamespace(
  { metadata }: KubernetesObject,
  cluster: Cluster,
): readonly ObjectKey[] {
  const { apiVersion, kind } = RETENTION_POLICY;
  return cluster.list(apiVersion, kind, metadata.namespace ?? '').map(refOf);
}

function policiesOfSettings(object: KubernetesObject, cluster: Cluster): readonly ObjectKey[] {
  return object.metadata.name.endsWith(SETTINGS_SUFFIX) ? policiesOfNamespace(object, cluster) : [];
}
