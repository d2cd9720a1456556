/*
 * Signaling: endpoints leave sealed envelopes for each other. The gateway hands them on to whoever is connected now, at
 * this replica or another, and stores nothing: an absent peer is told at once. docs/privacy.md says what a live gateway
 * can still see.
 */
import type { Room, RoomContext } from '../rooms.js';
import type { GatewaySettings } from '../settings.js';
import { answerOnBus } from './bus-handlers.js';
import { contactHandlers } from './contact-handlers.js';
import type { SignalingParts } from './parts.js';
import { rendezvousHandlers } from './rendezvous-handlers.js';
import { reportHandlers } from './report-handlers.js';
import { signalingMetrics } from './signaling-metrics.js';
import { TokenRecheck } from './token-recheck.js';
import { SignalingState } from './signaling-state.js';

/** What signaling needs of its room's context; of the settings only the limits. */
export type SignalingContext = Pick<
  RoomContext,
  'bus' | 'connections' | 'backend' | 'metrics' | 'clock'
> & { readonly settings: () => Pick<GatewaySettings, 'rateLimits'> };

/** The signaling of one replica. `state` is given by tests that look into it. */
export function createSignaling(context: SignalingContext, state = new SignalingState()): Room {
  const { bus, connections, backend, metrics, settings, clock } = context;
  const parts: SignalingParts = {
    state,
    bus,
    connections,
    backend,
    clock,
    metrics: signalingMetrics(metrics, () => state.table.size),
    firstContactsPerHour: () => {
      const { firstContactsPerAccountPerHour } = settings().rateLimits;
      // Told to the others, each of them would say on the bus who looks for somebody just now.
      return Math.ceil(firstContactsPerAccountPerHour / bus.replicas);
    },
  };
  const recheck = new TokenRecheck(parts);
  bus.onJoin(() => {
    recheck.joined();
  });
  return {
    handlers: {
      ...rendezvousHandlers(parts),
      ...contactHandlers(parts),
      ...reportHandlers(parts),
    },
    opened: (connection) => {
      state.opened(connection, clock.monotonicMs());
    },
    closed: (connection) => {
      state.closed(connection);
    },
    onBus: (message) => answerOnBus(parts, message),
    tick: async (now) => {
      state.finds.sweep(now);
      state.introductions.sweep(now);
      await recheck.tick();
    },
  };
}
