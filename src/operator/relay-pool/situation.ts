/* What is known about a RelayPool when its plan is made, and what follows from it: nothing is decided here. */
import type { RelayPool } from '../../kinds/relay-pool.gen.js';
import type { ChildFailure } from '../../kubernetes/child-failures.js';
import type { Child } from '../../kubernetes/cluster.js';
import type { Standing } from '../../kubernetes/conditions.js';
import type { KubernetesObject } from '../../kubernetes/object.js';
import type { Render } from '../../kubernetes/render-pin.js';
import { effectiveValues, type Effective } from '../../policy/effective.js';
import { RELAY_POOL_DEFAULTS, type RelayPoolValues } from '../../policy/relay-pool.js';
import type { CertificateFact } from '../keys/facts.js';
import type { KeyPlan, LeafOrder } from '../keys/orders.js';
import { isAddress } from '../pods/cidr.js';
import { imageOf, renderOf } from '../pods/renders.js';
import {
  maxReplicas,
  permittedGateways,
  poolLeaf,
  relayPoolNames,
  type ObservedGateway,
  type RelayPoolContext,
  type RelayPoolSettings,
} from './context.js';
import { relayPoolObjects, relayTemplate } from './objects.js';
import {
  chooseRollout,
  progressOf,
  type Progress,
  type RolloutChoice,
} from '../pods/rolling-update.js';
import { addressesOf } from './status.js';
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

/** All that was found out about a pool before anything is decided. */
export interface Situation {
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

/** What `observed` comes to. */
export function situationOf(
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

/** Every object of the pool, as a render version writes it; the one in use unless told. */
export function objectsOf(situation: Situation, version?: number): readonly KubernetesObject[] {
  return relayPoolObjects(contextOf(situation, version), rolloutOf(situation, version));
}

/** The template to write, and how many pods may take it now. */
export function rolloutOf(situation: Situation, version?: number): RolloutChoice {
  const { observed, statefulSet, now } = situation;
  return chooseRollout({
    pool: observed.pool,
    wanted: relayTemplate(contextOf(situation, version)),
    statefulSet,
    revisions: observed.children.filter(({ ref }) => ref.kind === 'ControllerRevision'),
    now,
  });
}

/** What the objects of a render version depend on. @throws RangeError for a version that is not supported */
export function contextOf(situation: Situation, version = versionOf(situation)): RelayPoolContext {
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

/** The child of this kind and name, if it stands. */
export function childOf(
  { children }: ObservedRelayPool,
  kind: string,
  name: string,
): Child | undefined {
  return children.find(({ ref }) => ref.kind === kind && ref.name === name);
}

function versionOf({ render }: Situation): number {
  if (render.state === 'Render') return render.version;
  throw new RangeError('Nothing is rendered with a version that is not supported.');
}
