import type { Channel } from '../protocol/channels/channels.js';
import type { PlaintextRefusal, ReliableChannel } from '../protocol/channels/frame.js';
import type { CallMode } from '../protocol/channels/plaintext-size.js';
import type { ControlRefusal } from '../protocol/session/control-message.js';
import type {
  HandshakeRefusal,
  SessionHandshakeOptions,
} from '../protocol/session/handshake-options.js';
import type { OpenRefusal, SessionEnd } from '../protocol/session/session.js';
import type { PathKind } from './datagram-path.js';

/**
 * Why a conversation is over. `no-answer`: no handshake within 60 s. `stranger`: nor was there, and somebody showed a
 * binding that is not the expected one (threats, T2). `peer-silent`: nothing of the peer opened for 65 s.
 */
export type ConversationEnd = SessionEnd | 'no-answer' | 'stranger' | 'peer-silent';

/** Why a datagram was not taken. A closed list (with the refusals of the peer's binding): each is a metric label. */
export type ConversationRefusal =
  HandshakeRefusal | OpenRefusal | PlaintextRefusal | ControlRefusal | 'no-session' | 'over';

/** What a conversation tells its owner. They may be called from `receive`, `pump` and `close`. */
export interface ConversationEvents {
  /** The peer is the expected one, and messages may go. */
  established(): void;
  /** A message came; `bytes` belong to who is told. */
  message(channel: Exclude<Channel, 'control'>, bytes: Uint8Array): void;
  /** The peer's endpoint has message `id` of `channel`, and all before it. */
  acknowledged(channel: ReliableChannel, id: number): void;
  /** `channel` was full and takes messages again. */
  writable(channel: ReliableChannel): void;
  /** Datagrams go this way from now on. */
  path(kind: PathKind): void;
  /** A tag, a shared secret or a binding was wrong, for the `total`th time; the conversation goes on (threats, T2). */
  encryptionFailure(total: number): void;
  /** It is over and every key of it is erased; for 300 ms more `pump` repeats the close. */
  ended(end: ConversationEnd): void;
}

/** What a conversation is made of. It owns `handshake.keys` from now on. */
export interface ConversationOptions<PeerRefusal extends string> {
  readonly handshake: SessionHandshakeOptions<PeerRefusal>;
  readonly callMode: CallMode;
  readonly events: ConversationEvents;
}
