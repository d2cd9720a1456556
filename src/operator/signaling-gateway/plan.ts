/*
 * What a SignalingGateway needs now: everything is observed before, decided here once, and carried out after.
 * The same observation gives the same plan.
 */
import type { RelayPool } from '../../kinds/relay-pool.gen.js';
import type { RetentionPolicy } from '../../kinds/retention-policy.gen.js';
import type {
  SignalingGateway,
  SignalingGatewayStatus,
} from '../../kinds/signaling-gateway.gen.js';
import type { Child } from '../../kubernetes/cluster.js';
import type { Standing } from '../../kubernetes/conditions.js';
import { refId, refOf } from '../../kubernetes/object.js';
import type { KubernetesObject, ObjectRef } from '../../kubernetes/object.js';
import { desiredHash } from '../../kubernetes/owned-fields.js';
import { holdWhilePaused, readPause } from '../../kubernetes/pause.js';
import type { Plan } from '../../kubernetes/plan.js';
import { planUpgrade } from '../../kubernetes/render-pin.js';
import type { PlannedChange } from '../../kubernetes/render-pin.js';
import { effectiveGateway } from '../../policy/effective.js';
import { choosePools } from '../../policy/pool-choice.js';
import { demandsOn, mergeRetention } from '../../policy/retention.js';
import { caPem, trustedCas } from '../keys/ca.js';
import { observedCertificates } from '../keys/facts.js';
import type { KeyOrder } from '../keys/orders.js';
import { relaysConfigMap, settingsConfigMap } from './configuration.js';
import {
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
import { gatewayKeys } from './keys.js';
import { endpointsOf, gatewayStatus, workloadState } from './status.js';
import { imageOf, judge, renderOf } from './judgement.js';
import type { RenderedVersion } from './judgement.js';
import type { PendingChange, Situation } from './status.js';
import { secretsToRead } from './validate.js';
import { autoscaler, disruptionBudget, workload as pods } from './workload.js';
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
  readonly policyKeys: readonly string[];
}

