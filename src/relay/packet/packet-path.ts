/*
 * Everything that happens to a datagram between socket and socket. Frames and STUN share a port and are told apart by
 * their first bytes. Each datagram is counted once; a burst of segments is forwarded as one where it goes to one place,
 * and each of its segments is looked at, because they may be of different sessions and types.
 */
import { frameType, RelayType } from '../../protocol/relay/header.js';
import { decodeRelayFrame } from '../../protocol/relay/frames.js';
import { AddressLimiter } from '../sessions/address-limiter.js';
import { FIRST_TCP_LINK, LINK_WORD } from './address.js';
import type { Admission, Admitted } from './admission.js';
import type { DeniedAddresses } from './denied.js';
import { asDrop, DROP, type DropReason } from './drop-reason.js';
import { FALLBACK_KIND } from './fallback-port.js';
import { DROPPED, NOT_FORWARD, type Forwarding } from './forwarding.js';
import type { PacketConfiguration } from './packet-messages.js';
import type { Address, Sessions } from '../sessions/sessions.js';
import { increase, dropIndex, handshakeIndex, segmentsIndex, STATISTIC } from './statistics.js';
import { bindingAnswer, isStun, readBindingRequest } from './stun.js';
import { newBurst, type Burst, type Receiver, type UdpSocket } from '../socket/udp-socket.js';

/** 1,024 sets of 4 sources: 115 kB. */
const STUN_LIMITER_SETS = 1_024;

/** A datagram that goes no further. */
const ENDED = -1;

/** Where frames for TCP connections go. */
export interface FallbackOutput {
  readonly isFull: boolean;
  add(kind: number, connection: number, body: Uint8Array): void;
}

/** What the path works with. */
export interface PacketPathParts {
  readonly sessions: Sessions;
  readonly forwarding: Forwarding;
  readonly admission: Admission;
  readonly statistics: Float64Array;
  /** Random, for the table of the limiter. */
  readonly seed: number;
}

/** Its live settings. */
export interface PacketPathSettings {
  readonly denied: DeniedAddresses;
  readonly stun: PacketConfiguration['stun'];
  readonly rateLimits: PacketConfiguration['rateLimits'];
}

/** Takes bursts from sockets and frames from TCP connections, and sends what follows from them. */
export class PacketPath implements Receiver {
  /** Sockets by link. */
  readonly sockets: UdpSocket[] = [];
  fallback: FallbackOutput | undefined;
  #settings: PacketPathSettings | undefined;
  readonly #stunLimiter: AddressLimiter;
  readonly #out = newBurst();
  readonly #frame = newBurst();
  readonly #answer = newBurst();

  constructor(private readonly parts: PacketPathParts) {
    this.#stunLimiter = new AddressLimiter(STUN_LIMITER_SETS, parts.seed);
  }

  /** Replaces its settings. Before the first time every datagram is dropped. */
  configure(settings: PacketPathSettings): void {
    this.#settings = settings;
  }

  /** Takes a burst that came from the address in `from`. */
  receive(burst: Burst, from: Uint32Array): void {
    const { bytes, at, length } = burst;
    const segment = burst.segment > 0 ? Math.min(burst.segment, length) : length;
    const end = at + length;
    const out = this.#out;
    out.bytes = bytes;
    out.segment = segment;
    // Where the segments go that were looked at and not sent yet; they begin at `out.at`.
    let target = ENDED;
    let next = at;
    this.#countReceived(length === 0 ? 1 : Math.ceil(length / segment), length);
    do {
      const size = Math.min(segment, end - next);
      const to = this.#one(bytes, next, size, from);
      if (to !== target) {
        if (target >= 0) this.#forward(next, target);
        target = to;
        out.at = next;
      }
      next += size;
    } while (next < end);
    if (target >= 0) this.#forward(end, target);
  }

  /** Takes one frame from a TCP connection. */
  receiveFrame(frame: Uint8Array, from: Uint32Array): void {
    const burst = this.#frame;
    burst.bytes = frame;
    burst.length = frame.length;
    burst.segment = frame.length;
    this.receive(burst, from);
  }

  /** Sends bytes of our own to the address at `at`. */
  answer(bytes: Uint8Array, words: Uint32Array, at: number): void {
    const burst = this.#answer;
    burst.bytes = bytes;
    burst.length = bytes.length;
    burst.segment = bytes.length;
    this.#send(burst, words, at);
  }

  /** Sends all that sockets have queued. */
  flush(): void {
    for (const socket of this.sockets) socket.flush();
  }

