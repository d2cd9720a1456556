/*
 * HandshakeState of Noise rev 34, section 5.3, over X25519. A message is read or written on a copy of the state that
 * replaces it only when everything was right: what a stranger sends in between changes nothing.
 *
 * Handshake message (Noise rev 34, section 3), at most 65,535 bytes:
 *   32 bytes        e         for token e: the sender's ephemeral public key
 *   32 or 48 bytes  s         for token s: the sender's static public key, with a tag once there is a key
 *   n bytes         payload   with a tag of 16 bytes once there is a key
 */
import { AEAD_TAG_BYTES, X25519_BYTES } from '../crypto-backend.js';
import type { CryptoContext } from '../key-store.js';
import type { CipherState } from './cipher-state.js';
import { NoiseMisuse, type NoiseRefusal } from './noise-error.js';
import { patternNamed, type HandshakePattern, type PatternName, type Token } from './patterns.js';
import { suiteNamed, type SuiteName } from './suites.js';
import { SymmetricState } from './symmetric-state.js';

/** Noise rev 34, section 3: every Noise message fits this. */
export const MAX_NOISE_MESSAGE_BYTES = 65_535;

/** An X25519 key pair. The handshake reads the private half until it ends; it stays its owner's to erase. */
export interface KeyPair {
  readonly privateKey: Uint8Array;
  readonly publicKey: Uint8Array;
}

/** What a handshake begins with. */
export interface HandshakeOptions extends CryptoContext {
  readonly pattern: PatternName;
  readonly suite: SuiteName;
  readonly initiator: boolean;
  /** What both sides must agree on beforehand; it is hashed and never sent. */
  readonly prologue: Uint8Array;
  readonly s: KeyPair;
  /** The responder's static public key: given by the initiator of X, by nobody else. */
  readonly rs?: Uint8Array;
  /** Fills its argument with unpredictable bytes: the ephemeral private key, made when a message is written. */
  readonly random: (out: Uint8Array) => void;
}

/** The keys of both directions after the handshake, each its owner's to destroy. */
export interface TransportCiphers {
  /** Spent from the start for the responder of a one-way pattern. */
  readonly send: CipherState;
  /** Spent from the start for the initiator of a one-way pattern. */
  readonly receive: CipherState;
}

/** What a message changes; kept only when all of it was right. */
interface Draft {
  readonly symmetric: SymmetricState;
  readonly e: Uint8Array;
  re: Uint8Array | undefined;
  rs: Uint8Array | undefined;
}

/** One side of one handshake. Calls in the wrong order throw NoiseMisuse; messages that are wrong are refused. */
export class HandshakeState {
  readonly #options: HandshakeOptions;
  readonly #pattern: HandshakePattern;
  #draft: Draft;
  #messages = 0;

