import { X25519_BYTES } from '../crypto-backend.js';
import { HandshakeState } from '../noise/handshake-state.js';
import type { NoiseRefusal } from '../noise/noise-error.js';
import { SUITE } from '../noise/suites.js';
import type { SessionHandshakeOptions } from './handshake-options.js';
import { MAX_NOISE_MESSAGE_BYTES } from './handshake-datagram.js';
import { sessionPrologue } from './offer.js';

/**
 * One Noise handshake that can go back to where it waits for the peer: HandshakeState takes back a message whose tag is
 * wrong, but a message that verifies and then names a stranger has changed it. Played again from the same ephemeral
 * key, which makes the same bytes, it stands where it stood.
 */
export class Attempt<PeerRefusal extends string> {
  readonly #options: SessionHandshakeOptions<PeerRefusal>;
  readonly #ephemeral: Uint8Array;
  /** Empty for the initiator. */
  readonly #message1: Uint8Array;
  #noise: HandshakeState;
  #written: Uint8Array;

  private constructor(
    options: SessionHandshakeOptions<PeerRefusal>,
    ephemeral: Uint8Array,
    message1: Uint8Array,
  ) {
    this.#options = options;
    this.#ephemeral = ephemeral;
    this.#message1 = message1;
    this.#noise = newNoise(options, ephemeral);
    this.#written = message1;
  }

  /** An initiator that has written message 1, or a responder that has read `message1` and written message 2. */
  static begin<PeerRefusal extends string>(
    options: SessionHandshakeOptions<PeerRefusal>,
    message1: Uint8Array = new Uint8Array(0),
  ): Attempt<PeerRefusal> | NoiseRefusal {
    const ephemeral = options.keys.take(X25519_BYTES);
    options.random(ephemeral);
    const attempt = new Attempt(options, ephemeral, message1.slice());
    const refusal = attempt.#play();
    if (refusal === undefined) return attempt;
    attempt.destroy();
    return refusal;
  }

  /** Our Noise message that waits for its answer. */
  get written(): Uint8Array {
    return this.#written;
  }

  /** The handshake, for `split` after the last message. */
  get noise(): HandshakeState {
    return this.#noise;
  }

  /** Reads the peer's message and judges its binding. On a refusal the handshake is as it was. */
  read(message: Uint8Array): NoiseRefusal | PeerRefusal | undefined {
    const payload = new Uint8Array(MAX_NOISE_MESSAGE_BYTES);
    const length = this.#noise.readMessage(message, payload);
    if (typeof length === 'string') return length;
    const remoteStatic = this.#noise.remoteStatic;
    const verdict = this.#options.judgePeer(
      payload.subarray(0, length),
      remoteStatic ?? new Uint8Array(0),
    );
    if (verdict === 'ok') return undefined;
    this.#restart();
    return verdict;
  }

  /** Writes the next message, carrying our binding. */
  write(payload: Uint8Array): Uint8Array | NoiseRefusal {
    const out = new Uint8Array(this.#noise.overheadBytes + payload.length);
    const written = this.#noise.writeMessage(payload, out);
    return typeof written === 'string' ? written : out;
  }

  /** Erases every secret of this attempt. */
  destroy(): void {
    this.#noise.destroy();
    const { keys } = this.#options;
    if (keys.isLive(this.#ephemeral)) keys.erase(this.#ephemeral);
  }

  #restart(): void {
    this.#noise.destroy();
    this.#noise = newNoise(this.#options, this.#ephemeral);
    this.#play();
  }

  /**
   * -> e
   * <- e, ee, s, es   by the responder only
   */
  #play(): NoiseRefusal | undefined {
    const isResponder = this.#options.role === 'responder';
    if (isResponder) {
      // No payload is allowed here: nothing would seal it.
      const read = this.#noise.readMessage(this.#message1, new Uint8Array(0));
      if (typeof read === 'string') return read;
    }
    const written = this.write(isResponder ? this.#options.binding : new Uint8Array(0));
    if (typeof written === 'string') return written;
    this.#written = written;
    return undefined;
  }
}

function newNoise(options: SessionHandshakeOptions<string>, ephemeral: Uint8Array): HandshakeState {
  return new HandshakeState({
    backend: options.backend,
    keys: options.keys,
    pattern: 'XX',
    suite: SUITE,
    initiator: options.role === 'initiator',
    prologue: sessionPrologue(options.parties),
    s: options.staticKey,
    random: (out) => {
      out.set(ephemeral);
    },
  });
}
