/*
 * The handshake of a session over lossy paths: Noise_XX_25519_ChaChaPoly_BLAKE2s in datagrams of 512 bytes. Cheap checks
 * come first: form, age of the token, token; no curve operation happens before them.
 */
import { equalBytes } from '../bytes.js';
import { decodeHandshakeDatagram, MAX_NOISE_MESSAGE_BYTES } from './handshake-datagram.js';
import type {
  HandshakeRefusal,
  HandshakeSide,
  HandshakeToSend,
  SessionHandshakeOptions,
} from './handshake-options.js';
import { Initiator } from './initiator.js';
import { TOKEN_LIFETIME_MS } from './offer.js';
import { Responder } from './responder.js';
import type { Session } from './session.js';

/** What message 2 carries beside its payload: e, the sealed s, and the tag of the payload. */
const MESSAGE_2_OVERHEAD_BYTES = 96;

/** The longest binding that message 2 holds. */
export const MAX_BINDING_BYTES = MAX_NOISE_MESSAGE_BYTES - MESSAGE_2_OVERHEAD_BYTES;

/** How a handshake stands. `gave-up`: its 60 s are over and the peer was not heard; its keys are erased. */
export type HandshakeStatus = 'under-way' | 'established' | 'gave-up' | 'closed';

/** One side of one handshake for one token. It ends in a session, or is given up after 60 s. */
export class SessionHandshake<Path, PeerRefusal extends string> {
  readonly #options: SessionHandshakeOptions<PeerRefusal>;
  readonly #side: HandshakeSide<Path, PeerRefusal>;
  readonly #untilMs: number;
  #ended: 'gave-up' | 'closed' | undefined;

  /** @throws RangeError if the binding exceeds 378 bytes or a field of `parties` has a wrong length; NoiseMisuse for a bad static key. */
  constructor(options: SessionHandshakeOptions<PeerRefusal>) {
    if (options.binding.length > MAX_BINDING_BYTES)
      throw new RangeError(`a binding of ${options.binding.length} bytes exceeds 378`);
    this.#options = options;
    this.#untilMs = options.nowMs + TOKEN_LIFETIME_MS;
    this.#side = options.role === 'initiator' ? new Initiator(options) : new Responder(options);
  }

  /** How the handshake stands. An initiator is established before it knows that message 3 came. */
  get status(): HandshakeStatus {
    return this.#ended ?? (this.#side.session === undefined ? 'under-way' : 'established');
  }

  /** The session, as soon as the peer's binding was accepted; the same one each time. */
  get session(): Session<Path> | undefined {
    return this.#side.session;
  }

  /** When `datagramToSend` should be called, if nothing arrives before. */
  get wakeMs(): number {
    if (this.#ended !== undefined) return Infinity;
    return this.#isHeard() ? this.#side.wakeMs : Math.min(this.#side.wakeMs, this.#untilMs);
  }

  /**
   * Takes a datagram of kind 01 to 03; gives why it was refused, and then the handshake is as it was. Undefined if it
   * was accepted or is a harmless repetition: look at `session`, and call `datagramToSend`. Never throws on bytes from
   * strangers.
   */
  receive(
    bytes: Uint8Array,
    path: Path,
    nowMs: number,
  ): HandshakeRefusal | PeerRefusal | undefined {
    const datagram = decodeHandshakeDatagram(bytes);
    if (typeof datagram === 'string') return datagram;
    if (this.#ended !== undefined || nowMs >= this.#untilMs) return 'token-expired';
    if (!equalBytes(datagram.token, this.#options.parties.token)) return 'wrong-token';
    if (this.#side.session?.end !== undefined) return 'token-used';
    return this.#side.receive(datagram, path, nowMs);
  }

  /** A datagram that is due, and its path; call it until it gives undefined. After 60 s it gives up. */
  datagramToSend(nowMs: number): HandshakeToSend<Path> | undefined {
    if (this.#ended !== undefined) return undefined;
    if (nowMs < this.#untilMs) return this.#side.datagramToSend(nowMs);
    if (!this.#isHeard()) this.#end('gave-up');
    return undefined;
  }

  /** Ends the handshake and erases its keys. A session that came of it stays open: close that itself. */
  close(): void {
    if (this.#ended !== undefined) return;
    if (this.#side.session === undefined) this.#options.keys.eraseAll();
    this.#ended = 'closed';
  }

  /** A responder with a session has heard message 3; an initiator waits for the first transport datagram. */
  #isHeard(): boolean {
    const session = this.#side.session;
    if (session === undefined) return false;
    return this.#options.role === 'responder' || session.heardFromPeer;
  }

  #end(how: 'gave-up'): void {
    if (this.#side.session === undefined) this.#options.keys.eraseAll();
    else this.#side.session.close();
    this.#ended = how;
  }
}
