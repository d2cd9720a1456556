import { Global, Module } from '@nestjs/common';
import type { Cluster } from '../../kubernetes/cluster.js';
import type { Clock } from '../../runtime/clock.js';
import type { OperatorSettings } from '../settings.js';
import { CLOCK, CLUSTER, OPERATOR_SETTINGS } from '../tokens.js';
import { BundleKey } from './bundle-key.keysmith.js';
import { CaKeysmith } from './ca.keysmith.js';
import { KeyOrdersKeysmith } from './key-orders.keysmith.js';
import { NamespaceKeysReconciler } from './namespace-keys.reconciler.js';
import type { Keysmith } from './orders.js';
import { BUNDLE_SIGNER, KEYSMITH } from './tokens.js';

/** Keys for every room: `KEYSMITH`, `BUNDLE_SIGNER`, and the reconciler of namespaces' CAs. */
@Global()
@Module({
  providers: [
    {
      provide: CaKeysmith,
      useFactory: (cluster: Cluster, clock: Clock) => new CaKeysmith({ cluster, clock }),
      inject: [CLUSTER, CLOCK],
    },
    {
      provide: KEYSMITH,
      useFactory: (cluster: Cluster, authorities: CaKeysmith) =>
        new KeyOrdersKeysmith({ cluster, authorities }),
      inject: [CLUSTER, CaKeysmith],
    },
    {
      provide: BUNDLE_SIGNER,
      useFactory: (
        cluster: Cluster,
        clock: Clock,
        keysmith: Keysmith,
        settings: OperatorSettings,
      ) => new BundleKey({ cluster, clock, keysmith, namespace: settings.namespace }),
      inject: [CLUSTER, CLOCK, KEYSMITH, OPERATOR_SETTINGS],
    },
    {
      provide: NamespaceKeysReconciler,
      useFactory: (cluster: Cluster, clock: Clock, authorities: CaKeysmith, bundleKey: BundleKey) =>
        new NamespaceKeysReconciler({ cluster, clock, authorities, bundleKey }),
      inject: [CLUSTER, CLOCK, CaKeysmith, BUNDLE_SIGNER],
    },
  ],
  exports: [KEYSMITH, BUNDLE_SIGNER, NamespaceKeysReconciler],
})
export class KeysModule {}
