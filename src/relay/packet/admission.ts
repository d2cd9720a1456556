/*
 * HELLO, PROVE and BYE (wire formats, B). Order of checks of a PROVE: length, cookie, limit per address, PASETO,
 * signature, seq. Everything wrong up to and including the cookie is dropped silently; nothing is remembered of a source
 * before all of it holds. Every answer is shorter than its question.
 */
import { CLOCK_SKEW_SECONDS, judgeLease } from '../../protocol/lease/judge.js';
import { toBase64url } from '../../protocol/lease/base64url.js';
import {
  decodeHello,
  decodeProve,
  encodeCookie,
  encodeProved,
  encodeRefused,
  type Prove,
} from '../../protocol/relay/admission.js';
import { decodeBye } from '../../protocol/relay/departure.js';
import type { RefusedReason } from '../../protocol/relay/reasons.js';
import { byeSigningInput, proveSigningInput } from '../../protocol/relay/signing.js';
import { AddressLimiter } from '../sessions/address-limiter.js';
import { sameAddress, seenOf, sourceOf } from './address.js';
import type { Cookies } from './cookie.js';
import { asDrop, type DropReason } from './drop-reason.js';
import { SLOT, type Holder, type Lease } from '../sessions/holder.js';
import { claimBytes, verifyEd25519, type LeaseReader, type ReadLease } from './lease-reader.js';
import type { PacketConfiguration } from './packet-messages.js';
import type { Revocations } from '../sessions/revocations.js';
import { seat, type ProvenLease, type Seating } from '../sessions/seating.js';
import { slotAt } from '../sessions/session-table.js';
import type { Address, Sessions } from '../sessions/sessions.js';
import { increase, STATISTIC, type HandshakeOutcome } from './statistics.js';
import { TokenBucket } from '../sessions/token-bucket.js';

/** The only profile of v1alpha1. */
const PROFILE = 'Standard';
/** 4,096 sets of 4 sources: 460 kB for each of the two limiters. */
const LIMITER_SETS = 4_096;
/** One BYE of a slot is verified per second. */
const BYE_EVERY_MS = 1_000;

/** What became of a frame: dropped in silence, taken without an answer, or answered. */
export type Admitted =
  | { readonly drop: DropReason }
  | { readonly answer: Uint8Array | undefined; readonly outcome?: HandshakeOutcome };

/** What admission works with. */
export interface AdmissionParts {
  readonly relayId: string;
  readonly cookies: Cookies;
  readonly leases: LeaseReader;
  readonly revocations: Revocations;
  readonly sessions: Sessions;
  readonly statistics: Float64Array;
  /** Unix milliseconds now. */
  readonly unixMs: () => number;
  /** Random, for the tables of the limiters. */
  readonly seed: number;
}

type Limits = Pick<PacketConfiguration, 'capacity' | 'rateLimits'> & { readonly gateways: number };

/**
 * A HELLO costs one HMAC and anybody can send it from any address, a proof costs a signature: with as many of the one as
 * of the other, whoever sends from false addresses would keep every newcomer out.
 */
const HELLOS_PER_HANDSHAKE = 50;

/** A PROVE whose lease and signature hold. */
interface Proven {
  readonly prove: Prove;
  readonly lease: Lease;
  readonly from: Address;
}

const drop = (reason: DropReason): Admitted => ({ drop: reason });

/** Admits holders of leases to the slots of sessions. */
export class Admission {
  /** While true no new lease is taken; who holds a slot may still prove again. */
  draining = false;
  readonly #perAddress: AddressLimiter;
  readonly #refusalsPerAddress: AddressLimiter;
  readonly #hellos = new TokenBucket();
  readonly #proofs = new TokenBucket();

  #limits: Limits | undefined;

  constructor(private readonly parts: AdmissionParts) {
    this.#perAddress = new AddressLimiter(LIMITER_SETS, parts.seed);
    this.#refusalsPerAddress = new AddressLimiter(LIMITER_SETS, ~parts.seed);
  }

  /** Replaces limits. */
  configure(limits: Limits): void {
    this.#limits = limits;
  }

