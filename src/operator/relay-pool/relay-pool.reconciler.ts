import { RELAY_POOL, type RelayPool } from '../../kinds/relay-pool.gen.js';
import { SIGNALING_GATEWAY, type SignalingGateway } from '../../kinds/signaling-gateway.gen.js';
import type { ChildFailure } from '../../kubernetes/child-failures.js';
import type { Cluster } from '../../kubernetes/cluster.js';
import { LABEL_OWNER_KIND } from '../../kubernetes/metadata.js';
import { refOf, type KubernetesObject, type ObjectKey } from '../../kubernetes/object.js';
import type { Reconciler, ReconcileResult, Watch } from '../../kubernetes/reconciler.js';
import { allowsGateway, usesPool } from '../../policy/relay-permission.js';
import type { Clock } from '../../runtime/clock.js';
import { CA_NAME, caSecretRef } from '../keys/ca.js';
import type { Keysmith } from '../keys/orders.js';
import type { ObservedGateway, RelayPoolSettings } from './context.js';
import { planRelayPool, type PlannedRelayPool } from './plan.js';
import type { ObservedRelayPool } from './situation.js';

export interface RelayPoolParts {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly keysmith: Keysmith;
  readonly settings: () => RelayPoolSettings;
}

/** `GATEWAY-gateway-lease-keys` is the Secret with the lease keys of a gateway. */
const LEASE_KEYS_SUFFIX = '-gateway-lease-keys';

/** Reads, plans, carries out. Every decision is in plan.ts; an `if` that grows here belongs there. */
export class RelayPoolReconciler implements Reconciler {
  readonly name = 'relay-pool';
  readonly primary = RELAY_POOL;
  readonly watches: readonly Watch[] = [
    { ...SIGNALING_GATEWAY, keysOf: poolsOfGateway },
    { apiVersion: 'v1', kind: 'Secret', keysOf: poolsOfSecret },
  ];
  readonly #parts: RelayPoolParts;

  constructor(parts: RelayPoolParts) {
    this.#parts = parts;
  }

  async reconcile(key: ObjectKey): Promise<ReconcileResult> {
    const pool = this.#pool(key);
    if (!pool) return {}; // Deleted: its children follow through their owner references.
    const { orders } = this.#plan(pool, []);
    const failed = await this.#fulfil(pool, orders);
    const { plan } = this.#plan(this.#pool(key) ?? pool, failed);
    await this.#parts.cluster.carryOut(pool, plan);
    return { requeueAfterMs: plan.requeueAfterMs };
  }

  #pool(key: ObjectKey): RelayPool | undefined {
    return this.#parts.cluster.get<RelayPool>({ ...RELAY_POOL, ...key });
  }

  #plan(pool: RelayPool, failedOrders: readonly ChildFailure[]): PlannedRelayPool {
    const { cluster, clock, settings } = this.#parts;
    const observed = observe(cluster, pool, failedOrders);
    return planRelayPool(observed, settings(), clock.now());
  }

  async #fulfil(
    pool: RelayPool,
    orders: PlannedRelayPool['orders'],
  ): Promise<readonly ChildFailure[]> {
    const failed: ChildFailure[] = [];
    for (const order of orders) {
      const { name, namespace = '' } = order.metadata;
      await this.#parts.keysmith.fulfil(pool, order).catch((error: unknown) => {
        const ref = { apiVersion: 'v1', kind: 'Secret', namespace, name };
        failed.push({ ref, error: error instanceof Error ? error : new Error(String(error)) });
      });
    }
    return failed;
  }
}

function observe(
  cluster: Cluster,
  pool: RelayPool,
  failedOrders: readonly ChildFailure[],
): ObservedRelayPool {
  return {
    pool,
    children: cluster.children(pool.metadata.uid ?? ''),
    ca: cluster.child(caSecretRef(pool.metadata.namespace ?? '')),
    gateways: cluster
      .list<SignalingGateway>(SIGNALING_GATEWAY.apiVersion, SIGNALING_GATEWAY.kind)
      .filter((gateway) => allowsGateway(pool, gateway) || usesPool(gateway, pool))
      .map((gateway) => observeGateway(cluster, gateway)),
    failedOrders,
  };
}

function observeGateway(cluster: Cluster, gateway: SignalingGateway): ObservedGateway {
  const { namespace = '', name } = gateway.metadata;
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    namespace,
    name: `${name}${LEASE_KEYS_SUFFIX}`,
  };
  return { gateway, leaseKeys: cluster.child(secret), ca: cluster.child(caSecretRef(namespace)) };
}

/** Pools that allow `gateway`, used or not: one that it has just stopped using must notice, too. And those it names. */
function poolsOfGateway(object: KubernetesObject, cluster: Cluster): readonly ObjectKey[] {
  // The watch names the kind, and the API server has validated the object.
  const gateway = object as unknown as SignalingGateway;
  return pools(cluster)
    .filter((pool) => allowsGateway(pool, gateway) || usesPool(gateway, pool))
    .map(refOf);
}

/** Lease keys concern the pools of their gateway; the CA of a namespace those of every gateway there. */
function poolsOfSecret(object: KubernetesObject, cluster: Cluster): readonly ObjectKey[] {
  const { name, namespace = '', labels } = object.metadata;
  const { apiVersion, kind } = SIGNALING_GATEWAY;
  if (name === CA_NAME) {
    const gateways = cluster.list<SignalingGateway>(apiVersion, kind, namespace);
    const signed = gateways.flatMap((gateway) => poolsOfGateway(gateway, cluster));
    return [...pools(cluster, namespace).map(refOf), ...signed];
  }
  if (labels?.[LABEL_OWNER_KIND] !== kind || !name.endsWith(LEASE_KEYS_SUFFIX)) return [];
  // The name leads to the one gateway: looking through all of them is quadratic when every Secret arrives at start.
  const owner = { apiVersion, kind, namespace, name: name.slice(0, -LEASE_KEYS_SUFFIX.length) };
  const gateway = cluster.get<SignalingGateway>(owner);
  return gateway === undefined ? [] : poolsOfGateway(gateway, cluster);
}

function pools(cluster: Cluster, namespace?: string): readonly RelayPool[] {
  return cluster.list<RelayPool>(RELAY_POOL.apiVersion, RELAY_POOL.kind, namespace);
}
