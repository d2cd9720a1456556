import { RELAY_POOL } from '../../kinds/relay-pool.gen.js';
import type { RelayPool } from '../../kinds/relay-pool.gen.js';
import { RETENTION_POLICY } from '../../kinds/retention-policy.gen.js';
import type { RetentionPolicy } from '../../kinds/retention-policy.gen.js';
import { SIGNALING_GATEWAY } from '../../kinds/signaling-gateway.gen.js';
import type { SignalingGateway } from '../../kinds/signaling-gateway.gen.js';
import type { ChildFailure } from '../../kubernetes/child-failures.js';
import type { Cluster } from '../../kubernetes/cluster.js';
import { refOf } from '../../kubernetes/object.js';
import type { KubernetesObject, ObjectKey, ObjectRef } from '../../kubernetes/object.js';
import type { Reconciler, ReconcileResult, Watch } from '../../kubernetes/reconciler.js';
import { usesPool } from '../../policy/relay-permission.js';
import type { Clock } from '../../runtime/clock.js';
import { BUNDLE_KEY_NAME } from '../keys/bundle.js';
import type { BundleSigner } from '../keys/bundle.js';
import { CA_NAME, caSecretRef } from '../keys/ca.js';
import { NamedSecrets } from '../keys/named-secrets.reader.js';
import { eventsOfOrders } from '../keys/orders.js';
import type { KeyOrder, Keysmith } from '../keys/orders.js';
import { FILES, secretNeeds, secretsToRead } from './configuration.js';
import { planGateway } from './plan.js';
import type { GatewayRoomSettings, ObservedGateway } from './situation.js';

export interface SignalingGatewayParts {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly keysmith: Keysmith;
  readonly signer: Pick<BundleSigner, 'publicKeys'>;
  readonly settings: GatewayRoomSettings;
}

/** Reads, plans, has keys made, carries out. Every decision is in plan.ts; an `if` that grows here belongs there. */
export class SignalingGatewayReconciler implements Reconciler {
  readonly name = 'signaling-gateway';
  readonly primary = SIGNALING_GATEWAY;
  readonly watches: readonly Watch[] = [
    { ...RELAY_POOL, keysOf: gatewaysOfPool },
    { ...RETENTION_POLICY, keysOf: gatewaysOfNamespace },
    { apiVersion: 'v1', kind: 'Secret', keysOf: gatewaysOfAuthority },
  ];
  readonly #parts: SignalingGatewayParts;
  readonly #namedSecrets: NamedSecrets;

  constructor(parts: SignalingGatewayParts) {
    const { cluster, clock, settings } = parts;
    const checkEverySeconds = settings.checkSecretsEverySeconds;
    this.#parts = parts;
    this.#namedSecrets = new NamedSecrets({ cluster, clock, checkEverySeconds });
  }

  async reconcile(key: ObjectKey): Promise<ReconcileResult> {
    const { cluster } = this.#parts;
    const gateway = cluster.get<SignalingGateway>({ ...SIGNALING_GATEWAY, ...key });
    if (gateway === undefined) return {}; // Deleted: its children follow through their owner references.
    const secrets = await this.#secretsOf(gateway);
    const { orders, settingsToRead } = this.#plan(gateway, { secrets, failedOrders: [] });
    const failedOrders = await this.#fulfil(gateway, orders);
    const heldSettings = settingsToRead && (await this.#readSettings(settingsToRead));
    const { plan } = this.#plan(gateway, { secrets, failedOrders, heldSettings });
    const events = [...eventsOfOrders(orders), ...plan.events];
    await cluster.carryOut(gateway, { ...plan, events });
    return { requeueAfterMs: plan.requeueAfterMs };
  }

  #secretsOf(gateway: SignalingGateway): Promise<ObservedGateway['secrets']> {
    const { namespace = '' } = gateway.metadata;
    return this.#namedSecrets.of(namespace, secretsToRead(gateway), secretNeeds(gateway));
  }