  /** Initialize. @throws NoiseMisuse for an unknown suite or pattern, a key of a wrong length or of zeros, or an `rs` that the pattern does not know beforehand. */
  constructor(options: HandshakeOptions) {
    const suite = suiteNamed(options.suite);
    this.#pattern = patternNamed(options.pattern);
    requireKeys(options, this.#pattern);
    this.#options = options;
    const name = `Noise_${options.pattern}_25519_${options.suite}`;
    const symmetric = new SymmetricState(options, suite, name);
    this.#draft = {
      symmetric,
      e: options.keys.take(X25519_BYTES),
      re: undefined,
      rs: options.rs?.slice(),
    };
    symmetric.mixHash(options.prologue);
    if (this.#pattern.responderStaticKnown) symmetric.mixHash(options.rs ?? options.s.publicKey);
  }

  /** Whose message comes next: ours to `write`, theirs to `read`, or none because all were exchanged. */
  get turn(): 'write' | 'read' | 'done' {
    if (this.#messages === this.#pattern.messages.length) return 'done';
    const initiatorWrites = this.#messages % 2 === 0;
    return initiatorWrites === this.#options.initiator ? 'write' : 'read';
  }

  /** The peer's static public key, as soon as a message proved or brought it; a copy. */
  get remoteStatic(): Uint8Array | undefined {
    return this.#draft.rs?.slice();
  }

  /** GetHandshakeHash: the channel binding of Noise rev 34, section 11.2; a copy, HASHLEN bytes. @throws NoiseMisuse before the last message. */
  get handshakeHash(): Uint8Array {
    if (this.turn !== 'done')
      throw new NoiseMisuse('ERR_NOISE_NOT_FINISHED', 'the handshake hash is not final yet');
    return this.#draft.symmetric.handshakeHash();
  }

  /** The bytes that the next message needs beside its payload. 0 when all were exchanged. */
  get overheadBytes(): number {
    const tokens = this.#pattern.messages[this.#messages];
    return tokens ? overheadOf(tokens, this.#draft.symmetric.tagBytes) : 0;
  }

  /**
   * WriteMessage: writes the next message to `out`, which may not overlap `payload`, and gives its length. Gives
   * `zero-shared-secret`, and nothing has changed, if a public key that the peer sent before is of low order.
   * @throws NoiseMisuse if it is not our turn, the message does not fit, or the handshake was destroyed.
   */
  writeMessage(payload: Uint8Array, out: Uint8Array): number | 'zero-shared-secret' {
    const tokens = this.#tokensOf('write');
    const length = this.overheadBytes + payload.length;
    if (length > MAX_NOISE_MESSAGE_BYTES || length > out.length)
      throw new NoiseMisuse('ERR_NOISE_BUFFER', `${length} bytes of message do not fit`);
    return this.#attempt((draft) => {
      let at = 0;
      for (const token of tokens) {
        const written = this.#writeToken(token, draft, out.subarray(at));
        if (typeof written === 'string') return written;
        at += written;
      }
      draft.symmetric.encryptAndHash(payload, out.subarray(at));
      return length;
    });
  }

  /**
   * ReadMessage: writes the payload to `out`, which may not overlap `message`, and gives its length; or gives why the
   * message is refused, and the handshake is as it was. A payload that `out` cannot hold is `too-long`. Never throws on
   * bytes from strangers.
   * @throws NoiseMisuse if it is not the peer's turn or the handshake was destroyed.
   */
  readMessage(message: Uint8Array, out: Uint8Array): number | NoiseRefusal {
    const tokens = this.#tokensOf('read');
    const payloadLength = message.length - this.overheadBytes;
    if (payloadLength < 0) return 'too-short';
    if (message.length > MAX_NOISE_MESSAGE_BYTES || payloadLength > out.length) return 'too-long';
    return this.#attempt((draft) => {
      let at = 0;
      for (const token of tokens) {
        const read = this.#readToken(token, draft, message.subarray(at));
        if (typeof read === 'string') return read;
        at += read;
      }
      return draft.symmetric.decryptAndHash(message.subarray(at), out);
    });
  }

  /**
   * Split: the transport ciphers, once, after the last message. The handshake's own secrets are erased; `remoteStatic`
   * and `handshakeHash` stay.
   * @throws NoiseMisuse before the last message, a second time, or after `destroy`.
   */
  split(): TransportCiphers {
    this.#requireLive();
    if (this.turn !== 'done')
      throw new NoiseMisuse('ERR_NOISE_NOT_FINISHED', 'messages are still to be exchanged');
    const [fromInitiator, fromResponder] = this.#draft.symmetric.split();
    if (this.#pattern.oneWay) fromResponder.destroy();
    this.destroy();
    return this.#options.initiator
      ? { send: fromInitiator, receive: fromResponder }
      : { send: fromResponder, receive: fromInitiator };
  }

  /** Erases the ephemeral key and everything derived. For every handshake that does not reach `split`; may be called again. */
  destroy(): void {
    const { symmetric, e } = this.#draft;
    symmetric.destroy();
    if (this.#options.keys.isLive(e)) this.#options.keys.erase(e);
  }

  #requireLive(): void {
    if (!this.#draft.symmetric.isLive)
      throw new NoiseMisuse('ERR_NOISE_SPENT', 'this handshake was split, or its keys were erased');
  }

  #tokensOf(turn: 'write' | 'read'): readonly Token[] {
    this.#requireLive();
    const tokens = this.#pattern.messages[this.#messages];
    if (!tokens || this.turn !== turn)
      throw new NoiseMisuse('ERR_NOISE_WRONG_TURN', `this handshake is at "${this.turn}"`);
    return tokens;
  }

  /** Runs `step` on a copy of the state, and keeps either the copy or, after a refusal or a throw, the state of before. */
  #attempt<Refusal extends NoiseRefusal>(
    step: (draft: Draft) => number | Refusal,
  ): number | Refusal {
    const before = this.#draft;
    const draft: Draft = { ...before, symmetric: before.symmetric.copy() };
    let result: number | Refusal | undefined;
    try {
      result = step(draft);
      return result;
    } finally {
      const accepted = typeof result === 'number';
      (accepted ? before : draft).symmetric.destroy();
      if (accepted) {
        this.#draft = draft;
        this.#messages++;
      }
    }
  }

  #writeToken(token: Token, draft: Draft, out: Uint8Array): number | 'zero-shared-secret' {
    const { backend, random, s } = this.#options;
    switch (token) {
      case 'e': {
        random(draft.e);
        requireNotZero(draft.e);
        const publicKey = out.subarray(0, X25519_BYTES);
        backend.x25519PublicKey(draft.e, publicKey);
        draft.symmetric.mixHash(publicKey);
        return X25519_BYTES;
      }
      case 's':
        return draft.symmetric.encryptAndHash(s.publicKey, out);
      default:
        return this.#mixSharedSecret(token, draft);
    }
  }

  #readToken(token: Token, draft: Draft, bytes: Uint8Array): number | NoiseRefusal {
    switch (token) {
      case 'e':
        draft.re = bytes.slice(0, X25519_BYTES);
        draft.symmetric.mixHash(draft.re);
        return X25519_BYTES;
      case 's': {
        const sealed = bytes.subarray(0, X25519_BYTES + draft.symmetric.tagBytes);
        draft.rs = new Uint8Array(X25519_BYTES);
        const opened = draft.symmetric.decryptAndHash(sealed, draft.rs);
        return typeof opened === 'string' ? opened : sealed.length;
      }
      default:
        return this.#mixSharedSecret(token, draft);
    }
  }

  /** MixKey(DH()) of a two-letter token: the initiator's key first, the responder's second (Noise rev 34, section 5.3). */
  #mixSharedSecret(token: Exclude<Token, 'e' | 's'>, draft: Draft): 0 | 'zero-shared-secret' {
    const { backend, keys, initiator, s } = this.#options;
    const [ours, theirs] = initiator ? token : [token[1], token[0]];
    const privateKey = ours === 'e' ? draft.e : s.privateKey;
    const publicKey = theirs === 'e' ? draft.re : draft.rs;
    if (!publicKey) throw new NoiseMisuse('ERR_NOISE_KEY', `token ${token} comes before its key`);
    const shared = keys.take(X25519_BYTES);
    try {
      if (!backend.x25519(privateKey, publicKey, shared)) return 'zero-shared-secret';
      draft.symmetric.mixKey(shared);
      return 0;
    } finally {
      keys.erase(shared);
    }
  }
}

