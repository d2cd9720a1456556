/*
 * What one registration may do to the relay: end leases and keys of its own gateway, and ask for a drain. Nothing else
 * comes in through it; lease keys in particular come from files only.
 */
import { systemClock } from '../../runtime/system.clock.js';
import type { PacketThread } from '../packet/packet.thread.js';
import type { RelayGateway } from '../settings.js';
import { gatewayName } from './directory.js';
import type { RegistrationHost } from './registration.client.js';
import type { Registrant, RelayState } from './registration.js';
import type { RelayEvents } from './relay.events.js';
import type { RelayFiles } from './relay.files.js';
import type { Named } from './security-events.js';

/** The relay as its registrations see it. */
export interface GatewayParts {
  readonly pool: Named;
  readonly registrant: Registrant;
  readonly events: RelayEvents;
  readonly packet: PacketThread;
  readonly files: RelayFiles;
  readonly isDraining: () => boolean;
  readonly drain: (gateway: Named, deadlineMs: number) => void;
}

/** What the registration at `gateway` works with. */
export function registrationHost(parts: GatewayParts, gateway: RelayGateway): RegistrationHost {
  const { pool, registrant, events, packet, files } = parts;
  const who: Named = { namespace: gateway.namespace, name: gateway.name };
  return {
    registrant,
    now: () => ({ monotonicMs: systemClock.monotonicMs(), unixMs: systemClock.now().getTime() }),
    random: Math.random,
    leaf: () => files.leaf,
    state: () => stateFor(parts, gatewayName(gateway)),
    registered: () => {
      events.registered(who);
    },
    failed: (code) => {
      events.unreachable(who, code);
    },
    refused: (why) => {
      events.refused(who, why);
    },
    revoke: (jti, kids) => {
      packet.revoke(gatewayName(gateway), jti, kids);
      events.revoked(who, jti.length, kids.length);
    },
    drain: (deadline) => {
      // A pool may serve gateways of other namespaces; none of those may end it for the others.
      if (gateway.namespace === pool.namespace) parts.drain(who, deadline);
      else events.foreignDrain(who);
    },
  };
}

function stateFor({ packet, files, isDraining }: GatewayParts, gateway: string): RelayState {
  const { values, drops } = packet.statistics();
  const keys = files.directory?.leaseKeys ?? [];
  return {
    sessions: values.sessions,
    packets: values.forwarded_packets,
    bytes: values.forwarded_bytes,
    drops: Object.values(drops).reduce((sum, count) => sum + count, 0),
    draining: isDraining(),
    kids: keys.filter((key) => key.gateway === gateway).map(({ kid }) => kid),
  };
}
