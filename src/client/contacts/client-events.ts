import type { LoginRefusal, Welcome } from '../../messages/signaling.js';
import type { Channel } from '../../protocol/channels/channels.js';
import type { ReliableChannel } from '../../protocol/channels/frame.js';
import type { ConversationEnd } from '../conversation-options.js';
import type { PathKind } from '../datagram-path.js';
import type { PinUpdateRefusal } from '../gateway/pin-update.js';
import type { LinkEnd } from '../gateway/gateway.link.js';
import type { Delivery } from './chats.js';
import type { Learned } from './contact-book.js';
import type { ContactSession } from './contact.session.js';

/** What a client tells, by name, with its arguments. */
export interface ClientEvents {
  /** Logged in at `gateway` (HOST:PORT). */
  connected: [gateway: string, welcome: Welcome];
  /** The connection, or a try to get one, ended; another follows. Sessions go on. */
  away: [gateway: string, why: LinkEnd | LoginRefusal];
  /** No further try is made: the person has to do something. */
  stopped: [why: LinkEnd | LoginRefusal];
  /** An update of pins came. */
  pins: [gateway: string, outcome: 'taken' | PinUpdateRefusal];
  /** What the roles of this account allow has changed. */
  permissions: [roles: readonly string[]];
  /** Somebody asks to become a contact. */
  'contact-asks': [fingerprint: string];
  'contact-accepted': [fingerprint: string];
  /** A contact has a device that was not known, or other keys; if it was verified, the mark is gone. */
  'key-changed': [fingerprint: string, what: Exclude<Learned, 'known' | 'first-device'>];
  session: [fingerprint: string, session: ContactSession];
  'session-ended': [fingerprint: string, end: ConversationEnd];
  path: [fingerprint: string, kind: PathKind];
  /** Somebody changes or invents what the contact sends (threats, T2): the `total`th time in this session. */
  'encryption-failure': [fingerprint: string, total: number];
  text: [fingerprint: string, text: string, id: string];
  delivery: [delivery: Delivery];
  /** A message on a channel other than chat. */
  message: [fingerprint: string, channel: Exclude<Channel, 'control' | 'chat'>, bytes: Uint8Array];
  /** A contact's device shows a grant for calls, which nobody has judged; `token` is the listener's. */
  'call-grant': [session: ContactSession, token: Uint8Array];
  /** The peer's application has message `id` of the channel and all before it; on chat, texts and grants count alike. */
  acknowledged: [fingerprint: string, channel: ReliableChannel, id: number];
  writable: [fingerprint: string, channel: ReliableChannel];
  /** An envelope or a message was not taken; the reason is from a closed list. */
  refused: [reason: string];
}

/** Tells the owner of a client. */
export type Emit = <Name extends keyof ClientEvents>(
  name: Name,
  ...args: ClientEvents[Name]
) => void;
