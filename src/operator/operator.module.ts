import { type DynamicModule, Module, type Provider, type Type } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import type { Cluster } from '../kubernetes/cluster.js';
import type { Reconciler } from '../kubernetes/reconciler.js';
import type { Clock } from '../runtime/clock.js';
import type { Logger } from '../runtime/log.js';
import { AccessRoleModule } from './access-role/access-role.module.js';
import { AccessRoleReconciler } from './access-role/access-role.reconciler.js';
import { PolicyBundleReconciler } from './access-role/policy-bundle.reconciler.js';
import { KeysModule } from './keys/keys.module.js';
import { NamespaceKeysReconciler } from './keys/namespace-keys.reconciler.js';
import { RelayPoolModule } from './relay-pool/relay-pool.module.js';
import { RelayPoolReconciler } from './relay-pool/relay-pool.reconciler.js';
import { RetentionPolicyModule } from './retention-policy/retention-policy.module.js';
import { RetentionPolicyReconciler } from './retention-policy/retention-policy.reconciler.js';
import type { OperatorSettings } from './settings.js';
import { SignalingGatewayModule } from './signaling-gateway/signaling-gateway.module.js';
import { SignalingGatewayReconciler } from './signaling-gateway/signaling-gateway.reconciler.js';
import { CLOCK, CLUSTER, LOGGER, OPERATOR_SETTINGS, RECONCILERS } from './tokens.js';

/** What every room is given. */
export interface OperatorParts {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly settings: OperatorSettings;
  readonly log: Logger;
}

/** A kind of ours: its module, and what the engine runs of it. */
interface Room {
  readonly module: Type;
  readonly reconcilers: readonly Type<Reconciler>[];
}

/** One line per room. Deleting a room is deleting its folder, its CRD, its sample and its line here. */
const ROOMS: readonly Room[] = [
  { module: KeysModule, reconcilers: [NamespaceKeysReconciler] },
  { module: SignalingGatewayModule, reconcilers: [SignalingGatewayReconciler] },
  { module: RelayPoolModule, reconcilers: [RelayPoolReconciler] },
  { module: AccessRoleModule, reconcilers: [AccessRoleReconciler, PolicyBundleReconciler] },
  { module: RetentionPolicyModule, reconcilers: [RetentionPolicyReconciler] },
];

/** Carries the parts to every room, whichever module it is in. */
@Module({})
class PartsModule {}

/** All rooms, wired: `context.get(RECONCILERS)` gives what an engine runs. */
@Module({})
export class OperatorModule {
  static of({ cluster, clock, settings, log }: OperatorParts): DynamicModule {
    const providers: Provider[] = [
      { provide: CLUSTER, useValue: cluster },
      { provide: CLOCK, useValue: clock },
      { provide: OPERATOR_SETTINGS, useValue: settings },
      { provide: LOGGER, useValue: log },
    ];
    const parts = { module: PartsModule, global: true, providers, exports: providers };
    const reconcilers: Provider = {
      provide: RECONCILERS,
      useFactory: (...all: Reconciler[]) => all,
      inject: ROOMS.flatMap(({ reconcilers }) => [...reconcilers]),
    };
    return {
      module: OperatorModule,
      imports: [
        parts,
        TerminusModule.forRoot({ logger: false }),
        ...ROOMS.map(({ module }) => module),
      ],
      providers: [reconcilers],
      exports: [reconcilers],
    };
  }
}
