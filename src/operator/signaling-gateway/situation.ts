/* What is known about a SignalingGateway when its plan is made, and what follows from it: nothing is decided here. */
import type { RelayPool } from '../../kinds/relay-pool.gen.js';
import type { RetentionPolicy } from '../../kinds/retention-policy.gen.js';
import type {
  SignalingGateway,
  SignalingGatewayStatusEndpoint,
} from '../../kinds/signaling-gateway.gen.js';
import type { ChildFailure } from '../../kubernetes/child-failures.js';
import type { Child } from '../../kubernetes/cluster.js';
import type { Standing } from '../../kubernetes/conditions.js';
import { refId } from '../../kubernetes/object.js';
import type { ObjectRef } from '../../kubernetes/object.js';
import { readPause } from '../../kubernetes/pause.js';
import type { Pause } from '../../kubernetes/pause.js';
import type { Render } from '../../kubernetes/render-pin.js';
import type { GatewayValues } from '../../policy/defaults.js';
import { effectiveGateway } from '../../policy/effective.js';
import type { Effective } from '../../policy/effective.js';
import { choosePools } from '../../policy/pool-choice.js';
import type { PoolChoice } from '../../policy/pool-choice.js';
import { demandsOn, mergeRetention } from '../../policy/retention.js';
import type { MergedRetention } from '../../policy/retention.js';
import { caPem, trustedCas } from '../keys/ca.js';
import { observedCertificates } from '../keys/facts.js';
import type { ObservedSecrets } from '../keys/named-secrets.js';
import { imageOf, renderOf } from '../pods/renders.js';
import type { Renders } from '../pods/renders.js';
import { rolloutStanding, workloadState } from '../pods/workload-state.js';
import type { WorkloadState } from '../pods/workload-state.js';
import { gatewayKeys } from './keys.js';
import type { GatewayCertificates, GatewayKeys } from './keys.js';
import { gatewayNames, publicTlsSecret, wantedReplicas, workloadKind } from './objects.js';
import type { DirectoryContext, GatewayContext, PermittedPool, ServedKinds } from './objects.js';
import { endpointsOf } from './status.js';

/** Everything that a plan looks at. Read from the cache, but for `secrets` and `heldSettings`. */
export interface ObservedGateway {
  readonly gateway: SignalingGateway;
  /** All objects made for it. */
  readonly children: readonly Child[];
  /** Secrets `sallyport-ca`, of every namespace in which a pool may be. */
  readonly authorities: readonly Child[];
  readonly pools: readonly RelayPool[];
  /** Of the gateway's namespace. */
  readonly retentionPolicies: readonly RetentionPolicy[];
  readonly secrets: ObservedSecrets;
  readonly serves: ServedKinds;
  /** Other gateways of the namespace. */
  readonly neighbours: readonly SignalingGateway[];
  /** settings.json as it stands, while its retention alone may change (`PlannedGateway.settingsToRead`). */
  readonly heldSettings?: string | undefined;
  /** Public keys of policy bundles: current, next. */
  readonly policyKeys: readonly string[];
  /** Keys and certificates that could not be made in this pass. */
  readonly failedOrders: readonly ChildFailure[];
}

/** What the installation's settings say to this room. */
export interface GatewayRoomSettings {
  readonly installId: string;
  /** Render versions that this operator writes. */
  readonly renders: Renders;
  /** How often Secrets that a user names are looked at again, in seconds. */
  readonly checkSecretsEverySeconds: number;
}

/** All that was decided about a gateway before its status is written. */
export interface Situation {
  readonly gateway: SignalingGateway;
  readonly effective: Effective<GatewayValues>;
  readonly render: Render;
  readonly keys: GatewayKeys;
  readonly certificates: GatewayCertificates;
  readonly pools: PoolChoice;
  readonly retention: MergedRetention;
  readonly serves: ServedKinds;
  readonly state: WorkloadState;
  /** Where the pods stand. */
  readonly standing: Standing;
  readonly workload: Child | undefined;
  readonly endpoints: readonly SignalingGatewayStatusEndpoint[];
  readonly pause: Pause;
  readonly child: (ref: Omit<ObjectRef, 'namespace'>) => Child | undefined;
  readonly now: Date;
}

/** What `observed` comes to. */
export function situationOf(
  observed: ObservedGateway,
  settings: GatewayRoomSettings,
  now: Date,
): Situation {
  const { gateway, children, authorities, pools, secrets, serves } = observed;
  const namespace = gateway.metadata.namespace ?? '';
  const cache = new Map(children.map((child) => [refId(child.ref), child]));
  const child = (ref: Omit<ObjectRef, 'namespace'>) => cache.get(refId({ ...ref, namespace }));
  const names = gatewayNames(gateway);
  const workload = child({
    apiVersion: 'apps/v1',
    kind: workloadKind(gateway),
    name: names.workload,
  });
  const effective = effectiveGateway(gateway.spec);
  const state = workloadState(workload, wantedReplicas(gateway));
  const ca = authorities.find(({ ref }) => ref.namespace === namespace);
  const keys = gatewayKeys({
    gateway,
    values: effective.values,
    installId: settings.installId,
    secret: (name) => child({ apiVersion: 'v1', kind: 'Secret', name }),
    ca,
    isRunning: state.ready > 0,
    now,
  });
  const shown = secrets[publicTlsSecret(gateway)];
  const served = typeof shown === 'object' ? shown.certificate : undefined;
  return {
    gateway,
    effective,
    render: renderOf(gateway, workload, settings.renders),
    keys,
    certificates: {
      authority: observedCertificates(ca).facts,
      internal: keys.internalLeaf,
      publicLeaf: keys.publicLeaf,
      ...(served === undefined ? {} : { served }),
    },
    pools: choosePools(gateway, pools),
    retention: mergeRetention(demandsOn(gateway, observed.retentionPolicies, now)),
    serves,
    state,
    standing: rolloutStanding(state),
    workload,
    endpoints: endpointsOf(gateway, state, {
      service: child({ apiVersion: 'v1', kind: 'Service', name: names.publicService }),
      ingress: child({
        apiVersion: 'networking.k8s.io/v1',
        kind: 'Ingress',
        name: names.publicService,
      }),
    }),
    pause: readPause(gateway.metadata.annotations, now),
    child,
    now,
  };
}

/** What the objects of a render version depend on: of the one in use, or of another to compare with. */
export function contextOf(
  observed: ObservedGateway,
  settings: GatewayRoomSettings,
  situation: Situation,
  version = situation.render.state === 'Render' ? situation.render.version : 0,
): GatewayContext {
  const { effective, retention, serves } = situation;
  return {
    ...directoryOf(observed, settings, situation),
    values: effective.values,
    render: { version, image: imageOf(settings.renders, version) },
    retention,
    serves,
  };
}

/** What the directory of relays depends on: nothing of a render version. */
export function directoryOf(
  observed: ObservedGateway,
  { installId }: GatewayRoomSettings,
  { gateway, pools, now }: Situation,
): DirectoryContext {
  return {
    gateway,
    installation: { installId, policyKeys: observed.policyKeys },
    pools: pools.permitted.map((pool) => permitted(pool, observed.authorities, now)),
  };
}

function permitted(pool: RelayPool, authorities: readonly Child[], now: Date): PermittedPool {
  const ca = authorities.find(({ ref }) => ref.namespace === pool.metadata.namespace);
  const trusted = trustedCas(observedCertificates(ca).facts, now);
  return trusted.length === 0 ? { pool } : { pool, caCertificates: trusted.map(caPem).join('') };
}
