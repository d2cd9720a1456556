/*
 * What a RelayPool needs now. Read everything, decide once: the same observation gives the same plan.
 */
import type { RelayPool, RelayPoolStatus } from '../../kinds/relay-pool.gen.js';
import { failureStanding, type ChildFailure } from '../../kubernetes/child-failures.js';
import type { Child } from '../../kubernetes/cluster.js';
import { commonConditions, conditionsOf, type Standing } from '../../kubernetes/conditions.js';
import { refId, refOf, type KubernetesObject } from '../../kubernetes/object.js';
import { desiredHash } from '../../kubernetes/owned-fields.js';
import { holdWhilePaused, readPause, type Held } from '../../kubernetes/pause.js';
import type { Plan, Verdict } from '../../kubernetes/plan.js';
import { planUpgrade, upgradeVerdict, type Render } from '../../kubernetes/render-pin.js';
import { effectiveValues, type Effective } from '../../policy/effective.js';
import { RELAY_POOL_DEFAULTS, type RelayPoolValues } from '../../policy/relay-pool.js';
import { CA_NAME, trustedCas } from '../keys/ca.js';
import { observedCertificates, type CertificateFact } from '../keys/facts.js';
import type { KeyPlan, LeafOrder } from '../keys/orders.js';
import { isAddress } from '../pods/cidr.js';
import { imageOf, renderOf } from '../pods/renders.js';
import {
  effectiveFields,
  heldChanges,
  MAX_PLAN_ITEMS,
  pausedField,
  planItem,
  rotationField,
} from '../pods/status-fields.js';
import {
  keptSecret,
  maxReplicas,
  permittedGateways,
  poolLeaf,
  relayPoolNames,
  wantedReplicas,
  type ObservedGateway,
  type RelayPoolContext,
  type RelayPoolSettings,
} from './context.js';
import { relayPoolObjects, relayTemplate } from './objects.js';
import { chooseRollout, progressOf, type Progress, type RolloutChoice } from './rollout.js';
import {
  addressesOf,
  certificateStatus,
  endpoints,
  gatewaysVerdict,
  monitoredVerdict,
  peerRangesVerdict,
  rolloutStanding,
  selectorText,
} from './status.js';
import { poolProblem } from './validate.js';

/** All that the plan of a pool is made from. */
export interface ObservedRelayPool {
  readonly pool: RelayPool;
  /** What was made for it. */
  readonly children: readonly Child[];
  /** Secret of the CA of its namespace. */
  readonly ca: Child | undefined;
  /** Every gateway of the cluster that this pool allows or that names it. */
  readonly gateways: readonly ObservedGateway[];
  /** Orders of this pass that could not be fulfilled. */
  readonly failedOrders: readonly ChildFailure[];
}

/** A plan, and the certificate to make before it is carried out. After an order is fulfilled, plan again. */
export interface PlannedRelayPool {
  readonly orders: readonly LeafOrder[];
  readonly plan: Plan<RelayPoolStatus>;
}

/** A timer of more than a day is pointless: looking costs no call. */
const MAX_REQUEUE_MS = 86_400_000;
const MIN_REQUEUE_MS = 1_000;

/** What the pool needs now. */
export function planRelayPool(
  observed: ObservedRelayPool,
  settings: RelayPoolSettings,
  now: Date,
): PlannedRelayPool {
  const situation = situationOf(observed, settings, now);
  const { leaf, problem } = situation;
  if (problem !== undefined) return { orders: [], plan: standStill(situation, problem) };
  const held = hold(situation, objectsOf(situation));
  return {
    orders: leaf.order === undefined ? [] : [leaf.order],
    plan: {
      ...held.plan,
      status: statusOf(situation, standingOf(situation), held),
    },
  };
}