/** What the installation's settings say to this room. */
export interface GatewayRoomSettings {
  readonly installId: string;
  /** Render versions that this operator writes; at least one. */
  readonly renders: readonly RenderedVersion[];
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
/** A time that is due is looked at at once, yet never in a loop. */
const MIN_REQUEUE_MS = 1000;

/** All objects of a gateway but its key and certificate Secrets, which are made by order. */
export function gatewayObjects(context: GatewayContext): readonly KubernetesObject[] {
  return [
    identity(context),
    settingsConfigMap(context),
    relaysConfigMap(context),
    gatewayNetworkPolicy(context),
    publicService(context),
    internalService(context),
    ...publicCertificate(context),
    pods(context),
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
  const judgement = judge(situation, {
    secrets: observed.secrets,
    image: imageOf(situation.render, settings.renders),
  });
  const objects = judgement.rejected
    ? []
    : gatewayObjects(contextOf(observed, settings, situation));
  const applied = judgement.holdsWorkload
    ? objects.filter((object) => !isWorkload(object))
    : objects;
  const draft: Plan<SignalingGatewayStatus> = {
    apply: applied,
    keep: keptRefs(observed.gateway),
    // Nothing that runs is taken down because of a mistake.
    prune: judgement.rejected || judgement.unresolved ? 'Nothing' : 'Unlisted',
    status: gatewayStatus(
      situation,
      judgement,
      pendingChanges(observed, settings, situation, applied),
    ),
    events: eventsOf(judgement.standing),
    requeueAfterMs: requeueAfterMs(observed.gateway, settings, situation),
  };
  const hold = { pause: situation.pause, now, hash: desiredHash, goesOn: followsOthers };
  return {
    // Without a valid spec there are no names to put into a certificate.
    orders: judgement.rejected?.reason === 'InvalidSpec' ? [] : situation.keys.orders,
    plan: holdWhilePaused(draft, { ...hold, child: (object) => situation.child(refOf(object)) })
      .plan,
  };
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
  const chosen = renders.find((candidate) => candidate.version === version);
  if (chosen === undefined) throw new RangeError(`There is no render version ${version}.`);
  return {
    gateway,
    values: effective.values,
    render: chosen,
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

const WORKLOAD_KINDS: ReadonlySet<string> = new Set([
  'Deployment',
  'StatefulSet',
  'HorizontalPodAutoscaler',
]);

/** A pod that names a missing Secret would never start, and replacing a running one by it would end it. */
function isWorkload({ kind }: KubernetesObject): boolean {
  return WORKLOAD_KINDS.has(kind);
}

/** A pause holds back what the spec says; which relays there are is not in the spec. */
function followsOthers(object: KubernetesObject): boolean {
  return object.kind === 'ConfigMap' && object.metadata.name.endsWith('-gateway-relays');
}

/** Made by order or by another room, and not in `apply`. */
function keptRefs(gateway: SignalingGateway): readonly ObjectRef[] {
  const { leaseKeys, internalTls, publicTls, policyBundle } = gatewayNames(gateway);
  const namespace = gateway.metadata.namespace ?? '';
  const of = (kind: string) => (name: string) => ({ apiVersion: 'v1', kind, namespace, name });
  const issued = publicTlsSecret(gateway) === publicTls ? [publicTls] : [];
  return [...[leaseKeys, internalTls, ...issued].map(of('Secret')), of('ConfigMap')(policyBundle)];
}

/** What waits: for the end of a pause, else for a newer render version. */
function pendingChanges(
  observed: ObservedGateway,
  settings: GatewayRoomSettings,
  situation: Situation,
  applied: readonly KubernetesObject[],
): readonly PendingChange[] {
  const { pause, render, child } = situation;
  if (pause.state === 'Paused') {
    return applied
      .filter((object) => !followsOthers(object))
      .filter((object) => child(refOf(object))?.ownedHash !== desiredHash(object))
      .map((object) => waiting(object, child(refOf(object))));
  }
  if (render.state !== 'Render' || !render.upgradePending) return [];
  const objects = (version: number) =>
    gatewayObjects(contextOf(observed, settings, situation, version));
  return planUpgrade(objects(render.version), objects(render.latest)).map(upgradeChange);
}

function waiting({ kind, metadata }: KubernetesObject, child: Child | undefined): PendingChange {
  const change = child === undefined ? 'Create' : 'Update';
  const restarts = change === 'Update' && (kind === 'Deployment' || kind === 'StatefulSet');
  return { kind, name: metadata.name, change, restarts, fields: [] };
}

function upgradeChange({ kind, name, action, fields, restartsPods }: PlannedChange): PendingChange {
  const change = action === 'Change' ? 'Update' : action;
  return { kind, name, change, restarts: restartsPods, fields: [...fields] };
}

function eventsOf({ state, reason, message }: Standing): Plan['events'] {
  return state === 'Stalled' ? [{ type: 'Warning', reason, note: message }] : [];
}

function requeueAfterMs(
  gateway: SignalingGateway,
  { checkSecretsEverySeconds }: GatewayRoomSettings,
  { keys, certificates, now }: Situation,
): number {
  const due = [keys.nextAt?.getTime(), expiryOf(certificates.served?.notAfter)]
    .filter((time) => time !== undefined)
    .map((time) => Math.max(time - now.getTime(), MIN_REQUEUE_MS));
  const reads = secretsToRead(gateway).length > 0 ? [checkSecretsEverySeconds * 1000] : [];
  return Math.min(MAX_REQUEUE_MS, ...due, ...reads);
}

/** A certificate that has ended already brings no news by time. */
function expiryOf(notAfter: string | undefined): number | undefined {
  return notAfter === undefined ? undefined : Date.parse(notAfter);
}