  /** @throws Error before the first `configure`: the path drops everything until then. */
  private get limits(): Limits {
    if (!this.#limits) throw new Error('admission has no limits yet');
    return this.#limits;
  }

  /** HELLO: a cookie for who receives at this address. */
  hello(frame: Uint8Array, from: Address): Admitted {
    const hello = decodeHello(frame);
    if (typeof hello === 'string') return drop(asDrop(hello));
    const { handshakesPerAddressPerSecond, handshakesPerSecond } = this.limits.rateLimits;
    const { words, at, now } = from;
    const perSecond = HELLOS_PER_HANDSHAKE * handshakesPerSecond;
    if (!this.#perAddress.take(words, at, handshakesPerAddressPerSecond, now))
      return drop('address-limit');
    // Who holds a slot renews even while strangers use up what there is for everybody.
    const spared = this.#heldSlot(hello.session, from) !== undefined;
    if (!spared && !this.#hellos.take(perSecond, perSecond, now)) return drop('global-limit');
    const cookie = this.parts.cookies.make(words, at, hello, now);
    const { session, nonce } = hello;
    return { answer: encodeCookie({ session }, { nonce, cookie, seen: seenOf(words, at) }) };
  }

  /** PROVE: a slot for who holds the lease's key. */
  prove(frame: Uint8Array, from: Address): Admitted {
    const prove = decodeProve(frame);
    if (typeof prove === 'string') return drop(asDrop(prove));
    if (!this.parts.cookies.isValid(from.words, from.at, prove, from.now)) return drop('cookie');
    const limited = this.#limited(prove, from);
    if (limited) return limited === 'refuse' ? refuse(prove, 'rate-limited') : drop(limited);
    const lease = this.#verified(prove);
    return typeof lease === 'string' ? refuse(prove, lease) : this.#seat({ prove, lease, from });
  }

  /** BYE: the holder gives its lease up. Never answered. */
  bye(frame: Uint8Array, from: Address): Admitted {
    const bye = decodeBye(frame);
    if (typeof bye === 'string') return drop(asDrop(bye));
    const slot = this.#heldSlot(bye.session, from);
    if (!slot) return drop('bye');
    const { holder, session, role } = slot;
    if (bye.seq <= holder.seq) return drop('sequence');
    if (from.now - holder.byeCheckedAtMs < BYE_EVERY_MS) return drop('bye');
    holder.byeCheckedAtMs = from.now;
    const { cpk, jtiBytes } = holder.lease;
    const signed = byeSigningInput({
      header: bye.header,
      relayId: this.parts.relayId,
      jti: jtiBytes,
      seq: bye.seq,
    });
    if (!verifyEd25519(cpk, signed, bye.signature)) return drop('bye');
    this.parts.revocations.refuse(holder.lease, 'banned');
    this.parts.sessions.leave(session, role, from.now);
    increase(this.parts.statistics, STATISTIC.byes_taken);
    return { answer: undefined };
  }

  /** Undefined if the proof may be looked at; else whether to say so: once per second and source, not more. */
  #limited(prove: Prove, from: Address): 'refuse' | DropReason | undefined {
    const { handshakesPerAddressPerSecond, handshakesPerSecond } = this.limits.rateLimits;
    const { words, at, now } = from;
    const mine = this.#perAddress.take(words, at, handshakesPerAddressPerSecond, now);
    // A flood of proofs from proven addresses must not keep a holder from renewing in time.
    const spared = this.#heldSlot(prove.session, from) !== undefined;
    if (mine && (spared || this.#proofs.take(handshakesPerSecond, handshakesPerSecond, now)))
      return undefined;
    if (this.#refusalsPerAddress.take(words, at, 1, now)) return 'refuse';
    return mine ? 'global-limit' : 'address-limit';
  }

  /** The lease if it is genuine, holds now and here, and who sent the frame has its key. */
  #verified(prove: Prove): Lease | RefusedReason {
    const { leases, relayId, statistics } = this.parts;
    const { lease: read, tokenHash, remembered } = leases.read(prove.token);
    increase(statistics, remembered ? STATISTIC.paseto_cached : STATISTIC.paseto_checked);
    if (typeof read === 'string') return read;
    const verdict = judgeLease(read.claims, {
      nowMs: this.parts.unixMs(),
      skewSeconds: CLOCK_SKEW_SECONDS,
      relayId,
      profile: PROFILE,
      sid: toBase64url(prove.session),
      role: prove.role,
      key: read.key,
    });
    if (verdict) return verdict;
    const lease = leaseOf(read);
    const { header, nonce, cookie, seq, role } = prove;
    const signed = proveSigningInput({ header, nonce, cookie, seq, role, relayId, tokenHash });
    if (!verifyEd25519(lease.cpk, signed, prove.signature)) return 'invalid-proof';
    return this.parts.revocations.reasonFor(lease) ?? lease;
  }

  #seat(proven: Proven): Admitted {
    const { prove, lease, from } = proven;
    const { sessions } = this.parts;
    const session = this.#find(prove.session);
    const record = session < 0 ? undefined : sessions.recordOf(session);
    const role = SLOT[prove.role];
    const proof: ProvenLease = {
      lease,
      role,
      seq: prove.seq,
      draining: this.draining,
      fromSlot:
        session >= 0 &&
        sameAddress(sessions.table.words, slotAt(session, role), from.words, from.at),
    };
    return this.#carryOut(seat(proof, record), proven, session);
  }

  #carryOut(seating: Seating, proven: Proven, found: number): Admitted {
    const { prove, lease } = proven;
    if (typeof seating === 'object')
      return 'dropped' in seating ? drop(seating.dropped) : refuse(prove, seating.refused);
    if (seating === 'repeated') return proved(proven, seating, this.limits);
    const session = this.#place(seating, proven, found);
    if (typeof session === 'string') return refuse(prove, session);
    const role = SLOT[prove.role];
    const before = this.parts.sessions.recordOf(session).holders[role];
    if (before && before.lease.jti !== lease.jti)
      this.parts.revocations.refuse(before.lease, 'superseded');
    this.parts.sessions.take(session, role, this.#holder(proven), proven.from);
    return proved(proven, seating, this.limits);
  }

  /** The session to sit in: the one that was found, or a new one if there is room for it. */
  #place(seating: Seating, { prove, lease, from }: Proven, found: number): number | RefusedReason {
    const { sessions } = this.parts;
    const { maxSessions } = this.limits.capacity;
    const newcomer = { source: sourceOf(from.words, from.at), gateway: lease.gateway };
    if (seating !== 'opened') return found;
    if (sessions.accounts.isSourceFull(newcomer, maxSessions)) return 'rate-limited';
    if (found >= 0) return found;
    if (sessions.accounts.isHalfOpenFull(newcomer, maxSessions)) return 'rate-limited';
    if (sessions.accounts.isGatewayFull(newcomer, maxSessions, this.limits.gateways))
      return 'at-capacity';
    if (sessions.table.size >= maxSessions && !sessions.evictHalfOpen(from.now))
      return 'at-capacity';
    return sessions.open(idWords(prove.session), lease.gateway);
  }

  #holder({ prove, lease, from }: Proven): Holder {
    return {
      lease,
      endsAtMs: from.now + lease.expiresMs - this.parts.unixMs(),
      seq: prove.seq,
      nonce: prove.nonce.slice(),
      source: sourceOf(from.words, from.at),
      byeCheckedAtMs: Number.NEGATIVE_INFINITY,
    };
  }

  #find(session: Uint8Array): number {
    const id = idWords(session);
    return this.parts.sessions.table.find(id[0] ?? 0, id[1] ?? 0, id[2] ?? 0, id[3] ?? 0);
  }