interface Situation {
  readonly observed: ObservedRelayPool;
  readonly settings: RelayPoolSettings;
  readonly now: Date;
  readonly render: Render;
  readonly effective: Effective<RelayPoolValues>;
  readonly leaf: KeyPlan<CertificateFact, LeafOrder>;
  readonly statefulSet: Child | undefined;
  readonly progress: Progress;
  /** The Services of the relays, by ordinal; one that does not exist yet is undefined. */
  readonly services: readonly (Child | undefined)[];
  /** Why nothing can be written. What runs goes on running. */
  readonly problem: Standing | undefined;
}

function situationOf(
  observed: ObservedRelayPool,
  settings: RelayPoolSettings,
  now: Date,
): Situation {
  const { pool, ca } = observed;
  const names = relayPoolNames(pool);
  const statefulSet = childOf(observed, 'StatefulSet', names.workload);
  const progress = progressOf(statefulSet);
  const count = Math.max(maxReplicas(pool), progress.exist);
  const render = renderOf(pool, statefulSet, settings.renders);
  const { installId } = settings.installation;
  return {
    observed,
    settings,
    now,
    render,
    effective: effectiveValues(pool.spec, RELAY_POOL_DEFAULTS),
    leaf: poolLeaf({ pool, installId, secret: childOf(observed, 'Secret', names.tls), ca, now }),
    statefulSet,
    progress,
    services: Array.from({ length: count }, (_, ordinal) =>
      childOf(observed, 'Service', names.replica(ordinal)),
    ),
    problem: poolProblem(pool, render, settings.renders),
  };
}

/** What is not as it should be, most important first; the first that speaks wins. */
function standingOf(situation: Situation): Standing {
  const { observed, leaf, progress, services } = situation;
  const { pool } = observed;
  const failed = failureStanding(observed.failedOrders);
  if (failed !== undefined) return failed;
  if (leaf.facts.length === 0) {
    const message = `Secret ${relayPoolNames(pool).tls} has no certificate yet.`;
    return { state: 'Progressing', reason: 'WaitingForCertificate', message };
  }
  const wanted = wantedReplicas(pool) ?? Math.max(progress.wanted, 1);
  const rollout = rolloutStanding(progress, wanted, rolloutOf(situation));
  if (rollout.state !== 'Ready') return rollout;
  const { type } = pool.spec.exposure;
  const waiting = services.slice(0, wanted).filter((s) => addressesOf(s, type).length === 0).length;
  if (waiting === 0) return rollout;
  const message = `${waiting} of ${wanted} relays have no address yet: the cluster's load balancer assigns them.`;
  return { state: 'Progressing', reason: 'WaitingForAddress', message };
}

/** Nothing is written but status, and nothing is taken away. */
function standStill(situation: Situation, standing: Standing): Plan<RelayPoolStatus> {
  const { pool } = situation.observed;
  const { generation = 0 } = pool.metadata;
  const before = pool.status;
  return {
    apply: [],
    keep: [],
    prune: 'Nothing',
    status: {
      ...before,
      observedGeneration: generation,
      conditions: conditionsOf(before?.conditions ?? [], commonConditions(standing), {
        generation,
        now: situation.now,
      }),
    },
    events: [{ type: 'Warning', reason: standing.reason, note: standing.message }],
  };
}

function objectsOf(situation: Situation, version?: number): readonly KubernetesObject[] {
  return relayPoolObjects(contextOf(situation, version), rolloutOf(situation, version));
}

function rolloutOf(situation: Situation, version?: number): RolloutChoice {
  const { observed, statefulSet, now } = situation;
  return chooseRollout({
    pool: observed.pool,
    wanted: relayTemplate(contextOf(situation, version)),
    statefulSet,
    revisions: observed.children.filter(({ ref }) => ref.kind === 'ControllerRevision'),
    now,
  });
}

function contextOf(situation: Situation, version = versionOf(situation)): RelayPoolContext {
  const { observed, settings, effective, services, now } = situation;
  const { pool } = observed;
  const addresses = services.flatMap((s) => addressesOf(s, pool.spec.exposure.type));
  return {
    pool,
    values: effective.values,
    render: { version, image: imageOf(settings.renders, version) },
    installation: settings.installation,
    gateways: permittedGateways(pool, observed.gateways, now),
    services: services.length,
    // A load balancer may give host names; relays compare addresses.
    ownAddresses: [...new Set(addresses.filter(isAddress))].sort(),
  };
}

