import type { AnswerBody } from '../../messages/requests.js';
import type { Channel } from '../../protocol/channels/channels.js';
import type { ReliableChannel } from '../../protocol/channels/frame.js';
import type { CallMode } from '../../protocol/channels/plaintext-size.js';
import type { BindingRefusal } from '../../protocol/identity/device-binding.js';
import type { RevocationSet } from '../../protocol/identity/revocation-set.js';
import type { CryptoContext } from '../../protocol/key-store.js';
import type { RandomBytes } from '../../protocol/session/path-proofs.js';
import type { Clock } from '../../runtime/clock.js';
import type { ConversationEnd } from '../conversation-options.js';
import type { PathKind } from '../datagram-path.js';
import type { Identity } from '../identity/identity.js';
import type { Candidates } from './candidates-body.js';
import type { PathPolicy } from './contact-book.js';
import type { ContactSession } from './contact.session.js';
import type { KnownDevice } from './rendezvous-table.js';
import type { AskGateway } from './session-leases.js';

/** Why a peer's binding is refused inside a handshake. */
export type PeerRefusal = BindingRefusal | 'binding-other-device';

/** What all sessions of one endpoint have in common. */
export interface SessionHost {
  readonly context: CryptoContext;
  readonly identity: Identity;
  readonly revocations: RevocationSet;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly ask: AskGateway;
  readonly gateway: () => string;
  /** Local address of UDP sockets; undefined: any, of the relay's family. */
  readonly bind: string | undefined;
  readonly region: string | undefined;
}

/** What one session is made of. */
export interface SessionParts {
  readonly host: SessionHost;
  readonly peer: KnownDevice;
  readonly role: 'initiator' | 'responder';
  /** Of the offer; copied, and the caller's to erase. */
  readonly sessionSeed: Uint8Array;
  readonly token: Uint8Array;
  readonly callMode: CallMode;
  readonly pathPolicy: PathPolicy;
  readonly relay: AnswerBody<'relay.find'>;
  /** Monotonic: when the offer was made or came; its token lives for 60 s from then. */
  readonly nowMs: number;
  /** Seals what is new for the peer; gives false if it is not connected. */
  readonly tell: (news: Omit<Candidates, 'sessionId'>, sessionId: Uint8Array) => Promise<boolean>;
  readonly events: SessionEvents;
}

/** What a session tells. After `ended` nothing comes. */
export interface SessionEvents {
  established(session: ContactSession): void;
  message(session: ContactSession, channel: Exclude<Channel, 'control'>, bytes: Uint8Array): void;
  acknowledged(session: ContactSession, channel: ReliableChannel, id: number): void;
  writable(session: ContactSession, channel: ReliableChannel): void;
  path(session: ContactSession, kind: PathKind): void;
  encryptionFailure(session: ContactSession, total: number): void;
  ended(session: ContactSession, end: ConversationEnd): void;
}
