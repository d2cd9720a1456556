/*
 * What the main thread and the packet worker say to each other. The worker reads no file, no variable and no setting of
 * its own: everything that it knows comes in these messages, and everything that it tells leaves in them or in the
 * statistics block. After each message the sender calls `wake` (wake.eventfd.ts): the worker may be blocked in poll.
 */
import type { LogLevel } from '../../runtime/log.js';
import type { RelaySettings } from '../settings.js';

/** How datagrams are read and written: batches through koffi, or one by one through node:dgram. */
export type SocketKind = 'koffi' | 'dgram';

/** What the worker is started with (`workerData`); none of it changes while it runs. */
export interface PacketWorkerStart {
  /** `NAMESPACE/POOL/ORDINAL`: a lease must name it. */
  readonly relayId: string;
  /** IP addresses to listen on; empty means all, IPv6 and IPv4. */
  readonly addresses: readonly string[];
  /** UDP port. 0 lets the kernel choose, for tests: `ready` says which. */
  readonly port: number;
  /** `auto` takes koffi where it loads and works, else node:dgram. */
  readonly socket: SocketKind | 'auto';
  /** Buffer of `newStatistics`. */
  readonly statistics: SharedArrayBuffer;
  /** Buffer of `newControl`. */
  readonly control: SharedArrayBuffer;
}

/** Int32 index in the control block: messages that the worker has not looked at. */
export const CONTROL_PENDING = 0;
/** Int32 index in the control block: 1 while the worker is blocked and has to be woken. */
export const CONTROL_SLEEPING = 1;

/** A new control block. */
export const newControl = (): Int32Array<SharedArrayBuffer> =>
  new Int32Array(new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT));

/** One public lease key, from the mounted directory of gateways. */
export interface RelayLeaseKey {
  readonly kid: string;
  /** Ed25519, 32 bytes. */
  readonly publicKey: Uint8Array;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** `NAMESPACE/NAME` of the gateway that signs with it. */
  readonly gateway: string;
}

/** Everything that may change live. Each message holds all of it and replaces the one before. */
export interface PacketConfiguration {
  readonly capacity: RelaySettings['capacity'];
  readonly rateLimits: RelaySettings['rateLimits'];
  readonly stun: RelaySettings['stun'];
  readonly peerAddresses: RelaySettings['peerAddresses'];
  readonly leaseKeys: readonly RelayLeaseKey[];
}

/** From the main thread to the worker, which answers nobody before the first `configure`. `Port` is a MessagePort. */
export type ToPacketWorker<Port> =
  | { readonly kind: 'configure'; readonly configuration: PacketConfiguration }
  /** Ends leases of this gateway only; the `jti` are refused until their expiry, the kids until they leave the directory. */
  | {
      readonly kind: 'revoke';
      readonly gateway: string;
      readonly jti: readonly string[];
      readonly kids: readonly string[];
    }
  /** MOVE to every holder, no new leases; forwarding goes on. Unix milliseconds. */
  | { readonly kind: 'drain'; readonly deadline: number }
  /** A thread that ends TLS (fallback-port.ts). One at a time; a later one takes the place of the one before. */
  | { readonly kind: 'fallback'; readonly port: Port; readonly queued: SharedArrayBuffer }
  | { readonly kind: 'stop' };

/** From the worker to the main thread. */
export type FromPacketWorker =
  | {
      readonly kind: 'ready';
      readonly socket: SocketKind;
      /** Why it is not koffi, if it could have been. */
      readonly fallbackReason?: string;
      /** Bound ports, in the order of `addresses`. */
      readonly ports: readonly number[];
      /** eventfd to be written to when CONTROL_SLEEPING is 1; absent when the worker has an event loop. */
      readonly wakeFd?: number;
    }
  /** It could not listen; the worker ends. */
  | { readonly kind: 'failed'; readonly problem: string }
  /** At most one per message text and 10 s; never an address, a session or a lease. */
  | {
      readonly kind: 'log';
      readonly level: LogLevel;
      readonly message: string;
      readonly fields: Readonly<Record<string, string | number>>;
    }
  /** While draining: the last session is gone. */
  | { readonly kind: 'drained' };
