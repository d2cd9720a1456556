/*
 * What the main thread and the thread that ends TLS say to each other, and what that thread counts. Frames do not pass
 * here: they go straight between that thread and the packet worker (fallback-port.ts).
 */
import type { LogLevel } from '../../runtime/log.js';
import type { FallbackAttachment } from '../packet/fallback.link.js';

/** What the thread is started with (`workerData`). */
export interface FallbackStart {
  readonly attachment: FallbackAttachment;
  /** IP addresses to listen on; empty means all, IPv6 and IPv4. */
  readonly addresses: readonly string[];
  /** TCP port; 0 lets the kernel choose, for tests. */
  readonly port: number;
  /** Buffer of `newFallbackStatistics`. */
  readonly statistics: SharedArrayBuffer;
  /** One Int32: the number of the newest connection. It outlives the thread, so that no number comes again. */
  readonly connections: SharedArrayBuffer;
}

/** From the main thread. The thread listens after the first `leaf`. */
export type ToFallback =
  /** PEM: serves new connections from now on; those that stand go on. */
  | { readonly kind: 'leaf'; readonly certificate: string; readonly key: string }
  | {
      readonly kind: 'limits';
      /** New connections of one address per minute. */
      readonly perAddressPerMinute: number;
      /** Connections at one time. */
      readonly connections: number;
    }
  | { readonly kind: 'stop' };

/** To the main thread. */
export type FromFallback =
  | { readonly kind: 'ready'; readonly ports: readonly number[] }
  | { readonly kind: 'failed'; readonly problem: string }
  | { readonly kind: 'log'; readonly level: LogLevel; readonly message: string };

/** How a connection ended, or why it never began: a closed list and a metric label. */
export const FALLBACK_ENDS = [
  'closed', // by the other side, after a lease was proven
  'address-limit', // too many of one address
  'full', // too many in all
  'handshake', // TLS did not come about in time or at all
  'unproven', // no lease was proven in time, or it was closed before
  'frame-too-short', // what came is no frame
  'frame-too-long',
  'idle', // nothing came for longer than a session may be silent
  'error', // the network
] as const;
/** One of FALLBACK_ENDS. */
export type FallbackEnd = (typeof FALLBACK_ENDS)[number];

/** Single values. */
export const FALLBACK_VALUES = [
  'connections', // now
  'connections_proven', // now
  'accepted', // TCP connections
  'frames_in',
  'frames_out',
  'bytes_in',
  'bytes_out',
  'dropped', // frames for a reader that is too slow
  'pauses', // times that reading stopped because the packet worker was behind
] as const;
/** One of FALLBACK_VALUES. */
export type FallbackValue = (typeof FALLBACK_VALUES)[number];

/** A copy of what the thread counted. */
export interface FallbackReading {
  readonly values: Readonly<Record<FallbackValue, number>>;
  readonly ends: Readonly<Record<FallbackEnd, number>>;
}

/** A block of zeros, which the thread alone writes. */
export const newFallbackStatistics = (): Float64Array<SharedArrayBuffer> =>
  new Float64Array(
    new SharedArrayBuffer(
      (FALLBACK_VALUES.length + FALLBACK_ENDS.length) * Float64Array.BYTES_PER_ELEMENT,
    ),
  );

/** Counts in the block. */
export class FallbackCounters {
  constructor(private readonly block: Float64Array) {}

  /** Adds to one value; gauges take negative numbers too. */
  add(name: FallbackValue, by = 1): void {
    this.#increase(FALLBACK_VALUES.indexOf(name), by);
  }

  /** Counts the end of a connection. */
  end(how: FallbackEnd): void {
    this.#increase(FALLBACK_VALUES.length + FALLBACK_ENDS.indexOf(how), 1);
  }

  /** Sets what is true now to nothing: the thread has just begun. */
  reset(): void {
    this.block[FALLBACK_VALUES.indexOf('connections')] = 0;
    this.block[FALLBACK_VALUES.indexOf('connections_proven')] = 0;
  }

  #increase(index: number, by: number): void {
    this.block[index] = (this.block[index] ?? 0) + by;
  }
}

/** A copy of the block, by name. */
export function readFallbackStatistics(block: Float64Array): FallbackReading {
  const named = <Name extends string>(names: readonly Name[], from: number) =>
    Object.fromEntries(names.map((name, at) => [name, block[from + at] ?? 0])) as Record<
      Name,
      number
    >; // fromEntries forgets which keys the list has.
  return {
    values: named(FALLBACK_VALUES, 0),
    ends: named(FALLBACK_ENDS, FALLBACK_VALUES.length),
  };
}
