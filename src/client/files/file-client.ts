import type { Channel } from '../../protocol/channels/channels.js';
import type { ReliableChannel } from '../../protocol/channels/frame.js';
import type { Welcome } from '../../messages/signaling.js';
import type { AskGateway } from '../contacts/session-leases.js';

/** What transfers need of a session with a device of a contact (ContactSession). */
export interface FileSession {
  readonly isEstablished: boolean;
  readonly peer: { readonly device: { readonly keys: { readonly deviceId: Uint8Array } } };
  /** Gives the number of the message. @throws ChannelFullError; an error if the session is over. */
  send(channel: 'file', bytes: Uint8Array): number;
  pause(channel: 'file'): void;
  resume(channel: 'file'): void;
}

/** What a client tells that concerns files, by name, with its arguments: some of ClientEvents. */
export interface FileClientEvents {
  session: [fingerprint: string, session: FileSession];
  'session-ended': [fingerprint: string];
  message: [fingerprint: string, channel: Exclude<Channel, 'control' | 'chat'>, bytes: Uint8Array];
  acknowledged: [fingerprint: string, channel: ReliableChannel, id: number];
  writable: [fingerprint: string, channel: ReliableChannel];
  permissions: [];
}

/** What transfers need of a client (Client). */
export interface FileClient {
  readonly leaseKeys: Welcome['leaseKeys'];
  readonly request: AskGateway;
  /** Who calls it names an event of FileClientEvents with a listener for its arguments. */
  on(name: keyof FileClientEvents, listener: (...args: never[]) => void): unknown;
  off(name: keyof FileClientEvents, listener: (...args: never[]) => void): unknown;
  /** The session with a contact, opened if there is none. */
  session(fingerprint: string): Promise<FileSession>;
}
