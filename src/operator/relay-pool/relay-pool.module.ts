import { Module } from '@nestjs/common';
import type { Cluster } from '../../kubernetes/cluster.js';
import type { Clock } from '../../runtime/clock.js';
import { KeysModule } from '../keys/keys.module.js';
import type { Keysmith } from '../keys/orders.js';
import { KEYSMITH } from '../keys/tokens.js';
import type { OperatorSettings } from '../settings.js';
import { CLOCK, CLUSTER, OPERATOR_SETTINGS } from '../tokens.js';
import { relayPoolSettings } from './context.js';
import { RelayPoolReconciler } from './relay-pool.reconciler.js';

/** The room of RelayPools. */
@Module({
  imports: [KeysModule],
  providers: [
    {
      provide: RelayPoolReconciler,
      useFactory: (
        cluster: Cluster,
        clock: Clock,
        keysmith: Keysmith,
        settings: OperatorSettings,
      ) =>
        new RelayPoolReconciler({
          cluster,
          clock,
          keysmith,
          settings: () =>
            relayPoolSettings(settings, (apiVersion, kind) => cluster.serves(apiVersion, kind)),
        }),
      inject: [CLUSTER, CLOCK, KEYSMITH, OPERATOR_SETTINGS],
    },
  ],
  exports: [RelayPoolReconciler],
})
export class RelayPoolModule {}
