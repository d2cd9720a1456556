/*
 * The statistics block: 64-bit floats in a SharedArrayBuffer that the packet worker alone writes and the main thread
 * reads at each scrape, without a message and without stopping a packet. Aligned 8-byte stores are whole on every
 * machine that we run on; two values may be a packet apart. No value names a user, a session or an address.
 */
import { REFUSED_CODES, type RefusedReason } from '../../protocol/relay/reasons.js';
import { DROP_REASONS } from './drop-reason.js';

/** What became of a PROVE with a valid cookie. Those after `repeated` were answered with REFUSED and that reason. */
export const HANDSHAKE_OUTCOMES = [
  'opened', // a slot was taken for the first time
  'renewed', // a newer lease in the same slot
  'rebound', // the same lease from a new address
  'repeated', // the same proof once more: answered again
  ...(Object.keys(REFUSED_CODES) as RefusedReason[]), // Its own keys and no others: the object is a literal.
] as const;
/** Label of a handshake's end. */
export type HandshakeOutcome = (typeof HANDSHAKE_OUTCOMES)[number];

/** Upper bounds of the histograms of batch sizes: datagrams per system call, segments per GRO datagram. */
export const BATCH_BOUNDS = [1, 2, 4, 8, 16, 32, 64, 128] as const;

/** Single values, in the order of the block. */
export const STATISTICS = [
  'packets_in',
  'bytes_in',
  'packets_out',
  'bytes_out',
  'forwarded_packets',
  'forwarded_bytes',
  'answers', // COOKIE, PROVED, REFUSED, STUN
  'moves_sent',
  'byes_taken',
  'sessions', // now
  'sessions_half_open', // now
  'sessions_idle_ended',
  'leases_expired',
  'sessions_half_open_ended',
  'leases_revoked',
  'sessions_evicted', // half-open ones that gave way to a newcomer
  'refused_leases', // jti remembered after BYE or revocation, now
  'refused_leases_evicted', // forgotten before their expiry because the table was full
  'paseto_checked',
  'paseto_cached',
  'kernel_drops', // datagrams that found the socket's receive buffer full; -1 where the kernel does not tell
  'loop_lag_ms', // the longest pass of the loop since the last read by `takeLoopLag`
  'receive_calls',
  'send_calls',
  'segmentation_failures', // bursts that the kernel would not segment and that went out one by one
  'draining', // 1 while draining
] as const;
/** Name of a single value. */
export type Statistic = (typeof STATISTICS)[number];

const HANDSHAKES_AT = STATISTICS.length;
const DROPS_AT = HANDSHAKES_AT + HANDSHAKE_OUTCOMES.length;
const RECEIVE_BATCHES_AT = DROPS_AT + DROP_REASONS.length;
const SEGMENTS_AT = RECEIVE_BATCHES_AT + BATCH_BOUNDS.length + 1;
const LENGTH = SEGMENTS_AT + BATCH_BOUNDS.length + 1;

/** Index of each single value. */
export const STATISTIC = Object.fromEntries(
  STATISTICS.map((name, index) => [name, index]),
) as Readonly<Record<Statistic, number>>; // fromEntries forgets which keys the list has.

/** Index of the counter of a drop reason, by its position in `DROP_REASONS`. */
export const dropIndex = (reason: number): number => DROPS_AT + reason;

/** Index of the counter of a handshake's outcome. */
export const handshakeIndex = (outcome: HandshakeOutcome): number =>
  HANDSHAKES_AT + HANDSHAKE_OUTCOMES.indexOf(outcome);

/** Index of the histogram bucket of `size` datagrams in one receive call. */
export const receiveBatchIndex = (size: number): number => RECEIVE_BATCHES_AT + bucketOf(size);

/** Index of the histogram bucket of `size` segments in one GRO datagram. */
export const segmentsIndex = (size: number): number => SEGMENTS_AT + bucketOf(size);

function bucketOf(size: number): number {
  if (size <= 2) return size <= 1 ? 0 : 1;
  return Math.min(32 - Math.clz32(size - 1), BATCH_BOUNDS.length);
}

/** A new block of zeros. */
export function newStatistics(): Float64Array<SharedArrayBuffer> {
  return new Float64Array(new SharedArrayBuffer(LENGTH * Float64Array.BYTES_PER_ELEMENT));
}

/** Adds to one counter of the block. */
export function increase(block: Float64Array, index: number, by = 1): void {
  block[index] = (block[index] ?? 0) + by;
}

/** What the block held at one moment, by name. */
export interface StatisticsReading {
  readonly values: Readonly<Record<Statistic, number>>;
  readonly handshakes: Readonly<Record<HandshakeOutcome, number>>;
  readonly drops: Readonly<Record<(typeof DROP_REASONS)[number], number>>;
  /** Counts per bucket of `BATCH_BOUNDS`, the last above all bounds. */
  readonly receiveBatches: readonly number[];
  readonly segments: readonly number[];
}

/** A copy of the whole block, by name, for metrics and tests. */
export function readStatistics(block: Float64Array): StatisticsReading {
  const buckets = BATCH_BOUNDS.length + 1;
  return {
    values: named(STATISTICS, block.subarray(0)),
    handshakes: named(HANDSHAKE_OUTCOMES, block.subarray(HANDSHAKES_AT)),
    drops: named(DROP_REASONS, block.subarray(DROPS_AT)),
    receiveBatches: [...block.subarray(RECEIVE_BATCHES_AT, RECEIVE_BATCHES_AT + buckets)],
    segments: [...block.subarray(SEGMENTS_AT, SEGMENTS_AT + buckets)],
  };
}

function named<Name extends string>(
  names: readonly Name[],
  values: Float64Array,
): Readonly<Record<Name, number>> {
  return Object.fromEntries(names.map((name, index) => [name, values[index]])) as Record<
    Name,
    number
  >; // fromEntries forgets which keys the list has.
}
