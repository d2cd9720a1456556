/* What a SignalingGateway needs now: observed before, decided here once, carried out after. */
import type { RelayPool } from '../../kinds/relay-pool.gen.js';
import type { RetentionPolicy } from '../../kinds/retention-policy.gen.js';
import type {
  SignalingGateway,
  SignalingGatewayStatus,
} from '../../kinds/signaling-gateway.gen.js';
import type { ChildFailure } from '../../kubernetes/child-failures.js';
import type { Child } from '../../kubernetes/cluster.js';
import type { Standing } from '../../kubernetes/conditions.js';
import { refId, refOf } from '../../kubernetes/object.js';
import type { KubernetesObject, ObjectRef } from '../../kubernetes/object.js';
import { desiredHash } from '../../kubernetes/owned-fields.js';
import { holdWhilePaused, readPause } from '../../kubernetes/pause.js';
import type { Plan } from '../../kubernetes/plan.js';
import { effectiveGateway } from '../../policy/effective.js';
import { choosePools } from '../../policy/pool-choice.js';
import { demandsOn, mergeRetention } from '../../policy/retention.js';
import { caPem, trustedCas } from '../keys/ca.js';
import { observedCertificates } from '../keys/facts.js';
import type { KeyOrder } from '../keys/orders.js';
import { imageOf, renderOf } from '../pods/renders.js';
import type { Renders } from '../pods/renders.js';
import { chooseTemplate, goodRevision } from '../pods/rollback.js';
import type { Rollout } from '../pods/rollback.js';
import { relaysConfigMap, settingsConfigMap } from './configuration.js';
import {
  gatewayChild,
  gatewayNames,
  gatewayNetworkPolicy,
  identity,
  internalService,
  monitor,
  publicCertificate,
  publicIngress,
  publicService,
  publicTlsSecret,
  wantedReplicas,
  workloadKind,
} from './objects.js';
import type { GatewayContext, PermittedPool, ServedKinds } from './objects.js';
import { gatewayKeys, keptRefs } from './keys.js';
import {
  endpointsOf,
  followsOthers,
  gatewayStatus,
  pendingChanges,
  rolloutStanding,
  workloadState,
} from './status.js';
import { isWorkload, judge, rejection } from './judgement.js';
import type { Situation } from './status.js';
import { secretsToRead } from './validate.js';
import {
  autoscaler,
  disruptionBudget,
  podTemplate,
  PROGRESS_DEADLINE_SECONDS,
  workload as pods,
} from './workload.js';
import type { ObservedSecrets } from './validate.js';

/** Everything that a plan looks at. Read from the cache, but for `secrets`. */
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

/** A plan, and the keys and certificates to make before it is carried out. With orders, plan again once they are fulfilled. */
export interface PlannedGateway {
  readonly orders: readonly KeyOrder[];
  readonly plan: Plan<SignalingGatewayStatus>;
}

/** Looking costs no call, but a timer of weeks would outlive the process anyway. */
const MAX_REQUEUE_MS = 86_400_000;
/** What is due is looked at at once, yet never in a loop. */
const MIN_REQUEUE_MS = 1000;

/** All objects of a gateway but its key and certificate Secrets, which are made by order. */
export function gatewayObjects(
  context: GatewayContext,
  rollout: Pick<Rollout, 'template' | 'annotations' | 'good'>,
): readonly KubernetesObject[] {
  const { gateway } = context;
  const { goodRevision: name } = gatewayNames(gateway);
  const child = (named: string) => gatewayChild(gateway, named);
  return [
    identity(context),
    settingsConfigMap(context),
    relaysConfigMap(context),
    gatewayNetworkPolicy(context),
    publicService(context),
    internalService(context),
    ...publicCertificate(context),
    ...(rollout.good === undefined ? [] : [goodRevision(name, rollout.good, child)]),
    pods(context, rollout),
    disruptionBudget(context),
    ...autoscaler(context),
    ...publicIngress(context),
    ...monitor(context),
  ];
}