  /** Where one datagram goes, or ENDED if it goes no further. */
  #one(bytes: Uint8Array, at: number, length: number, from: Uint32Array): number {
    const settings = this.#settings;
    if (!settings) return this.#drop(DROP['not-configured']);
    const to = this.parts.forwarding.route(bytes, at, length, from);
    if (to >= 0) return to;
    if (to !== NOT_FORWARD && !isStun(bytes, at, length)) return this.#drop(DROPPED - to);
    if (settings.denied.has(from)) return this.#drop(DROP['address-denied']);
    const datagram = bytes.subarray(at, at + length);
    if (to === NOT_FORWARD) this.#control(datagram, from);
    else this.#stun(datagram, from, settings);
    return ENDED;
  }

  #control(frame: Uint8Array, words: Uint32Array): void {
    const from: Address = { words, at: 0, now: this.parts.forwarding.now };
    const { admission, statistics } = this.parts;
    const admitted = this.#admit(frame, from, admission);
    if ('drop' in admitted) {
      this.#drop(DROP[admitted.drop]);
      return;
    }
    if (admitted.outcome) increase(statistics, handshakeIndex(admitted.outcome));
    if (!admitted.answer) return;
    increase(statistics, STATISTIC.answers);
    this.answer(admitted.answer, words, 0);
  }

  #admit(frame: Uint8Array, from: Address, admission: Admission): Admitted {
    switch (frameType(frame, 0, frame.length)) {
      case RelayType.hello:
        return admission.hello(frame, from);
      case RelayType.prove:
        return admission.prove(frame, from);
      case RelayType.bye:
        return admission.bye(frame, from);
      default:
        return { drop: unanswered(frame) };
    }
  }

  #stun(datagram: Uint8Array, from: Uint32Array, settings: PacketPathSettings): void {
    const { stun, rateLimits } = settings;
    const limit = rateLimits.stunRequestsPerAddressPerSecond;
    if (!this.#stunLimiter.take(from, 0, limit, this.parts.forwarding.now)) {
      this.#drop(DROP['stun-limit']);
      return;
    }
    const request = readBindingRequest(datagram);
    if (!request) {
      this.#drop(DROP['stun-malformed']);
      return;
    }
    const answer = bindingAnswer(request, from);
    if (answer.length > datagram.length && !stun.allowPlain) {
      this.#drop(DROP['stun-unpadded']);
      return;
    }
    increase(this.parts.statistics, STATISTIC.answers);
    this.answer(answer, from, 0);
  }

  #forward(end: number, to: number): void {
    const { sessions, statistics } = this.parts;
    const out = this.#out;
    out.length = end - out.at;
    increase(statistics, STATISTIC.forwarded_packets, Math.ceil(out.length / out.segment));
    increase(statistics, STATISTIC.forwarded_bytes, out.length);
    this.#send(out, sessions.table.words, to);
  }

  #send(burst: Burst, words: Uint32Array, to: number): void {
    const link = words[to + LINK_WORD] ?? 0;
    const { statistics } = this.parts;
    increase(statistics, STATISTIC.packets_out, Math.ceil(burst.length / burst.segment));
    increase(statistics, STATISTIC.bytes_out, burst.length);
    if (link >= FIRST_TCP_LINK) this.#sendFrames(burst, link - FIRST_TCP_LINK);
    else this.sockets[link]?.send(burst, words, to);
  }

  #sendFrames({ bytes, at, length, segment }: Burst, connection: number): void {
    for (let next = at; next < at + length; next += segment) {
      if (!this.fallback || this.fallback.isFull) this.#drop(DROP['fallback-queue']);
      else {
        const size = Math.min(segment, at + length - next);
        const frame = bytes.subarray(next, next + size);
        this.fallback.add(FALLBACK_KIND.frame, connection, frame);
      }
    }
  }

  #drop(reason: number): typeof ENDED {
    increase(this.parts.statistics, dropIndex(reason));
    return ENDED;
  }

  #countReceived(count: number, length: number): void {
    const { statistics } = this.parts;
    increase(statistics, STATISTIC.packets_in, count);
    increase(statistics, STATISTIC.bytes_in, length);
    increase(statistics, segmentsIndex(count));
  }
}

/** Frames that a relay takes from nobody: version 1 without proof, which is decoded and counted, and relays' own. */
function unanswered(frame: Uint8Array): DropReason {
  const decoded = decodeRelayFrame(frame);
  if (typeof decoded === 'string') return asDrop(decoded);
  if (decoded.type === 'lease-present') return 'v1-present';
  return decoded.type === 'lease-renew' ? 'v1-renew' : 'wrong-direction';
}
