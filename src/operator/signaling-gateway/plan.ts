/* What a SignalingGateway needs now: observed before, decided here once, carried out after. */
import type { SignalingGatewayStatus } from '../../kinds/signaling-gateway.gen.js';
import type { Standing } from '../../kubernetes/conditions.js';
import { refId, refOf } from '../../kubernetes/object.js';
import type { KubernetesObject, ObjectRef } from '../../kubernetes/object.js';
import { desiredHash } from '../../kubernetes/owned-fields.js';
import { holdWhilePaused } from '../../kubernetes/pause.js';
import type { Plan } from '../../kubernetes/plan.js';
import { requestDigest } from '../keys/leaf.js';
import type { KeyOrder } from '../keys/orders.js';
import { carriesRetention } from '../pods/retention-mark.js';
import { chooseTemplate, goodRevision } from '../pods/rollback.js';
import type { Rollout } from '../pods/rollback.js';
import {
  relaysConfigMap,
  secretsToRead,
  settingsConfigMap,
  withRetention,
} from './configuration.js';
import { keptRefs } from './keys.js';
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
  relaysNetworkPolicy,
} from './objects.js';
import type { DirectoryContext, GatewayContext } from './objects.js';
import { contextOf, directoryOf, situationOf } from './situation.js';
import type { GatewayRoomSettings, ObservedGateway, Situation } from './situation.js';
import { followsOthers, gatewayStatus, pendingChanges } from './status.js';
import { isWorkload, judge, rejection } from './validate.js';
import {
  autoscaler,
  disruptionBudget,
  podTemplate,
  PROGRESS_DEADLINE_SECONDS,
  workload as pods,
} from './workload.js';

/** A plan, and the keys and certificates to make before it is carried out. With orders, plan again once they are fulfilled. */
export interface PlannedGateway {
  readonly orders: readonly KeyOrder[];
  readonly plan: Plan<SignalingGatewayStatus>;
  /** To be read live, and planned again with `ObservedGateway.heldSettings`: the cache keeps no data of ConfigMaps. */
  readonly settingsToRead?: ObjectRef;
}

/** Looking costs no call, but a timer of weeks would outlive the process anyway. */
const MAX_REQUEUE_MS = 86_400_000;
/** What is due is looked at at once, yet never in a loop. */
const MIN_REQUEUE_MS = 1000;
/** What could not be read is tried again after this long. */
const READ_AGAIN_MS = 30_000;

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
  const { rollout, objects } = rejected
    ? standingStill(observed, settings, situation)
    : applicable(observed, settings, situation);
  const judgement = judge(situation, { ...observed, rejected, rollout });
  const apply = objects.filter((object) => !judgement.holdsWorkload || !isWorkload(object));
  const pending = pendingChanges(situation, apply, (version) =>
    rendered(contextOf(observed, settings, situation, version)),
  );
  const isHeld = rejected !== undefined || situation.pause.state === 'Paused';
  const held = isHeld ? heldSettings(observed, situation) : {};
  const orders = rejected ? ordersStandingStill(situation) : situation.keys.orders;
  const draft: Plan<SignalingGatewayStatus> = {
    apply: [
      ...withHeld(apply, held),
      ...meanwhile(situation, directoryOf(observed, settings, situation), apply),
    ],
    keep: keptRefs(observed.gateway),
    // What runs stays while nothing takes its place; a workload that is applied must not keep an old autoscaler.
    prune: rejected || judgement.holdsWorkload ? 'Nothing' : 'Unlisted',
    status: gatewayStatus(situation, judgement, pending),
    events: eventsOf(judgement.standing),
    requeueAfterMs: Math.min(
      MAX_REQUEUE_MS,
      ...dueInMs(situation, orders, rollout?.deadlineAt),
      ...readsInMs(observed, settings, held),
    ),
  };
  const goesOn = (object: KubernetesObject) => followsOthers(object) || object === held.object;
  const child = (object: KubernetesObject) => situation.child(refOf(object));
  const hold = { pause: situation.pause, now, hash: desiredHash, goesOn, child };
  return {
    orders,
    plan: holdWhilePaused(draft, hold).plan,
    ...(held.toRead === undefined ? {} : { settingsToRead: held.toRead }),
  };
}

/** `objects` with the settings that a held gateway has, in the place of those that its spec asks for. */
function withHeld(
  objects: readonly KubernetesObject[],
  { object }: HeldSettings,
): readonly KubernetesObject[] {
  if (object === undefined) return objects;
  const id = refId(refOf(object));
  return [...objects.filter((one) => refId(refOf(one)) !== id), object];
}

