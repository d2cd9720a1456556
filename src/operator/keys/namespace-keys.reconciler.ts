import { API_VERSION } from '../../kubernetes/metadata.js';
import type { Child, Cluster } from '../../kubernetes/cluster.js';
import type { KubernetesObject, ObjectKey, ObjectRef } from '../../kubernetes/object.js';
import type { Reconciler, ReconcileResult, Watch } from '../../kubernetes/reconciler.js';
import type { Clock } from '../../runtime/clock.js';
import type { BundleKey } from './bundle-key.keysmith.js';
import { BUNDLE_KEY_NAME } from './bundle.js';
import type { CaKeysmith } from './ca.keysmith.js';
import { CA_NAME, caConfigMapRef, caSecretRef } from './ca.js';
import { planNamespaceKeys } from './namespace-keys.js';

export interface NamespaceKeysParts {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly authorities: CaKeysmith;
  readonly bundleKey: BundleKey;
}

const OUR_KINDS = ['SignalingGateway', 'RelayPool'] as const;

/**
 * Keys that belong to a namespace rather than to a resource: its CA, and in the operator's own namespace the key that
 * signs policy bundles. Keys are namespaces (`name`; `namespace` is '').
 */
export class NamespaceKeysReconciler implements Reconciler {
  readonly name = 'keys';
  readonly watches: readonly Watch[];
  readonly #parts: NamespaceKeysParts;

  constructor(parts: NamespaceKeysParts) {
    this.#parts = parts;
    const own = ({ metadata }: KubernetesObject) => [keyOf(metadata.namespace ?? '')];
    const named = (name: string) => (object: KubernetesObject) =>
      object.metadata.name === name ? own(object) : [];
    this.watches = [
      ...OUR_KINDS.map((kind) => ({
        apiVersion: API_VERSION,
        kind,
        keysOf: (object: KubernetesObject) => [...own(object), keyOf(parts.bundleKey.namespace)],
      })),
      { apiVersion: 'v1', kind: 'Secret', keysOf: named(CA_NAME) },
      { apiVersion: 'v1', kind: 'Secret', keysOf: named(BUNDLE_KEY_NAME) },
      { apiVersion: 'v1', kind: 'ConfigMap', keysOf: named(CA_NAME) },
    ];
  }

  async reconcile({ name: namespace }: ObjectKey): Promise<ReconcileResult> {
    const { bundleKey, cluster } = this.#parts;
    // Before anything is awaited: the engine has just seen that the cache of this namespace is whole.
    const { leftovers } = this.#plan(namespace);
    const anywhere = OUR_KINDS.some((kind) => cluster.list(API_VERSION, kind).length > 0);
    const ofInstall =
      namespace === bundleKey.namespace && anywhere ? await bundleKey.ensure() : undefined;
    const ofNamespace = await this.#namespaceCa(namespace, leftovers);
    return { requeueAfterMs: this.#untilFirst([ofInstall, ofNamespace]) };
  }

  async #namespaceCa(namespace: string, leftovers: readonly Child[]): Promise<Date | undefined> {
    const { authorities } = this.#parts;
    if (this.#plan(namespace).order) await authorities.signer(namespace);
    const { configMap, nextAt } = this.#plan(namespace);
    if (configMap) await this.#parts.cluster.apply(undefined, configMap);
    await this.#remove(namespace, leftovers);
    return nextAt;
  }

  /**
   * A namespace that leaves the scope while a pass runs looks empty: its resources leave the cache before its Secrets.
   * So only what the pass began with is removed, and only while nothing has come that needs it.
   */
  async #remove(namespace: string, leftovers: readonly Child[]): Promise<void> {
    for (const child of leftovers) {
      if (!this.#plan(namespace).leftovers.some(({ uid }) => uid === child.uid)) return;
      await this.#parts.cluster.remove(child);
      this.#parts.authorities.forget(namespace);
    }
  }

  #plan(namespace: string) {
    const { cluster, clock } = this.#parts;
    const child = (ref: ObjectRef) => cluster.child(ref);
    return planNamespaceKeys({
      namespace,
      inUse: OUR_KINDS.some((kind) => cluster.list(API_VERSION, kind, namespace).length > 0),
      secret: child(caSecretRef(namespace)),
      configMap: child(caConfigMapRef(namespace)),
      now: clock.now(),
    });
  }

  #untilFirst(times: readonly (Date | undefined)[]): number | undefined {
    const now = this.#parts.clock.now().getTime();
    const waits = times.flatMap((time) => (time === undefined ? [] : [time.getTime() - now]));
    // Timers of Node end at 24.8 days; looking in once a day costs nothing.
    return waits.length === 0 ? undefined : Math.min(Math.max(0, Math.min(...waits)), DAY_MS);
  }
}

const DAY_MS = 86_400_000;

function keyOf(namespace: string): ObjectKey {
  return { namespace: '', name: namespace };
}