/** What the gateway needs now. */
export function planGateway(
  observed: ObservedGateway,
  settings: GatewayRoomSettings,
  now: Date,
): PlannedGateway {
  const situation = situationOf(observed, settings, now);
  const rejected = rejection(situation, settings.renders);
  const { rollout, objects } = rejected ? NOTHING : applicable(observed, settings, situation);
  const judgement = judge(situation, { ...observed, rejected, rollout });
  const apply = objects.filter((object) => !judgement.holdsWorkload || !isWorkload(object));
  const pending = pendingChanges(situation, apply, (version) =>
    rendered(contextOf(observed, settings, situation, version)),
  );
  // Without a valid spec there are no names to put into a certificate.
  const orders = rejected?.reason === 'InvalidSpec' ? [] : situation.keys.orders;
  const draft: Plan<SignalingGatewayStatus> = {
    apply,
    keep: keptRefs(observed.gateway),
    // What runs stays while nothing takes its place; a workload that is applied must not keep an old autoscaler.
    prune: rejected || judgement.holdsWorkload ? 'Nothing' : 'Unlisted',
    status: gatewayStatus(situation, judgement, pending),
    events: eventsOf(judgement.standing),
    requeueAfterMs: requeueAfterMs(situation, settings, {
      orders,
      deadlineAt: rollout?.deadlineAt,
    }),
  };
  const hold = { pause: situation.pause, now, hash: desiredHash, goesOn: followsOthers };
  const child = (object: KubernetesObject) => situation.child(refOf(object));
  return {
    orders,
    plan: holdWhilePaused(draft, { ...hold, child }).plan,
  };
}

/** What the spec becomes, and how its pods get there. */
interface Applicable {
  readonly rollout: Rollout | undefined;
  readonly objects: readonly KubernetesObject[];
}

const NOTHING: Applicable = { rollout: undefined, objects: [] };

function applicable(
  observed: ObservedGateway,
  settings: GatewayRoomSettings,
  situation: Situation,
): Applicable {
  const { gateway, state, standing, workload, now } = situation;
  const context = contextOf(observed, settings, situation);
  const rollout = chooseTemplate({
    wanted: podTemplate(context),
    workload,
    revisions: observed.children.filter(({ ref }) => ref.kind === 'ControllerRevision'),
    complete: standing.state === 'Ready',
    givenUp: state.observed && state.deadlineExceeded,
    deadlineSeconds: PROGRESS_DEADLINE_SECONDS,
    conditions: gateway.status?.conditions ?? [],
    generation: gateway.metadata.generation ?? 0,
    now,
  });
  return { rollout, objects: gatewayObjects(context, rollout) };
}

/** As if nothing stood yet: for comparing two render versions. */
function rendered(context: GatewayContext): readonly KubernetesObject[] {
  return gatewayObjects(context, { template: podTemplate(context), annotations: {} });
}

function situationOf(
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
  const ca = authorities.find(({ ref }) => ref.namespace === namespace);
  const keys = gatewayKeys({
    gateway,
    values: effective.values,
    installId: settings.installId,
    secret: (name) => child({ apiVersion: 'v1', kind: 'Secret', name }),
    ca,
    now,
  });
  const shown = secrets[publicTlsSecret(gateway)];
  const state = workloadState(workload, wantedReplicas(gateway));
  const served = shown === 'Missing' ? undefined : shown?.certificate;
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

/** The context of a render version: the one in use, or another to compare with. */
function contextOf(
  observed: ObservedGateway,
  { installId, renders }: GatewayRoomSettings,
  { gateway, effective, render, pools, retention, serves, now }: Situation,
  version = render.state === 'Render' ? render.version : 0,
): GatewayContext {
  return {
    gateway,
    values: effective.values,
    render: { version, image: imageOf(renders, version) },
    installation: { installId, policyKeys: observed.policyKeys },
    pools: pools.permitted.map((pool) => permitted(pool, observed.authorities, now)),
    retention,
    serves,
  };
}

function permitted(pool: RelayPool, authorities: readonly Child[], now: Date): PermittedPool {
  const ca = authorities.find(({ ref }) => ref.namespace === pool.metadata.namespace);
  const trusted = trustedCas(observedCertificates(ca).facts, now);
  return trusted.length === 0 ? { pool } : { pool, caCertificates: trusted.map(caPem).join('') };
}

function eventsOf({ state, reason, message }: Standing): Plan['events'] {
  return state === 'Stalled' ? [{ type: 'Warning', reason, note: message }] : [];
}

/** A time that has passed changes nothing any more, unless what was due then is still ordered: it could not be made. */
function requeueAfterMs(
  { gateway, keys, certificates, now }: Situation,
  { checkSecretsEverySeconds }: GatewayRoomSettings,
  { orders, deadlineAt }: Pick<PlannedGateway, 'orders'> & { deadlineAt: Date | undefined },
): number {
  const until = (time: Date | undefined) => (time?.getTime() ?? NaN) - now.getTime();
  const expiry = new Date(certificates.served?.notAfter ?? NaN);
  const ahead = [keys.nextAt, deadlineAt, expiry].map(until).filter((ms) => ms > 0);
  const overdue = orders.length > 0 && until(keys.nextAt) <= 0 ? [0] : [];
  const due = [...ahead, ...overdue].map((ms) => Math.max(ms, MIN_REQUEUE_MS));
  const reads = secretsToRead(gateway).length > 0 ? [checkSecretsEverySeconds * 1000] : [];
  return Math.min(MAX_REQUEUE_MS, ...due, ...reads);
}
