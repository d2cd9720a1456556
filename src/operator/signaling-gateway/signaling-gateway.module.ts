import { Module } from '@nestjs/common';
import type { Cluster } from '../../kubernetes/cluster.js';
import type { Clock } from '../../runtime/clock.js';
import type { BundleSigner } from '../keys/bundle.js';
import { KeysModule } from '../keys/keys.module.js';
import type { Keysmith } from '../keys/orders.js';
import { BUNDLE_SIGNER, KEYSMITH } from '../keys/tokens.js';
import { rendersOf } from '../pods/renders.js';
import type { OperatorSettings } from '../settings.js';
import { CLOCK, CLUSTER, OPERATOR_SETTINGS } from '../tokens.js';
import { SignalingGatewayReconciler } from './signaling-gateway.reconciler.js';
import type { GatewayRoomSettings } from './situation.js';

/** The room of SignalingGateways. */
@Module({
  imports: [KeysModule],
  providers: [
    {
      provide: SignalingGatewayReconciler,
      useFactory: (
        ...[cluster, clock, keysmith, signer, settings]: readonly [
          Cluster,
          Clock,
          Keysmith,
          BundleSigner,
          OperatorSettings,
        ]
      ) =>
        new SignalingGatewayReconciler({
          cluster,
          clock,
          keysmith,
          signer,
          settings: roomSettings(settings),
        }),
      inject: [CLUSTER, CLOCK, KEYSMITH, BUNDLE_SIGNER, OPERATOR_SETTINGS],
    },
  ],
  exports: [SignalingGatewayReconciler],
})
export class SignalingGatewayModule {}

/** What the operator's settings say to this room. */
function roomSettings(settings: OperatorSettings): GatewayRoomSettings {
  return {
    installId: settings.installId,
    renders: rendersOf(settings),
    checkSecretsEverySeconds: settings.keys.checkSecretsEverySeconds,
  };
}