function hold(situation: Situation, apply: readonly KubernetesObject[]): Held<RelayPoolStatus> {
  const { observed, leaf, now } = situation;
  const { pool, children } = observed;
  const names = relayPoolNames(pool);
  const byId = new Map(children.map((child) => [refId(child.ref), child]));
  const { deadlineAt } = rolloutOf(situation);
  const until = (time: Date | undefined): number => (time?.getTime() ?? NaN) - now.getTime();
  // A time that has passed changes nothing any more, unless what was due then is still ordered.
  const overdue = leaf.order !== undefined && until(leaf.nextAt) <= 0 ? [0] : [];
  const ahead = [leaf.nextAt, deadlineAt].map(until).filter((ms) => ms > 0);
  const dueMs = Math.min(...ahead, ...overdue, MAX_REQUEUE_MS);
  return holdWhilePaused(
    {
      apply,
      keep: [keptSecret(pool)],
      prune: 'Unlisted',
      status: { observedGeneration: pool.metadata.generation ?? 0, conditions: [] },
      events: [],
      requeueAfterMs: Math.max(dueMs, MIN_REQUEUE_MS),
    },
    {
      pause: readPause(pool.metadata.annotations, now),
      now,
      child: (object) => byId.get(refId(refOf(object))),
      hash: desiredHash,
      // A pause holds the pool still; keys of its gateways go on rotating, or sessions would end.
      goesOn: ({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === names.gateways,
    },
  );
}

function statusOf(
  situation: Situation,
  standing: Standing,
  held: Held<RelayPoolStatus>,
): RelayPoolStatus {
  const { observed, now, render, effective, leaf, progress, services } = situation;
  const { pool, ca, gateways } = observed;
  const { generation = 0 } = pool.metadata;
  const context = contextOf(situation);
  const verdicts: readonly Verdict[] = [
    ...commonConditions(standing),
    gatewaysVerdict(
      pool,
      context.gateways,
      gateways.map(({ gateway }) => gateway),
    ),
    peerRangesVerdict(context.installation),
    monitoredVerdict(context),
    held.verdict,
    ...(render.state === 'Render' ? [upgradeVerdict(render)] : []),
  ];
  const authority = { secretName: CA_NAME, facts: trustedCas(observedCertificates(ca).facts, now) };
  return {
    observedGeneration: generation,
    conditions: conditionsOf(pool.status?.conditions ?? [], verdicts, { generation, now }),
    replicas: progress.exist,
    readyReplicas: progress.ready,
    updatedReplicas: progress.updated,
    selector: selectorText(pool),
    renderVersion: context.render.version,
    endpoints: endpoints(pool, services, progress),
    certificates: certificateStatus(pool, leaf.facts, authority),
    effective: effectiveFields(effective.provenance),
    ...planField(situation, held),
    ...rotationField(pool, leaf.order === undefined, now),
    ...pausedField(readPause(pool.metadata.annotations, now), held.pending),
  };
}

/** What a pause or an older render version holds back. */
function planField(situation: Situation, { plan, pending }: Held<RelayPoolStatus>) {
  const { render, observed } = situation;
  const objects = objectsOf(situation);
  const changes = [
    ...(pending === 0 ? [] : heldChanges(objects, plan.apply, observed.children)),
    ...(render.state === 'Render' && render.upgradePending
      ? planUpgrade(objects, objectsOf(situation, render.latest))
      : []),
  ];
  return changes.length === 0 ? {} : { plan: changes.map(planItem).slice(0, MAX_PLAN_ITEMS) };
}

function childOf({ children }: ObservedRelayPool, kind: string, name: string): Child | undefined {
  return children.find(({ ref }) => ref.kind === kind && ref.name === name);
}

function versionOf({ render }: Situation): number {
  if (render.state === 'Render') return render.version;
  throw new RangeError('Nothing is rendered with a version that is not supported.');
}
