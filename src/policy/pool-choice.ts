import type { RelayPool } from '../kinds/relay-pool.gen.js';
import type { SignalingGateway } from '../kinds/signaling-gateway.gen.js';
import { allowsGateway, relayPermission } from './relay-permission.js';

/** A pool that the gateway names and may not use, with why. */
export interface RefusedPool {
  readonly namespace: string;
  readonly name: string;
  readonly reason: 'PoolNotFound' | 'GatewayNotAllowed';
}

export interface PoolChoice {
  /** Sorted by namespace and name. */
  readonly permitted: readonly RelayPool[];
  /** Only pools that the gateway names: an unnamed pool that does not want it is nobody's mistake. */
  readonly refused: readonly RefusedPool[];
}

/** Which of `pools` the gateway uses. Both sides must permit it; unsaid, each side permits its own namespace. */
export function choosePools(gateway: SignalingGateway, pools: readonly RelayPool[]): PoolChoice {
  const permitted = pools.filter((pool) => relayPermission(gateway, pool) === 'Permitted');
  const own = namespaceOf(gateway);
  const refused = (gateway.spec.relayPools ?? []).flatMap(
    ({ name, namespace = own }): readonly RefusedPool[] => {
      const pool = pools.find(
        ({ metadata }) => metadata.name === name && metadata.namespace === namespace,
      );
      if (pool === undefined) return [{ name, namespace, reason: 'PoolNotFound' }];
      return allowsGateway(pool, gateway) ? [] : [{ name, namespace, reason: 'GatewayNotAllowed' }];
    },
  );
  return { permitted: sorted(permitted), refused };
}

/** What to do about a pool that the gateway names and may not use. */
export function refusedPoolMessage(
  gateway: SignalingGateway,
  { namespace, name, reason }: RefusedPool,
): string {
  return reason === 'PoolNotFound'
    ? `There is no RelayPool ${namespace}/${name}: create it, or remove it from relayPools.`
    : `RelayPool ${namespace}/${name} does not allow this gateway: add name ${gateway.metadata.name}, namespace ${gateway.metadata.namespace ?? ''} to its allowedGateways, or remove it from relayPools.`;
}

function sorted(pools: readonly RelayPool[]): readonly RelayPool[] {
  const id = (pool: RelayPool) => `${namespaceOf(pool)}/${pool.metadata.name}`;
  return [...pools].sort((a, b) => (id(a) < id(b) ? -1 : 1));
}

function namespaceOf({ metadata }: RelayPool | SignalingGateway): string {
  return metadata.namespace ?? '';
}
