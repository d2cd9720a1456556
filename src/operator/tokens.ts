/*
 * Names under which Nest hands things to rooms: `@Inject(CLUSTER) cluster: Cluster`. Interfaces do not exist at run
 * time and we emit no decorator metadata, so each is named.
 */

/** `Cluster` (kubernetes/cluster.ts): the API server through the engine, or one in memory. */
export const CLUSTER = Symbol('Cluster');
/** `Clock` (runtime/clock.ts). */
export const CLOCK = Symbol('Clock');
/** `OperatorSettings` (operator/settings.ts). */
export const OPERATOR_SETTINGS = Symbol('OperatorSettings');
/** `Logger` (runtime/log.ts). */
export const LOGGER = Symbol('Logger');
/** `readonly Reconciler[]`: those of all rooms, for the engine. */
export const RECONCILERS = Symbol('Reconcilers');
