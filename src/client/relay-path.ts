/*
 * The endpoint's side of admission to a relay (wire formats, B), over UDP or TLS alike.
 *
 *   round:    HELLO until COOKIE, then PROVE until PROVED or REFUSED; each at 0, 250, 750, 1,250 ms
 *   failed:   no end within 1.75 s, or a second COOKIE with another address for the same nonce: somebody between has sent
 *             the question on from elsewhere. Then one more round, with a higher `seq`; after two such rounds: unreachable
 *   check:    every 15 s a HELLO, and at once when the peer does not answer (liveness.ts). It keeps the way through a NAT
 *             open; a COOKIE with another address than the one that was proven means a rebind, and the lease is proven
 *             again from there. It is proven again from the same address when no datagram of the peer came this way for
 *             30 s: a relay forgets sessions that are idle, and all of them when it restarts
 *
 * Nothing here authenticates the relay: who forges its answers can keep the way closed, as who drops packets can, and
 * gains nothing else.
 */
import { equalBytes } from '../protocol/bytes.js';
import {
  NONCE_BYTES,
  type Cookie,
  type Proved,
  type Refused,
} from '../protocol/relay/admission.js';
import type { SeenAddress } from '../protocol/relay/address.js';
import type { Move } from '../protocol/relay/departure.js';
import { decodeRelayFrame } from '../protocol/relay/frames.js';
import {
  frameType,
  RELAY_HEADER_BYTES,
  RelayType,
  type RelayFrameRefusal,
} from '../protocol/relay/header.js';
import type { RefusedReason } from '../protocol/relay/reasons.js';
import { Backoff } from '../protocol/session/backoff.js';
import type { RandomBytes } from '../protocol/session/path-proofs.js';
import type { LeaseProof } from './lease-proof.js';

const FIRST_REPEAT_MS = 250;
const MAX_REPEAT_MS = 500;
/** A move may take 5 s (architecture, 5): 1 s until the way is in doubt, two rounds, and the proof on another way. */
export const ROUND_MS = 1_750;
const ROUNDS = 2;
/** The shortest time after which common NATs forget a UDP mapping is 30 s (RFC 4787, REQ-5, asks for 120). */
export const CHECK_EVERY_MS = 15_000;
/** Longer than two peers on this way are silent; a proof costs the relay one signature. */
export const DOUBT_AFTER_MS = 30_000;
/** A drain is a hint that anybody on the way can forge: it is passed on at most this often. */
export const MOVE_AT_MOST_EVERY_MS = 30_000;
/** A relay that is asked too often says so once a second. */
const RATE_LIMITED_WAIT_MS = 1_000;
const RATE_LIMITED_ROUNDS = 5;

/** How the way stands. `proven` also while the lease is proven once more; `unreachable`: try 5349. */
export type RelayPathStatus = 'proving' | 'proven' | 'refused' | 'unreachable';

/** What a frame of the relay led to. */
export type RelayPathEvent =
  | { readonly type: 'proven'; readonly expiresMs: number; readonly seen: SeenAddress }
  | { readonly type: 'refused'; readonly reason: RefusedReason }
  /** The relay drains: ask the gateway for a lease at another one, at most once in 30 s. Not authenticated: a hint. */
  | { readonly type: 'move'; readonly deadlineMs: number };

/** Why a frame was not taken. A closed list: each is a metric label. */
export type RelayPathRefusal =
  RelayFrameRefusal | 'other-session' | 'other-nonce' | 'not-asked' | 'not-for-endpoints';

/** One question to the relay and what came back. */
interface Round {
  readonly nonce: Uint8Array;
  readonly untilMs: number;
  backoff: Backoff;
  frame: Uint8Array;
  seen: SeenAddress | undefined;
  isProof: boolean;
  done: boolean;
}

