import { Module } from '@nestjs/common';
import type { Cluster } from '../../kubernetes/cluster.js';
import type { Clock } from '../../runtime/clock.js';
import { CLOCK, CLUSTER } from '../tokens.js';
import { RetentionPolicyReconciler } from './retention-policy.reconciler.js';

/** The room of RetentionPolicies: their status. Their limits reach gateways through the gateways' settings. */
@Module({
  providers: [
    {
      provide: RetentionPolicyReconciler,
      useFactory: (cluster: Cluster, clock: Clock) =>
        new RetentionPolicyReconciler({ cluster, clock }),
      inject: [CLUSTER, CLOCK],
    },
  ],
  exports: [RetentionPolicyReconciler],
})
export class RetentionPolicyModule {}
