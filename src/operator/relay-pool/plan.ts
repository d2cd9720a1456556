/*
 * What a RelayPool needs now. Read everything, decide once: the same observation gives the same plan.
 */
import type { RelayPoolStatus } from '../../kinds/relay-pool.gen.js';
import { failureStanding } from '../../kubernetes/child-failures.js';
import { commonConditions, conditionsOf, type Standing } from '../../kubernetes/conditions.js';
import { refId, refOf, type KubernetesObject } from '../../kubernetes/object.js';
import { desiredHash } from '../../kubernetes/owned-fields.js';
import { holdWhilePaused, readPause, type Held, type HoldInput } from '../../kubernetes/pause.js';
import type { Plan, Verdict } from '../../kubernetes/plan.js';
import { planUpgrade, upgradeVerdict } from '../../kubernetes/render-pin.js';
import type { LeafOrder } from '../keys/orders.js';
import {
  effectiveFields,
  heldChanges,
  MAX_PLAN_ITEMS,
  pausedField,
  planItem,
  rotationField,
} from '../pods/status-fields.js';
import { gatewaysConfigMap } from './configuration.js';
import {
  keptSecret,
  permittedGateways,
  relayPoolNames,
  wantedReplicas,
  type RelayPoolSettings,
} from './context.js';
import { gatewaysNetworkPolicy } from './network.js';
import {
  contextOf,
  objectsOf,
  rolloutOf,
  situationOf,
  type ObservedRelayPool,
  type Situation,
} from './situation.js';
import {
  addressesOf,
  certificateStatus,
  endpoints,
  gatewaysVerdict,
  keysVerdict,
  monitoredVerdict,
  peerRangesVerdict,
  rolloutStanding,
  selectorText,
} from './status.js';

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
  if (problem !== undefined) {
    const { orders, plan } = standStill(situation, problem);
    return { orders, plan: { ...plan, requeueAfterMs: requeueAfterMs(situation, undefined) } };
  }
  const held = hold(situation, objectsOf(situation));
  return {
    orders: leaf.order === undefined ? [] : [leaf.order],
    plan: {
      ...held.plan,
      status: statusOf(situation, standingOf(situation), held),
    },
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

/** What a pool whose spec cannot be written still needs. Before it ever ran that is nothing. */
interface StandStill {
  readonly orders: readonly LeafOrder[];
  readonly plan: Omit<Plan<RelayPoolStatus>, 'requeueAfterMs'>;
}

/**
 * Status, and for relays that run: their certificate and their gateways. What runs goes on running, and must not outlive
 * its keys. Nothing is taken away.
 */
function standStill(situation: Situation, standing: Standing): StandStill {
  const { observed, settings, statefulSet, leaf, now } = situation;
  const { pool } = observed;
  const { generation = 0 } = pool.metadata;
  const before = pool.status;
  const runs = statefulSet !== undefined;
  const { installation } = settings;
  const gateways = permittedGateways(pool, observed.gateways, now);
  const verdicts: readonly Verdict[] = [...commonConditions(standing), keysVerdict(pool, leaf)];
  return {
    orders: runs && leaf.order !== undefined ? [leaf.order] : [],
    plan: {
      apply: runs ? [gatewaysConfigMap({ pool, gateways, installation })] : [],
      keep: [],
      prune: 'Nothing',
      status: {
        ...before,
        observedGeneration: generation,
        conditions: conditionsOf(before?.conditions ?? [], verdicts, { generation, now }),
        ...(runs ? { certificates: certificateStatus(observed, leaf.facts, now) } : {}),
        ...rotationField(pool, isRotated(situation), now),
      },
      events: [{ type: 'Warning', reason: standing.reason, note: standing.message }],
    },
  };
}

/** Whether all that a rotate token asked for is done. */
function isRotated({ leaf }: Pick<Situation, 'leaf'>): boolean {
  return leaf.order === undefined && leaf.rotationPending !== true;
}

function hold(situation: Situation, apply: readonly KubernetesObject[]): Held<RelayPoolStatus> {
  const { observed, now } = situation;
  const { pool, children } = observed;
  const names = relayPoolNames(pool);
  const byId = new Map(children.map((child) => [refId(child.ref), child]));
  const pausing: HoldInput = {
    pause: readPause(pool.metadata.annotations, now),
    now,
    child: (object) => byId.get(refId(refOf(object))),
    hash: desiredHash,
    // A pause holds the pool still; keys of its gateways go on rotating, or sessions would end.
    goesOn: ({ metadata }) => metadata.name === names.gateways,
  };
  return holdWhilePaused(
    {
      apply: [...apply, ...meanwhile(situation, apply, pausing)],
      keep: [keptSecret(pool)],
      prune: 'Unlisted',
      status: { observedGeneration: pool.metadata.generation ?? 0, conditions: [] },
      events: [],
      requeueAfterMs: requeueAfterMs(situation, rolloutOf(situation).deadlineAt),
    },
    pausing,
  );
}

/**
 * A gateway that came during a pause is in gateways.json and must be reached, too. The policy that names it waits, as
 * whatever else the spec says there, so this one rule stands beside it until the pause ends.
 */
function meanwhile(
  situation: Situation,
  apply: readonly KubernetesObject[],
  { pause, child, hash }: HoldInput,
): readonly KubernetesObject[] {
  const waits = apply.some(
    (object) => object.kind === 'NetworkPolicy' && child(object)?.ownedHash !== hash(object),
  );
  return pause.state === 'Paused' && waits ? gatewaysNetworkPolicy(contextOf(situation)) : [];
}

/** A time that has passed changes nothing any more, unless what was due then is still ordered. */
function requeueAfterMs({ leaf, now }: Situation, deadlineAt: Date | undefined): number {
  const until = (time: Date | undefined): number => (time?.getTime() ?? NaN) - now.getTime();
  const overdue = leaf.order !== undefined && until(leaf.nextAt) <= 0 ? [0] : [];
  const ahead = [leaf.nextAt, deadlineAt].map(until).filter((ms) => ms > 0);
  return Math.max(Math.min(...ahead, ...overdue, MAX_REQUEUE_MS), MIN_REQUEUE_MS);
}

function statusOf(
  situation: Situation,
  standing: Standing,
  held: Held<RelayPoolStatus>,
): RelayPoolStatus {
  const { observed, now, render, effective, leaf, progress, services } = situation;
  const { pool, gateways } = observed;
  const { generation = 0 } = pool.metadata;
  const context = contextOf(situation);
  const verdicts: readonly Verdict[] = [
    ...commonConditions(standing),
    gatewaysVerdict(
      pool,
      context.gateways,
      gateways.map(({ gateway }) => gateway),
    ),
    keysVerdict(pool, leaf),
    peerRangesVerdict(context.installation),
    monitoredVerdict(context),
    held.verdict,
    ...(render.state === 'Render' ? [upgradeVerdict(render)] : []),
  ];
  return {
    observedGeneration: generation,
    conditions: conditionsOf(pool.status?.conditions ?? [], verdicts, { generation, now }),
    replicas: progress.exist,
    readyReplicas: progress.ready,
    updatedReplicas: progress.updated,
    selector: selectorText(pool),
    renderVersion: context.render.version,
    endpoints: endpoints(pool, services, progress),
    certificates: certificateStatus(observed, leaf.facts, now),
    effective: effectiveFields(effective.provenance),
    ...planField(situation, held),
    ...rotationField(pool, isRotated(situation), now),
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
