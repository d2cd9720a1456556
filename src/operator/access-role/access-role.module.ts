import { Module } from '@nestjs/common';
import type { Cluster } from '../../kubernetes/cluster.js';
import type { Clock } from '../../runtime/clock.js';
import type { BundleSigner } from '../keys/bundle.js';
import { KeysModule } from '../keys/keys.module.js';
import { BUNDLE_SIGNER } from '../keys/tokens.js';
import { CLOCK, CLUSTER } from '../tokens.js';
import { AccessRoleReconciler } from './access-role.reconciler.js';
import { PolicyBundleReconciler } from './policy-bundle.reconciler.js';

/** The room of AccessRoles: their status, and the policy bundle of each gateway. */
@Module({
  imports: [KeysModule],
  providers: [
    {
      provide: AccessRoleReconciler,
      useFactory: (cluster: Cluster, clock: Clock) => new AccessRoleReconciler({ cluster, clock }),
      inject: [CLUSTER, CLOCK],
    },
    {
      provide: PolicyBundleReconciler,
      useFactory: (cluster: Cluster, clock: Clock, signer: BundleSigner) =>
        new PolicyBundleReconciler({ cluster, clock, signer }),
      inject: [CLUSTER, CLOCK, BUNDLE_SIGNER],
    },
  ],
  exports: [AccessRoleReconciler, PolicyBundleReconciler],
})
export class AccessRoleModule {}
