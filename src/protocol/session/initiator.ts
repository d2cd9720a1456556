import { equalBytes } from '../bytes.js';
import { Attempt } from './attempt.js';
import { Backoff } from './backoff.js';
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

const FIRST_REPEAT_MS = 250;
const MAX_REPEAT_MS = 4_000;

/**
 * Sends message 1 until message 2 comes, then message 3 until the peer's first transport datagram shows that it came.
 * Transport datagrams may follow message 3 at once.
 *   -> e
 *   <- e, ee, s, es   with the responder's binding
 *   -> s, se          with ours
 */
export class Initiator<Path, PeerRefusal extends string> implements HandshakeSide<
  Path,
  PeerRefusal
> {
  readonly #options: SessionHandshakeOptions<PeerRefusal>;
  readonly #attempt: Attempt<PeerRefusal>;
  #toSend: HandshakeToSend<Path>;
  #backoff: Backoff;
  #answered: { readonly message: Uint8Array; readonly senderIndex: number } | undefined;
  #session: Session<Path> | undefined;

  constructor(options: SessionHandshakeOptions<PeerRefusal>) {
    this.#options = options;
    const attempt = Attempt.begin(options);
    // Message 1 uses no key of the peer, so no message of a peer can have spoilt it.
    if (typeof attempt === 'string') throw new Error('message 1 was refused');
    this.#attempt = attempt;
    this.#toSend = { datagram: this.#datagram(1, 0, attempt.written), path: undefined };
    this.#backoff = new Backoff(options.nowMs, FIRST_REPEAT_MS, MAX_REPEAT_MS);
  }

  get session(): Session<Path> | undefined {
    return this.#session;
  }

  get wakeMs(): number {
    return this.#session?.heardFromPeer === true ? Infinity : this.#backoff.dueMs;
  }

  receive(
    datagram: HandshakeDatagram,
    path: Path,
    nowMs: number,
  ): HandshakeRefusal | PeerRefusal | undefined {
    if (datagram.kind !== DatagramKind.message2) return 'wrong-turn';
    if (datagram.receiverIndex !== this.#options.localIndex) return 'wrong-receiver';
    if (this.#answered !== undefined) return this.#repeat(datagram, nowMs);
    const refusal = this.#attempt.read(datagram.message);
    if (refusal !== undefined) return refusal;
    const message3 = this.#attempt.write(this.#options.binding);
    // `se` multiplies the ephemeral key that `ee` accepted, so a peer cannot reach this.
    if (typeof message3 === 'string') return message3;
    const remoteIndex = datagram.senderIndex;
    this.#answered = { message: datagram.message.slice(), senderIndex: remoteIndex };
    this.#toSend = { datagram: this.#datagram(3, remoteIndex, message3), path };
    this.#backoff = new Backoff(nowMs, FIRST_REPEAT_MS, MAX_REPEAT_MS);
    this.#session = sessionOf(this.#options, this.#attempt.noise, { remoteIndex, path, nowMs });
    this.#attempt.destroy();
    return undefined;
  }

  datagramToSend(nowMs: number): HandshakeToSend<Path> | undefined {
    if (this.#session?.heardFromPeer === true || this.#session?.end !== undefined) return undefined;
    return this.#backoff.take(nowMs) ? this.#toSend : undefined;
  }

  /** The same message 2 again means that message 3 was lost: it goes out again, unchanged and to the same place. */
  #repeat(datagram: HandshakeDatagram, nowMs: number): HandshakeRefusal | undefined {
    const same =
      this.#answered !== undefined &&
      this.#answered.senderIndex === datagram.senderIndex &&
      equalBytes(this.#answered.message, datagram.message);
    if (!same) return 'token-used';
    this.#backoff = new Backoff(nowMs, FIRST_REPEAT_MS, MAX_REPEAT_MS);
    return undefined;
  }

  #datagram(kind: 1 | 3, receiverIndex: number, message: Uint8Array): Uint8Array {
    const { parties, localIndex } = this.#options;
    return encodeHandshakeDatagram({
      kind,
      receiverIndex,
      token: parties.token,
      senderIndex: localIndex,
      message,
    });
  }
}
