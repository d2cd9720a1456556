import { equalBytes } from '../bytes.js';
import { Attempt } from './attempt.js';
import { DatagramKind } from './datagram.js';
import { encodeHandshakeDatagram, type HandshakeDatagram } from './handshake-datagram.js';
import {
  sessionOf,
  type HandshakeRefusal,
  type HandshakeSide,
  type HandshakeToSend,
  type SessionHandshakeOptions,
} from './handshake-options.js';
import type { Session } from './session.js';

/**
 * Message 1 proves nothing, and the token is visible to whoever sees the path: so one message 1 must not shut out
 * another. The one that message 3 completes counts.
 */
const MAX_HALF_OPEN = 4;

/** Bounds the curve operations that a token can cost: three per attempt. */
const MAX_ATTEMPTS = 64;

interface HalfOpen<PeerRefusal extends string> {
  readonly message1: Uint8Array;
  readonly senderIndex: number;
  readonly attempt: Attempt<PeerRefusal>;
  readonly datagram: Uint8Array;
}

/**
 * Answers each message 1 with one message 2, the same one again if it is repeated, and has no timer: the initiator
 * repeats, so that an answer is never more than was asked.
 *   -> e
 *   <- e, ee, s, es   with our binding
 *   -> s, se          with the initiator's
 */
export class Responder<Path, PeerRefusal extends string> implements HandshakeSide<
  Path,
  PeerRefusal
> {
  readonly #options: SessionHandshakeOptions<PeerRefusal>;
  #halfOpen: HalfOpen<PeerRefusal>[] = [];
  #attempts = 0;
  #outbox: HandshakeToSend<Path>[] = [];
  #finishedBy: Uint8Array | undefined;
  #session: Session<Path> | undefined;

  constructor(options: SessionHandshakeOptions<PeerRefusal>) {
    this.#options = options;
  }

  get session(): Session<Path> | undefined {
    return this.#session;
  }

  get wakeMs(): number {
    return this.#outbox.length > 0 ? 0 : Infinity;
  }

  receive(
    datagram: HandshakeDatagram,
    path: Path,
    nowMs: number,
  ): HandshakeRefusal | PeerRefusal | undefined {
    if (datagram.kind === DatagramKind.message1) return this.#receive1(datagram, path);
    if (datagram.kind !== DatagramKind.message3) return 'wrong-turn';
    if (datagram.receiverIndex !== this.#options.localIndex) return 'wrong-receiver';
    if (this.#finishedBy !== undefined)
      return equalBytes(this.#finishedBy, datagram.message) ? undefined : 'token-used';
    return this.#receive3(datagram, path, nowMs);
  }

  datagramToSend(): HandshakeToSend<Path> | undefined {
    return this.#outbox.shift();
  }

  #receive1({ message, senderIndex }: HandshakeDatagram, path: Path): HandshakeRefusal | undefined {
    if (this.#session !== undefined) return 'token-used';
    const known = this.#halfOpen.find(
      (open) => open.senderIndex === senderIndex && equalBytes(open.message1, message),
    );
    const open = known ?? this.#newHalfOpen(message, senderIndex);
    if (typeof open === 'string') return open;
    if (this.#outbox.length < MAX_HALF_OPEN) this.#outbox.push({ datagram: open.datagram, path });
    return undefined;
  }

  #newHalfOpen(
    message1: Uint8Array,
    senderIndex: number,
  ): HalfOpen<PeerRefusal> | HandshakeRefusal {
    if (this.#attempts >= MAX_ATTEMPTS) return 'too-many-attempts';
    this.#attempts++;
    const attempt = Attempt.begin(this.#options, message1);
    if (typeof attempt === 'string') return attempt;
    if (this.#halfOpen.length >= MAX_HALF_OPEN) this.#halfOpen.shift()?.attempt.destroy();
    const datagram = encodeHandshakeDatagram({
      kind: DatagramKind.message2,
      receiverIndex: senderIndex,
      token: this.#options.parties.token,
      senderIndex: this.#options.localIndex,
      message: attempt.written,
    });
    const open = { message1: message1.slice(), senderIndex, attempt, datagram };
    this.#halfOpen.push(open);
    return open;
  }

  #receive3(
    datagram: HandshakeDatagram,
    path: Path,
    nowMs: number,
  ): HandshakeRefusal | PeerRefusal | undefined {
    const { message, senderIndex: remoteIndex } = datagram;
    let refusal: HandshakeRefusal | PeerRefusal = 'wrong-turn';
    for (const { attempt, senderIndex } of this.#halfOpen) {
      if (senderIndex !== remoteIndex) continue;
      const read = attempt.read(message);
      if (read === undefined) {
        this.#session = sessionOf(this.#options, attempt.noise, { remoteIndex, path, nowMs });
        this.#finish(message);
        return undefined;
      }
      refusal = read;
    }
    return refusal;
  }

  #finish(message3: Uint8Array): void {
    this.#finishedBy = message3.slice();
    for (const { attempt } of this.#halfOpen) attempt.destroy();
    this.#halfOpen = [];
    this.#outbox = [];
  }
}
