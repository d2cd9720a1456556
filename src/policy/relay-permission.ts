import type { RelayPool } from '../kinds/relay-pool.gen.js';
import type { SignalingGateway } from '../kinds/signaling-gateway.gen.js';

/** What a pair of resources says about itself. Only `Permitted` lets either side see the other's keys. */
export type RelayPermission = 'Permitted' | 'PoolDoesNotAllow' | 'GatewayDoesNotUse';

type Pool = Pick<RelayPool, 'metadata' | 'spec'>;
type Gateway = Pick<SignalingGateway, 'metadata' | 'spec'>;

/**
 * Whether `gateway` may issue leases for the relays of `pool`: both sides must say so. A side that says nothing
 * means its own namespace, so that nothing crosses a namespace unless both name each other.
 */
export function relayPermission(gateway: Gateway, pool: Pool): RelayPermission {
  if (!usesPool(gateway, pool)) return 'GatewayDoesNotUse';
  return allowsGateway(pool, gateway) ? 'Permitted' : 'PoolDoesNotAllow';
}

/** Whether `spec.relayPools` of `gateway` covers `pool`. */
export function usesPool({ metadata, spec }: Gateway, pool: Pick<Pool, 'metadata'>): boolean {
  return covers(spec.relayPools, metadata.namespace, pool.metadata);
}

/** Whether `spec.allowedGateways` of `pool` covers `gateway`. */
export function allowsGateway(
  { metadata, spec }: Pool,
  gateway: Pick<Gateway, 'metadata'>,
): boolean {
  return covers(spec.allowedGateways, metadata.namespace, gateway.metadata);
}

interface Named {
  readonly name: string;
  readonly namespace?: string;
}

function covers(
  listed: readonly Named[] | undefined,
  home: string | undefined,
  other: Named,
): boolean {
  if (listed === undefined) return other.namespace === home;
  return listed.some(
    ({ name, namespace = home }) => name === other.name && namespace === other.namespace,
  );
}
