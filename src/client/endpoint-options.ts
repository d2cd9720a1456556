import type { RandomBytes } from '../protocol/session/path-proofs.js';
import type { Clock } from '../runtime/clock.js';
import type { ConversationEvents, ConversationOptions } from './conversation-options.js';
import type { LeaseFields } from './lease-proof.js';
import type { RelayAddresses, RelayNews } from './relay-news.js';

/** What an endpoint tells besides its conversation. */
export interface EndpointEvents extends ConversationEvents {
  /**
   * News of the way to the relay `relayId`. `refused` wants a new lease, for the same relay (`renew`) or for another one,
   * `move` one for another relay (`addRelay`).
   */
  relay(news: RelayNews, relayId: string): void;
}

/** What an endpoint is made of. */
export interface EndpointOptions<PeerRefusal extends string> extends Omit<
  ConversationOptions<PeerRefusal>,
  'events'
> {
  readonly events: EndpointEvents;
  readonly clock: Clock;
  readonly random: RandomBytes;
  /** The local address of the UDP socket: `0.0.0.0`, `::` or one of this machine. */
  readonly bind: string;
  readonly relay?: { readonly addresses: RelayAddresses; readonly lease: LeaseFields };
  /** `RelayOnly` shows no address to the peer and takes no datagram but the relay's. */
  readonly pathPolicy: 'RelayOnly' | 'DirectAllowed';
}