function overheadOf(tokens: readonly Token[], tagBytes: number): number {
  let tag = tagBytes;
  let total = 0;
  for (const token of tokens) {
    if (token === 'e') total += X25519_BYTES;
    else if (token === 's') total += X25519_BYTES + tag;
    else tag = AEAD_TAG_BYTES; // Every shared secret gives a key, and from then on all is sealed.
  }
  return total + tag;
}

function requireKeys({ s, rs, initiator }: HandshakeOptions, pattern: HandshakePattern): void {
  if (s.privateKey.length !== X25519_BYTES || s.publicKey.length !== X25519_BYTES)
    throw new NoiseMisuse('ERR_NOISE_KEY', `X25519 keys have ${X25519_BYTES} bytes`);
  requireNotZero(s.privateKey);
  const expected = pattern.responderStaticKnown && initiator ? X25519_BYTES : undefined;
  if (rs?.length !== expected)
    throw new NoiseMisuse('ERR_NOISE_KEY', 'rs is for the initiator of X alone, 32 bytes');
}

function requireNotZero(key: Uint8Array): void {
  let bits = 0;
  for (const byte of key) bits |= byte;
  if (bits === 0) throw new NoiseMisuse('ERR_NOISE_NULL_KEY', 'a private key of zeros is no key');
}