  /** The slot of this session that is held from this very address. */
  #heldSlot(id: Uint8Array, { words, at }: Address) {
    const session = this.#find(id);
    if (session < 0) return undefined;
    const { table } = this.parts.sessions;
    for (const role of [0, 1] as const) {
      const holder = this.parts.sessions.recordOf(session).holders[role];
      if (holder && sameAddress(table.words, slotAt(session, role), words, at))
        return { session, role, holder };
    }
    return undefined;
  }
}

function leaseOf({ claims, kid, key }: ReadLease): Lease {
  return {
    jti: claims.jti,
    jtiBytes: claimBytes(claims.jti),
    cpk: claimBytes(claims.cpk),
    kid,
    gateway: key.gateway,
    iatMs: claims.iat * 1_000,
    expiresMs: claims.exp * 1_000,
    softKbps: claims.slimit,
    hardKbps: claims.hlimit,
  };
}

function idWords(session: Uint8Array): Int32Array {
  const view = new DataView(session.buffer, session.byteOffset, session.length);
  return Int32Array.of(view.getInt32(0), view.getInt32(4), view.getInt32(8), view.getInt32(12));
}

function refuse({ session, nonce }: Prove, reason: RefusedReason): Admitted {
  return { answer: encodeRefused({ session }, { nonce, reason }), outcome: reason };
}

function proved({ prove, lease }: Proven, outcome: HandshakeOutcome, limits: Limits): Admitted {
  const { session, nonce } = prove;
  const { softKbpsPerSession, hardKbpsPerSession } = limits.capacity;
  const hardKbps = Math.min(lease.hardKbps, hardKbpsPerSession);
  const softKbps = Math.min(lease.softKbps, softKbpsPerSession, hardKbps);
  const expiresMs = BigInt(lease.expiresMs);
  return { answer: encodeProved({ session }, { nonce, expiresMs, softKbps, hardKbps }), outcome };
}
