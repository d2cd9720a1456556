/*
 * The path of a FORWARD: find its session, compare its source with the address that proved itself, take tokens, hand it
 * to the other slot as it came. The payload is not looked at and not a byte of the frame is changed; there is no window,
 * because a relay that counted sequences could be made to drop good packets by forged ones. Nothing here allocates.
 */
import { frameRefusal, frameType, RelayType } from '../../protocol/relay/header.js';
import { ADDRESS_WORDS, sameAddress } from './address.js';
import { asDrop, DROP } from './drop-reason.js';
import {
  FLOAT,
  SESSION_FLOATS,
  SESSION_WORDS,
  type SessionTable,
} from '../sessions/session-table.js';

/** Tokens that a bucket holds, in ms of its rate: what a sender may save up and send at once. */
const BURST_MS = 100;
/** A burst of ten full datagrams always fits. */
const LEAST_BURST_BYTES = 16_384;
const LEAST_BURST_PACKETS = 64;
/** Words of the id before those of the slots. */
const ID_WORDS = 4;

/** The frame is none to be forwarded: `route` leaves it to who called. */
export const NOT_FORWARD = -1;
/** `route` answers `DROPPED - reason`, the position in DROP_REASONS. */
export const DROPPED = -2;

/** Decides for each frame where it goes. */
export class Forwarding {
  /** Monotonic ms of the batch at hand. */
  now = 0;
  /** Whether datagrams wait although the relay does nothing else: then soft limits hold. */
  busy = false;
  /** Packets per second of one session, both directions together. */
  packetsPerSecond = 0;

  constructor(private readonly table: SessionTable) {}

  /**
   * Where the frame goes: the word of the session table at which the address of the other slot begins, NOT_FORWARD, or
   * `DROPPED - reason`.
   */
  route(bytes: Uint8Array, at: number, length: number, from: Uint32Array): number {
    const type = frameType(bytes, at, length);
    if (type !== RelayType.forward)
      return type < 0 ? DROPPED - DROP[asDrop(frameRefusal(type))] : NOT_FORWARD;
    const session = this.table.find(
      word(bytes, at + 4),
      word(bytes, at + 8),
      word(bytes, at + 12),
      word(bytes, at + 16),
    );
    if (session < 0) return DROPPED - DROP['no-session'];
    const client = session * SESSION_WORDS + ID_WORDS;
    const server = client + ADDRESS_WORDS;
    const fromClient = sameAddress(this.table.words, client, from, 0);
    if (!fromClient && !sameAddress(this.table.words, server, from, 0))
      return DROPPED - DROP['wrong-address'];
    const refused = this.#take(session * SESSION_FLOATS, length);
    if (refused >= 0) return DROPPED - refused;
    return fromClient ? server : client;
  }

  /** Takes tokens for one packet; -1, or why it must not pass. */
  #take(at: number, length: number): number {
    const floats = this.table.floats;
    if (!(this.now < read(floats, at + FLOAT.validUntil))) return DROP['no-peer'];
    if (read(floats, at + FLOAT.filledAt) < this.now) this.#fill(at);
    if (read(floats, at + FLOAT.packetTokens) < 1) return DROP['packet-limit'];
    if (read(floats, at + FLOAT.hardTokens) < length) return DROP['hard-limit'];
    const soft = read(floats, at + FLOAT.softTokens);
    if (soft >= length) floats[at + FLOAT.softTokens] = soft - length;
    else if (this.busy) return DROP['soft-limit'];
    floats[at + FLOAT.packetTokens] = read(floats, at + FLOAT.packetTokens) - 1;
    floats[at + FLOAT.hardTokens] = read(floats, at + FLOAT.hardTokens) - length;
    floats[at + FLOAT.lastForwarded] = this.now;
    return -1;
  }

  #fill(at: number): void {
    const floats = this.table.floats;
    const elapsed = this.now - read(floats, at + FLOAT.filledAt);
    const packets = this.packetsPerSecond / 1_000;
    floats[at + FLOAT.filledAt] = this.now;
    floats[at + FLOAT.packetTokens] = Math.min(
      Math.max(packets * BURST_MS, LEAST_BURST_PACKETS),
      read(floats, at + FLOAT.packetTokens) + elapsed * packets,
    );
    this.#fillBytes(at + FLOAT.hardTokens, elapsed, read(floats, at + FLOAT.hardRate));
    this.#fillBytes(at + FLOAT.softTokens, elapsed, read(floats, at + FLOAT.softRate));
  }

  #fillBytes(tokens: number, elapsed: number, rate: number): void {
    const floats = this.table.floats;
    const burst = Math.max(rate * BURST_MS, LEAST_BURST_BYTES);
    floats[tokens] = Math.min(burst, read(floats, tokens) + elapsed * rate);
  }
}

/** Places are computed from the layout: they are never outside. */
const read = (floats: Float64Array, at: number): number => floats[at] ?? 0;

/** Four bytes, big-endian, as a signed number: V8 keeps it in a register. */
const word = (bytes: Uint8Array, at: number): number =>
  ((bytes[at] ?? 0) << 24) |
  ((bytes[at + 1] ?? 0) << 16) |
  ((bytes[at + 2] ?? 0) << 8) |
  (bytes[at + 3] ?? 0);