/** What the spec becomes, and how its pods get there. */
interface Applicable {
  readonly rollout: Rollout | undefined;
  readonly objects: readonly KubernetesObject[];
}

function standingStill(
  observed: ObservedGateway,
  settings: GatewayRoomSettings,
  situation: Situation,
): Applicable {
  const directory = directoryOf(observed, settings, situation);
  return { rollout: undefined, objects: objectsStandingStill(situation, directory) };
}

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

/** The settings of a held gateway: to be written as they are but for their retention, or to be read for that. */
interface HeldSettings {
  readonly object?: KubernetesObject;
  readonly toRead?: ObjectRef;
}

/** Policies of retention bind a gateway that is held: what is to be kept is not deleted because of a pause. */
function heldSettings({ heldSettings: text }: ObservedGateway, at: Situation): HeldSettings {
  const { gateway, retention } = at;
  const { namespace = '' } = gateway.metadata;
  const { settings: name } = gatewayNames(gateway);
  const standing = at.child({ apiVersion: 'v1', kind: 'ConfigMap', name });
  if (standing === undefined || carriesRetention(standing, retention)) return {};
  if (text === undefined)
    return { toRead: { apiVersion: 'v1', kind: 'ConfigMap', namespace, name } };
  const object = withRetention(gateway, text, retention);
  return object === undefined ? {} : { object };
}

/** The orders of a gateway whose spec cannot be rendered. */
function ordersStandingStill({ gateway, keys, workload }: Situation): readonly KeyOrder[] {
  if (workload === undefined) return [];
  const { publicTls } = gatewayNames(gateway);
  const [shown] = keys.publicLeaf;
  // Hosts may be what is wrong: a certificate is renewed for names that it already has, never for others.
  return keys.orders.filter(
    (order) =>
      order.type !== 'Leaf' ||
      order.metadata.name !== publicTls ||
      shown?.request === requestDigest(order.request),
  );
}

/** The objects of a gateway whose spec cannot be rendered: relays that its pods may use, once there are pods. */
function objectsStandingStill(
  { workload }: Situation,
  directory: DirectoryContext,
): readonly KubernetesObject[] {
  return workload === undefined ? [] : [relaysConfigMap(directory)];
}

/**
 * Relays that came during a pause are in the directory and must get in, too. The policy that names them waits, as
 * whatever else the spec says there, so this one rule stands beside it until the pause ends.
 */
function meanwhile(
  { pause, child }: Situation,
  directory: DirectoryContext,
  objects: readonly KubernetesObject[],
): readonly KubernetesObject[] {
  const waits = objects.some(
    (object) =>
      object.kind === 'NetworkPolicy' && child(refOf(object))?.ownedHash !== desiredHash(object),
  );
  return pause.state === 'Paused' && waits ? relaysNetworkPolicy(directory) : [];
}

/** As if nothing stood yet: for comparing two render versions. */
function rendered(context: GatewayContext): readonly KubernetesObject[] {
  return gatewayObjects(context, { template: podTemplate(context), annotations: {} });
}

function eventsOf({ state, reason, message }: Standing): Plan['events'] {
  return state === 'Stalled' ? [{ type: 'Warning', reason, note: message }] : [];
}

/** Milliseconds until something is due. A time that has passed changes nothing, unless what was due then is still ordered. */
function dueInMs(
  { keys, certificates, now }: Situation,
  orders: readonly KeyOrder[],
  deadlineAt: Date | undefined,
): readonly number[] {
  const until = (time: Date | undefined) => (time?.getTime() ?? NaN) - now.getTime();
  const expiry = new Date(certificates.served?.notAfter ?? NaN);
  const ahead = [keys.nextAt, deadlineAt, expiry].map(until).filter((ms) => ms > 0);
  const overdue = orders.length > 0 && until(keys.nextAt) <= 0 ? [0] : [];
  return [...ahead, ...overdue].map((ms) => Math.max(ms, MIN_REQUEUE_MS));
}

/** Milliseconds until something is to be read that no watch tells. */
function readsInMs(
  { gateway, secrets }: ObservedGateway,
  { checkSecretsEverySeconds }: GatewayRoomSettings,
  { toRead }: HeldSettings,
): readonly number[] {
  const failed = toRead !== undefined || Object.values(secrets).includes('Unreadable');
  const named = secretsToRead(gateway).length > 0;
  return [...(failed ? [READ_AGAIN_MS] : []), ...(named ? [checkSecretsEverySeconds * 1000] : [])];
}
