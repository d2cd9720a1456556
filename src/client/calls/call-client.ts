import type { Channel } from '../../protocol/channels/channels.js';
import type { ReliableChannel } from '../../protocol/channels/frame.js';
import type { Welcome } from '../../messages/signaling.js';
import type { AskGateway } from '../contacts/session-leases.js';

/** What calls need of a session with a device of a contact (ContactSession). */
export interface CallSession {
  readonly isEstablished: boolean;
  readonly peer: {
    readonly fingerprint: string;
    readonly device: { readonly keys: { readonly deviceId: Uint8Array } };
  };
  /** Gives the number of the message, -1 on `call`. @throws ChannelFullError; an error if the session is over. */
  send(channel: 'call' | 'chat', bytes: Uint8Array): number;
}

/** What a client tells that concerns calls, by name, with its arguments: some of ClientEvents. */
export interface CallClientEvents<Session extends CallSession> {
  connected: [];
  permissions: [];
  session: [fingerprint: string, session: Session];
  'session-ended': [fingerprint: string];
  'call-grant': [session: Session, token: Uint8Array];
  message: [fingerprint: string, channel: Exclude<Channel, 'control' | 'chat'>, bytes: Uint8Array];
  acknowledged: [fingerprint: string, channel: ReliableChannel, id: number];
}

/** What calls need of a client (Client). */
export interface CallClient<Session extends CallSession> {
  readonly leaseKeys: Welcome['leaseKeys'];
  readonly request: AskGateway;
  /** Who calls it names an event of CallClientEvents with a listener for its arguments. */
  on(name: keyof CallClientEvents<Session>, listener: (...args: never[]) => void): unknown;
  off(name: keyof CallClientEvents<Session>, listener: (...args: never[]) => void): unknown;
  /** The session with a contact, opened if there is none. */
  session(fingerprint: string): Promise<Session>;
}
