import type { RelayAddresses } from '../../src/client/relay-news.js';
import type { PacketConfiguration, SocketKind } from '../../src/relay/packet/packet-messages.js';

/** A lease as it is handed to an endpoint process; ids and key in hexadecimal digits. */
export interface HandedLease {
  readonly token: string;
  readonly relayId: string;
  readonly jti: string;
  readonly proofKey: string;
}

/** The first line that an endpoint process reads. Accounts are those of test/identities.ts, by their seed. */
export interface EndpointStart {
  readonly role: 'initiator' | 'responder';
  readonly self: number;
  readonly peer: number;
  /** Session id and token of the offer, 16 bytes each in hexadecimal digits. */
  readonly session: string;
  readonly token: string;
  readonly lease: HandedLease;
  readonly relay: RelayAddresses;
  readonly backend?: 'sodium' | 'node' | 'noble';
  readonly bind?: string;
  readonly pathPolicy?: 'RelayOnly' | 'DirectAllowed';
  /** Where the command `keys` writes the session's keys, mode 0600. */
  readonly keysFile?: string;
}

/** Each further line. */
export type EndpointCommand =
  | { readonly do: 'text'; readonly text: string }
  | { readonly do: 'file'; readonly bytes: number }
  | { readonly do: 'candidate'; readonly address: string; readonly port: number }
  | { readonly do: 'renew'; readonly lease: HandedLease }
  | { readonly do: 'add-relay'; readonly relay: RelayAddresses; readonly lease: HandedLease }
  /** Sends numbered messages on chat, file and call until `quiet`; both sides of a meeting may. */
  | { readonly do: 'talk' | 'quiet' | 'traffic' }
  | { readonly do: 'rebind' | 'keys' | 'counts' | 'close' };

/** What a side has sent of the numbered messages, and got of its peer's. */
export interface Traffic {
  readonly sent: Readonly<Record<'chat' | 'file' | 'call', number>>;
  /** Distinct ones; of chat and file those that came in their turn. */
  readonly got: Readonly<Record<'chat' | 'file' | 'call', number>>;
}

/** The first line that a relay process reads. Public keys as arrays of numbers. */
export interface RelayStart {
  readonly relayId: string;
  readonly addresses: readonly string[];
  readonly socket: SocketKind | 'auto';
  readonly configuration: Omit<PacketConfiguration, 'leaseKeys'>;
  /** PEM; with it the relay takes TLS as well. */
  readonly leaf?: { readonly certificate: string; readonly key: string };
  readonly leaseKeys: readonly {
    readonly kid: string;
    readonly publicKey: readonly number[];
    readonly notBeforeMs: number;
    readonly notAfterMs: number;
    readonly gateway: string;
  }[];
}

/** Each further line. */
export type RelayCommand =
  | { readonly do: 'statistics' | 'stop' }
  | { readonly do: 'revoke'; readonly gateway: string; readonly jti: readonly string[] };

const MESSAGE_BYTES = 1 << 20;

/** The content of the file of `bytes` bytes, the same in every process, in messages of at most 1 MiB. */
export function fileContent(bytes: number): Uint8Array[] {
  const messages: Uint8Array[] = [];
  let state = 0x9e3779b9;
  for (let left = bytes; left > 0; left -= MESSAGE_BYTES) {
    const message = new Uint8Array(Math.min(left, MESSAGE_BYTES));
    for (let i = 0; i < message.length; i++) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      message[i] = state >>> 24;
    }
    messages.push(message);
  }
  return messages;
}