  #plan(gateway: SignalingGateway, found: Found) {
    const { cluster, clock, signer, settings } = this.#parts;
    const policyKeys = signer.publicKeys().map((fact) => fact.public);
    const observed = { ...observe(cluster, gateway), ...found, policyKeys };
    return planGateway(observed, settings, clock.now());
  }

  async #fulfil(
    gateway: SignalingGateway,
    orders: readonly KeyOrder[],
  ): Promise<readonly ChildFailure[]> {
    const failed: ChildFailure[] = [];
    const fulfil = async (order: KeyOrder): Promise<void> => {
      const { name, namespace = '' } = order.metadata;
      await this.#parts.keysmith.fulfil(gateway, order).catch((error: unknown) => {
        const ref = { apiVersion: 'v1', kind: 'Secret', namespace, name };
        failed.push({ ref, error: error instanceof Error ? error : new Error(String(error)) });
      });
    };
    await Promise.all(orders.map(fulfil)); // Each is a Secret of its own.
    return failed;
  }

  /** A plan that needs it says so again, and looks again: what cannot be read now keeps nothing else waiting. */
  async #readSettings(ref: ObjectRef): Promise<string | undefined> {
    const found = await this.#parts.cluster.read(ref).catch(() => undefined);
    return (found?.['data'] as Readonly<Record<string, string>> | undefined)?.[FILES.settings];
  }
}

/** What a pass learns besides the cache. */
type Found = Pick<ObservedGateway, 'secrets' | 'failedOrders' | 'heldSettings'>;

function observe(
  cluster: Cluster,
  gateway: SignalingGateway,
): Omit<ObservedGateway, keyof Found | 'policyKeys'> {
  const { namespace = '', uid = '' } = gateway.metadata;
  const pools = poolsOf(cluster, gateway);
  const namespaces = [namespace, ...pools.map(({ metadata }) => metadata.namespace ?? '')];
  return {
    gateway,
    children: cluster.children(uid),
    authorities: [...new Set(namespaces)].flatMap((name) => cluster.child(caSecretRef(name)) ?? []),
    pools,
    neighbours: gatewaysIn(cluster, namespace).filter(({ metadata }) => metadata.uid !== uid),
    retentionPolicies: cluster.list<RetentionPolicy>(
      RETENTION_POLICY.apiVersion,
      RETENTION_POLICY.kind,
      namespace,
    ),
    serves: {
      certificates: cluster.serves('cert-manager.io/v1', 'Certificate'),
      serviceMonitors: cluster.serves('monitoring.coreos.com/v1', 'ServiceMonitor'),
    },
  };
}

/** Pools that may concern the gateway: those that it names, else those of its namespace. */
function poolsOf(cluster: Cluster, { metadata, spec }: SignalingGateway): readonly RelayPool[] {
  const { namespace: own = '' } = metadata;
  if (spec.relayPools === undefined) return poolsIn(cluster, own);
  return spec.relayPools.flatMap(
    ({ name, namespace = own }) => cluster.get<RelayPool>({ ...RELAY_POOL, namespace, name }) ?? [],
  );
}

function gatewaysOfPool(object: KubernetesObject, cluster: Cluster): readonly ObjectKey[] {
  // The watch names the kind, and the API server has validated the object.
  const pool = object as unknown as RelayPool;
  return gatewaysIn(cluster)
    .filter((gateway) => usesPool(gateway, pool))
    .map(refOf);
}

function gatewaysOfNamespace(object: KubernetesObject, cluster: Cluster): readonly ObjectKey[] {
  const { namespace = '' } = object.metadata;
  return gatewaysIn(cluster, namespace).map(refOf);
}

/** The CA of a namespace concerns its gateways and those of its pools; the key of policy bundles concerns all. */
function gatewaysOfAuthority(object: KubernetesObject, cluster: Cluster): readonly ObjectKey[] {
  const { name, namespace = '' } = object.metadata;
  if (name === BUNDLE_KEY_NAME) {
    return gatewaysIn(cluster).map(refOf);
  }
  if (name !== CA_NAME) return [];
  const pools = poolsIn(cluster, namespace);
  return [
    ...gatewaysOfNamespace(object, cluster),
    ...pools.flatMap((pool) => gatewaysOfPool(pool, cluster)),
  ];
}

function gatewaysIn(cluster: Cluster, namespace?: string): readonly SignalingGateway[] {
  const { apiVersion, kind } = SIGNALING_GATEWAY;
  return cluster.list<SignalingGateway>(apiVersion, kind, namespace);
}

function poolsIn(cluster: Cluster, namespace: string): readonly RelayPool[] {
  return cluster.list<RelayPool>(RELAY_POOL.apiVersion, RELAY_POOL.kind, namespace);
}
