import { ACCESS_ROLE, type AccessRole } from '../../kinds/access-role.gen.js';
import { SIGNALING_GATEWAY, type SignalingGateway } from '../../kinds/signaling-gateway.gen.js';
import type { Cluster } from '../../kubernetes/cluster.js';
import { POLICY_MANAGER } from '../../kubernetes/metadata.js';
import { refOf, type KubernetesObject, type ObjectKey } from '../../kubernetes/object.js';
import type { Reconciler, ReconcileResult, Watch } from '../../kubernetes/reconciler.js';
import type { BundleRole } from '../../policy/roles.js';
import type { Clock } from '../../runtime/clock.js';
import { BUNDLE_KEY_NAME, type BundleSigner } from '../keys/bundle.js';
import { planBundle, withPublished, type BundlePlan, type IssuedBundle } from './bundle.js';
import { BUNDLE_FILE, bundleConfigMap, bundleName, bundleRef } from './objects.js';
import { bundleDigest, verifiedRoles } from './verify.js';

export interface PolicyBundleParts {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly signer: BundleSigner;
}

/** The policy bundle of each gateway. Reads, plans, signs, publishes; every decision is in bundle.ts. */
export class PolicyBundleReconciler implements Reconciler {
  readonly name = 'policy-bundle';
  readonly primary = SIGNALING_GATEWAY;
  readonly watches: readonly Watch[] = [
    { ...ACCESS_ROLE, keysOf: gatewaysOfNamespace },
    // The key that signs came, or another one signs now.
    { apiVersion: 'v1', kind: 'Secret', keysOf: gatewaysOfKey },
  ];
  readonly #parts: PolicyBundleParts;

  constructor(parts: PolicyBundleParts) {
    this.#parts = parts;
  }

  async reconcile(key: ObjectKey): Promise<ReconcileResult> {
    const { cluster, clock, signer } = this.#parts;
    const gateway = cluster.get<SignalingGateway>({ ...SIGNALING_GATEWAY, ...key });
    if (!gateway) return {};
    const now = clock.now();
    const observed = {
      gateway,
      roles: cluster.list<AccessRole>(ACCESS_ROLE.apiVersion, ACCESS_ROLE.kind, key.namespace),
      configMap: cluster.child(bundleRef(gateway)),
      keys: signer.publicKeys(),
    };
    const plan = planBundle(observed, now);
    if (plan.issue) await this.#publish(gateway, plan, plan.issue);
    return plan.nextAt
      ? { requeueAfterMs: Math.min(plan.nextAt.getTime() - now.getTime(), DAY_MS) }
      : {};
  }

  /** The serial is taken before it is used: a crash in between skips one and never gives one to two bundles. */
  async #publish(gateway: SignalingGateway, plan: BundlePlan, issue: IssuedBundle): Promise<void> {
    const { cluster, signer } = this.#parts;
    const published = plan.asPublished.length === 0 ? [] : await this.#published(gateway);
    const merged = withPublished(issue, plan, published);
    const { bundle } = merged;
    const signed = await signer.sign(bundle);
    const digest = bundleDigest(signed.bundle);
    const policyBundle = { serial: bundle.serial, digest, configMap: bundleName(gateway) };
    await cluster.applyStatus(gateway, { policyBundle }, POLICY_MANAGER);
    const content = { ...merged, serial: bundle.serial };
    await cluster.apply(gateway, bundleConfigMap(gateway, content, signed));
  }

  /** Its roles, if it is what was signed last: they are signed anew. */
  async #published(gateway: SignalingGateway): Promise<readonly BundleRole[]> {
    const { cluster, signer } = this.#parts;
    const configMap = await cluster.read(bundleRef(gateway));
    const data = configMap?.['data'] as Readonly<Record<string, string>> | undefined;
    return verifiedRoles(data?.[BUNDLE_FILE], gateway, signer.verifyingKeys());
  }
}

const DAY_MS = 86_400_000;

function gatewaysOfNamespace(
  { metadata }: KubernetesObject,
  cluster: Cluster,
): readonly ObjectKey[] {
  const { apiVersion, kind } = SIGNALING_GATEWAY;
  return cluster.list(apiVersion, kind, metadata.namespace ?? '').map(refOf);
}

function gatewaysOfKey({ metadata }: KubernetesObject, cluster: Cluster): readonly ObjectKey[] {
  const { apiVersion, kind } = SIGNALING_GATEWAY;
  return metadata.name === BUNDLE_KEY_NAME ? cluster.list(apiVersion, kind).map(refOf) : [];
}