/** One way to one relay for one lease. Times are of one monotonic clock. */
export class RelayPath {
  readonly #random: RandomBytes;
  #lease: LeaseProof;
  #status: RelayPathStatus = 'proving';
  #round: Round;
  #failedRounds = 0;
  #rateLimited = 0;
  #provenFrom: SeenAddress | undefined;
  #provenNonce: Uint8Array | undefined;
  #checkAtMs = Infinity;
  /** When the relay last showed that it holds the slot: PROVED, or a datagram of the peer. */
  #heldMs = -Infinity;
  #moveToldMs = -Infinity;

  constructor(lease: LeaseProof, random: RandomBytes, nowMs: number) {
    this.#lease = lease;
    this.#random = random;
    this.#round = this.#newRound(nowMs);
  }

  get status(): RelayPathStatus {
    return this.#status;
  }

  /** Whether a round has failed and the one after it is under way: time to prepare another way. */
  get isDoubtful(): boolean {
    const isAsking = this.#status === 'proving' || this.#status === 'proven';
    return isAsking && this.#failedRounds > 0 && !this.#round.done;
  }

  /** When `frameToSend` should be called, if nothing arrives before. */
  get wakeMs(): number {
    if (this.#status === 'refused' || this.#status === 'unreachable') return Infinity;
    const { done, backoff, untilMs } = this.#round;
    return done ? this.#checkAtMs : Math.min(backoff.dueMs, untilMs);
  }

  /** Proves a newer lease for the same session; the one before is used until then. `lease` stays its owner's. */
  renew(lease: LeaseProof, nowMs: number): void {
    this.#lease = lease;
    this.reprove(nowMs);
  }

  /** Proves the lease again: the endpoint knows that its address has changed. */
  reprove(nowMs: number): void {
    this.#failedRounds = 0;
    this.#provenFrom = undefined;
    if (this.#status !== 'proven') this.#status = 'proving';
    this.#round = this.#newRound(nowMs);
  }

  /** Looks now whether the relay still sees this address, unless that is being asked. */
  check(nowMs: number): void {
    this.#checkAtMs = Math.min(this.#checkAtMs, nowMs);
  }

  /** The frame that is due; call it until it gives undefined, and then look at `status`. */
  frameToSend(nowMs: number): Uint8Array | undefined {
    if (this.#status === 'refused' || this.#status === 'unreachable') return undefined;
    if (this.#round.done) {
      if (nowMs < this.#checkAtMs) return undefined;
      this.#failedRounds = 0;
      if (nowMs - this.#heldMs >= DOUBT_AFTER_MS) this.#provenFrom = undefined;
      this.#round = this.#newRound(nowMs);
    }
    if (nowMs >= this.#round.untilMs) {
      this.#fail(nowMs);
      return this.frameToSend(nowMs);
    }
    return this.#round.backoff.take(nowMs) ? this.#round.frame : undefined;
  }

  /** The session datagram in `frame`, a view of it; undefined if it is no FORWARD of this session. */
  payloadOf(frame: Uint8Array, nowMs: number): Uint8Array | undefined {
    if (frameType(frame, 0, frame.length) !== RelayType.forward) return undefined;
    const session = frame.subarray(4, RELAY_HEADER_BYTES);
    if (!equalBytes(session, this.#lease.session)) return undefined;
    this.#heldMs = nowMs;
    return frame.subarray(RELAY_HEADER_BYTES);
  }

  /** Takes any other frame of the relay. Never throws on bytes from strangers and keeps no view of them. */
  receive(frame: Uint8Array, nowMs: number): RelayPathEvent | RelayPathRefusal | undefined {
    const decoded = decodeRelayFrame(frame);
    if (typeof decoded === 'string') return decoded;
    if (!equalBytes(decoded.session, this.#lease.session)) return 'other-session';
    switch (decoded.type) {
      case 'cookie':
        return this.#onCookie(decoded, nowMs);
      case 'proved':
        return this.#onProved(decoded, nowMs);
      case 'refused':
        return this.#onRefused(decoded, nowMs);
      case 'move':
        return this.#onMove(decoded, nowMs);
      default:
        return 'not-for-endpoints';
    }
  }

  #onCookie({ nonce, cookie, seen }: Cookie, nowMs: number): RelayPathRefusal | undefined {
    const round = this.#round;
    if (!equalBytes(nonce, round.nonce)) return 'other-nonce';
    if (round.seen !== undefined) {
      if (!isSame(round.seen, seen)) this.#fail(nowMs);
      return undefined;
    }
    round.seen = { ...seen, address: seen.address.slice() };
    if (this.#provenFrom !== undefined && isSame(this.#provenFrom, seen)) {
      this.#finish(nowMs);
      return undefined;
    }
    round.frame = this.#lease.prove(round.nonce, cookie);
    round.isProof = true;
    round.backoff = new Backoff(nowMs, FIRST_REPEAT_MS, MAX_REPEAT_MS);
    return undefined;
  }

  #onProved(
    { nonce, expiresMs }: Proved,
    nowMs: number,
  ): RelayPathEvent | RelayPathRefusal | undefined {
    const round = this.#asked(nonce);
    if (typeof round === 'string') return round;
    if (round.done) return undefined;
    this.#status = 'proven';
    this.#rateLimited = 0;
    this.#provenFrom = round.seen;
    this.#provenNonce = round.nonce;
    this.#heldMs = nowMs;
    this.#finish(nowMs);
    return { type: 'proven', expiresMs: Number(expiresMs), seen: round.seen };
  }

  #onRefused(
    { nonce, reason }: Refused,
    nowMs: number,
  ): RelayPathEvent | RelayPathRefusal | undefined {
    const round = this.#asked(nonce);
    if (typeof round === 'string') return round;
    if (round.done) return undefined;
    if (reason === 'rate-limited' && ++this.#rateLimited < RATE_LIMITED_ROUNDS) {
      this.#round = this.#newRound(nowMs, RATE_LIMITED_WAIT_MS);
      return undefined;
    }
    this.#status = 'refused';
    return { type: 'refused', reason };
  }

  #onMove(
    { nonce, deadlineMs }: Move,
    nowMs: number,
  ): RelayPathEvent | RelayPathRefusal | undefined {
    if (this.#provenNonce === undefined) return 'not-asked';
    if (!equalBytes(nonce, this.#provenNonce)) return 'other-nonce';
    if (nowMs - this.#moveToldMs < MOVE_AT_MOST_EVERY_MS) return undefined;
    this.#moveToldMs = nowMs;
    return { type: 'move', deadlineMs: Number(deadlineMs) };
  }

  /** The round whose proof is answered. */
  #asked(nonce: Uint8Array): (Round & { readonly seen: SeenAddress }) | RelayPathRefusal {
    const round = this.#round;
    if (!equalBytes(nonce, round.nonce)) return 'other-nonce';
    // A proof is made when the COOKIE comes, which brings `seen`.
    return round.isProof ? (round as Round & { readonly seen: SeenAddress }) : 'not-asked';
  }

  #finish(nowMs: number): void {
    this.#round.done = true;
    this.#checkAtMs = nowMs + CHECK_EVERY_MS;
  }

  #fail(nowMs: number): void {
    this.#failedRounds++;
    this.#provenFrom = undefined;
    if (this.#failedRounds >= ROUNDS) this.#status = 'unreachable';
    else this.#round = this.#newRound(nowMs);
  }

  #newRound(nowMs: number, afterMs = 0): Round {
    const nonce = new Uint8Array(NONCE_BYTES);
    this.#random(nonce);
    const beginMs = nowMs + afterMs;
    return {
      nonce,
      untilMs: beginMs + ROUND_MS,
      backoff: new Backoff(beginMs, FIRST_REPEAT_MS, MAX_REPEAT_MS),
      frame: this.#lease.hello(nonce),
      seen: undefined,
      isProof: false,
      done: false,
    };
  }
}

const isSame = (a: SeenAddress, b: SeenAddress): boolean =>
  a.port === b.port && a.family === b.family && equalBytes(a.address, b.address);
