import { X509Certificate, createHash } from 'node:crypto';
import { RELAY_POOL } from '../../kinds/relay-pool.gen.js';
import type { RelayPool } from '../../kinds/relay-pool.gen.js';
import { RETENTION_POLICY } from '../../kinds/retention-policy.gen.js';
import type { RetentionPolicy } from '../../kinds/retention-policy.gen.js';
import { SIGNALING_GATEWAY } from '../../kinds/signaling-gateway.gen.js';
import type { SignalingGateway } from '../../kinds/signaling-gateway.gen.js';
import type { ChildFailure } from '../../kubernetes/child-failures.js';
import type { Cluster } from '../../kubernetes/cluster.js';
import { LABEL_MANAGED_BY } from '../../kubernetes/metadata.js';
import { refOf } from '../../kubernetes/object.js';
import type { KubernetesObject, ObjectKey } from '../../kubernetes/object.js';
import type { Reconciler, ReconcileResult, Watch } from '../../kubernetes/reconciler.js';
import { usesPool } from '../../policy/relay-permission.js';
import type { Clock } from '../../runtime/clock.js';
import { BUNDLE_KEY_NAME } from '../keys/bundle.js';
import type { BundleSigner } from '../keys/bundle.js';
import { CA_NAME, caSecretRef } from '../keys/ca.js';
import { eventsOfOrders } from '../keys/orders.js';
import type { KeyOrder, Keysmith } from '../keys/orders.js';
import { planGateway } from './plan.js';
import type { GatewayRoomSettings, ObservedGateway } from './plan.js';
import { secretsToRead } from './validate.js';
import type { ObservedSecrets, SecretFacts, ServedCertificate } from './validate.js';

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

  constructor(parts: SignalingGatewayParts) {
    this.#parts = parts;
  }

  async reconcile(key: ObjectKey): Promise<ReconcileResult> {
    const { cluster } = this.#parts;
    const gateway = cluster.get<SignalingGateway>({ ...SIGNALING_GATEWAY, ...key });
    if (gateway === undefined) return {}; // Deleted: its children follow through their owner references.
    const secrets = await this.#readSecrets(gateway);
    const { orders } = this.#plan(gateway, secrets, []);
    const failed = await this.#fulfil(gateway, orders);
    const { plan } = this.#plan(gateway, secrets, failed);
    const events = [...eventsOfOrders(orders), ...plan.events];
    await cluster.carryOut(gateway, { ...plan, events });
    return { requeueAfterMs: plan.requeueAfterMs };
  }

  #plan(gateway: SignalingGateway, secrets: ObservedSecrets, failed: readonly ChildFailure[]) {
    const { cluster, clock, signer, settings } = this.#parts;
    const policyKeys = signer.publicKeys().map((fact) => fact.public);
    const observed = { ...observe(cluster, gateway), secrets, policyKeys, failedOrders: failed };
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

  /** Reads by name what the user names; names of keys and the served certificate are all that is kept. */
  async #readSecrets(gateway: SignalingGateway): Promise<ObservedSecrets> {
    const namespace = gateway.metadata.namespace ?? '';
    const facts = await Promise.all(
      secretsToRead(gateway).map(async (name) => {
        const ref = { apiVersion: 'v1', kind: 'Secret', namespace, name };
        return [name, secretFacts(await this.#parts.cluster.read(ref))] as const;
      }),
    );
    return Object.fromEntries(facts);
  }
}

function observe(
  cluster: Cluster,
  gateway: SignalingGateway,
): Omit<ObservedGateway, 'secrets' | 'policyKeys' | 'failedOrders'> {
  const { namespace = '', uid = '' } = gateway.metadata;
  const pools = poolsOf(cluster, gateway);
  const namespaces = [namespace, ...pools.map(({ metadata }) => metadata.namespace ?? '')];
  return {
    gateway,
    children: cluster.children(uid),
    authorities: [...new Set(namespaces)].flatMap((name) => cluster.child(caSecretRef(name)) ?? []),
    pools,
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

/** What may be known of a Secret that a user names. Its values end here. */
export function secretFacts(secret: KubernetesObject | undefined): SecretFacts | 'Missing' {
  if (secret === undefined) return 'Missing';
  const data = (secret['data'] ?? {}) as Readonly<Record<string, string>>;
  const certificate = servedCertificate(data['tls.crt']);
  return {
    keys: Object.keys(data).sort(),
    managed: secret.metadata.labels?.[LABEL_MANAGED_BY] === 'sallyport',
    ...(certificate === undefined ? {} : { certificate }),
  };
}

/** The first certificate of a PEM chain, which everyone who connects is shown; undefined for anything else. */
function servedCertificate(base64: string | undefined): ServedCertificate | undefined {
  if (base64 === undefined) return undefined;
  try {
    const leaf = new X509Certificate(Buffer.from(base64, 'base64'));
    const spki = leaf.publicKey.export({ type: 'spki', format: 'der' });
    return {
      serial: leaf.serialNumber.toLowerCase(),
      notBefore: utc(leaf.validFromDate),
      notAfter: utc(leaf.validToDate),
      pin: `sha256/${createHash('sha256').update(spki).digest('base64')}`,
      dnsNames: (leaf.subjectAltName ?? '')
        .split(', ')
        .flatMap((name) => (name.startsWith('DNS:') ? [name.slice(4).toLowerCase()] : [])),
    };
  } catch {
    return undefined;
  }
}

function utc(time: Date): string {
  return `${time.toISOString().slice(0, 19)}Z`;
}

function gatewaysOfPool(object: KubernetesObject, cluster: Cluster): readonly ObjectKey[] {
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
