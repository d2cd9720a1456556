import type { StreamRefusal } from '../protocol/relay/stream.js';
import type { ExpectedLeaf, LeafRefusal } from './pin.js';
import type { RelayPathEvent } from './relay-path.js';

/** Where a relay takes TLS, and what its leaf shows. */
export interface TlsRelay extends ExpectedLeaf {
  readonly host: string;
  readonly port: number;
}

/** Where a relay is. Without `udp` only TLS is used, without `tls` only UDP. */
export interface RelayAddresses {
  readonly udp?: { readonly address: string; readonly port: number };
  readonly tls?: TlsRelay;
}

/** Why a TLS connection ended. A closed list: each is a metric label. */
export type TlsEnd = LeafRefusal | StreamRefusal | 'connection-lost' | 'no-answer';

/**
 * News of the way to a relay. After `left` nothing more comes of it: the peer is at a newer relay, and the lease can be
 * given back. After `unreachable` the endpoint goes on trying by itself, over UDP and over TLS, for as
 * long as it lives (relay-ways.ts).
 */
export type RelayNews =
  | RelayPathEvent
  | { readonly type: 'unreachable'; readonly why: TlsEnd | 'udp' }
  | { readonly type: 'left' };
