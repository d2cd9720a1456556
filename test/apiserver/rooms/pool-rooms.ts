import type { Cluster } from '../../../src/kubernetes/cluster.js';
import type { Reconciler } from '../../../src/kubernetes/reconciler.js';
import { AccessRoleReconciler } from '../../../src/operator/access-role/access-role.reconciler.js';
import { PolicyBundleReconciler } from '../../../src/operator/access-role/policy-bundle.reconciler.js';
import { BundleKey } from '../../../src/operator/keys/bundle-key.keysmith.js';
import { CaKeysmith } from '../../../src/operator/keys/ca.keysmith.js';
import { KeyOrdersKeysmith } from '../../../src/operator/keys/key-orders.keysmith.js';
import { NamespaceKeysReconciler } from '../../../src/operator/keys/namespace-keys.reconciler.js';
import type { RelayPoolSettings } from '../../../src/operator/relay-pool/context.js';
import { RelayPoolReconciler } from '../../../src/operator/relay-pool/relay-pool.reconciler.js';
import { RetentionPolicyReconciler } from '../../../src/operator/retention-policy/retention-policy.reconciler.js';
import { SignalingGatewayReconciler } from '../../../src/operator/signaling-gateway/signaling-gateway.reconciler.js';
import type { Clock } from '../../../src/runtime/clock.js';
import { systemClock } from '../../../src/runtime/system.clock.js';
import { ROOM_SETTINGS } from './gateway-rooms.js';

/** What the operator's settings would say to pools. */
export const POOL_SETTINGS: RelayPoolSettings = {
  installation: {
    installId: ROOM_SETTINGS.installId,
    serviceCidrs: ['10.96.0.0/12'],
    podCidrs: ['10.244.0.0/16'],
    apiServerCidrs: [],
    servesServiceMonitors: false,
  },
  renders: [ROOM_SETTINGS.renders[0]],
};

/** Every room with real keys; the policy key is in the namespace `default`. */
export function allRooms(cluster: Cluster, clock: Clock = systemClock): readonly Reconciler[] {
  const authorities = new CaKeysmith({ cluster, clock });
  const keysmith = new KeyOrdersKeysmith({ cluster, authorities });
  const signer = new BundleKey({ cluster, clock, keysmith, namespace: 'default' });
  return [
    new NamespaceKeysReconciler({ cluster, clock, authorities, bundleKey: signer }),
    new SignalingGatewayReconciler({ cluster, clock, keysmith, signer, settings: ROOM_SETTINGS }),
    new RelayPoolReconciler({ cluster, clock, keysmith, settings: () => POOL_SETTINGS }),
    new AccessRoleReconciler({ cluster, clock }),
    new PolicyBundleReconciler({ cluster, clock, signer }),
    new RetentionPolicyReconciler({ cluster, clock }),
  ];
}
