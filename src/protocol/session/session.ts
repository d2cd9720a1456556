/*
 * Transport of one session after its handshake: seals and opens datagrams, changes keys, refuses replays, proves paths.
 * What is inside a plaintext, and its padding, is the business of the channels.
 */
import { AEAD_TAG_BYTES } from '../crypto-backend.js';
import type { KeyStore } from '../key-store.js';
import type { TransportCiphers } from '../noise/handshake-state.js';
import { decodeControlMessage, type CloseReason, type ControlRefusal } from './control-message.js';
import { ControlExchange, type ControlToSend } from './control-exchange.js';
import {
  DatagramKind,
  HEADER_BYTES,
  MAX_PLAINTEXT_BYTES,
  decodeHeader,
  emptyHeader,
  type DatagramRefusal,
} from './datagram.js';
import { PathProofs, type RandomBytes } from './path-proofs.js';
import { ReceivingKeys } from './receiving-keys.js';
import { SESSION_LIFETIME_MS } from './rekey.js';
import { ReplayWindow, type ReplayRefusal } from './replay-window.js';
import { FROM_THE_START, SendingKey, type SendingPosition } from './sending-key.js';
import { SessionClosedError } from './session-error.js';

/** Why a datagram was not opened. A closed list: each is a metric label, none is ever sent back. */
export type OpenRefusal =
  | DatagramRefusal
  | ReplayRefusal
  | 'not-transport'
  | 'wrong-receiver'
  | 'unknown-epoch'
  | 'wrong-tag'
  | 'integrity-limit';

/** Why a session is over. */
export type SessionEnd = 'closed-here' | 'closed-by-peer' | 'integrity-limit';

/** What a session is made of; a finished handshake gives it. */
export interface SessionOptions<Path> {
  /** Holds the keys of the ciphers. The session owns it from now on and erases all of it when it closes. */
  readonly keys: KeyStore;
  /** Those of `HandshakeState.split()`. */
  readonly ciphers: TransportCiphers;
  /** What the peer writes into its datagrams, and what this side writes into its own. */
  readonly localIndex: number;
  readonly remoteIndex: number;
  /** The path on which the handshake was finished: it counts as proven. */
  readonly path: Path;
  readonly random: RandomBytes;
  readonly nowMs: number;
  /** Absent in the product. Tests begin near the limits of 2^64, 2^32 and 2^36, which no test can reach by counting. */
  readonly near?: { readonly sending: SendingPosition; readonly failedTags: number };
}

/** One end of an encrypted session. All times are of one monotonic clock, in milliseconds. */
export class Session<Path> {
  readonly localIndex: number;
  readonly remoteIndex: number;
  readonly #keys: KeyStore;
  readonly #sending: SendingKey;
  readonly #receiving: ReceivingKeys;
  readonly #window = new ReplayWindow();
  readonly #header = emptyHeader();
  readonly #paths: PathProofs<Path>;
  readonly #renewAtMs: number;
  readonly #control: ControlExchange<Path>;
  #newestPath: Path;
  #end: SessionEnd | undefined;
  #peerCloseReason: CloseReason | undefined;
  #heard = false;

  constructor(options: SessionOptions<Path>) {
    this.localIndex = options.localIndex;
    this.remoteIndex = options.remoteIndex;
    this.#keys = options.keys;
    this.#sending = new SendingKey(
      options.ciphers.send,
      options.remoteIndex,
      options.near?.sending ?? FROM_THE_START,
    );
    this.#receiving = new ReceivingKeys(options.ciphers.receive, options.near?.failedTags ?? 0);
    this.#paths = new PathProofs(options.random, options.path);
    this.#control = new ControlExchange(this.#sending, this.#receiving, this.#paths);
    this.#newestPath = options.path;
    this.#renewAtMs = options.nowMs + SESSION_LIFETIME_MS;
  }

  /** Why the session is over; undefined while it is open. After the end every other method throws. */
  get end(): SessionEnd | undefined {
    return this.#end;
  }

  /** What the peer said when it closed. */
  get peerCloseReason(): CloseReason | undefined {
    return this.#peerCloseReason;
  }

  /** Whether a datagram of the peer was opened: then it has finished the handshake as well. */
  get heardFromPeer(): boolean {
    return this.#heard;
  }

  /** Datagrams whose tag was wrong, under all keys. */
  get failedTags(): number {
    return this.#receiving.failedTags;
  }

  /** The number of rekeys of each direction. */
  get epochs(): { readonly sending: number; readonly receiving: number } {
    return { sending: this.#sending.epoch, receiving: this.#receiving.epoch };
  }

  /** The path of the opened datagram with the highest counter; ask `isProven` before anything is sent there. */
  get newestPath(): Path {
    return this.#newestPath;
  }

  /** Whether the owner should begin a new XX handshake and close this session after it: 24 hours have passed. */
  needsNewHandshake(nowMs: number): boolean {
    return nowMs >= this.#renewAtMs;
  }

  /**
   * Writes the datagram that carries `plaintext` to the start of `out` and gives its length, 32 bytes more.
   * @throws SessionClosedError; CounterExhaustedError after 2^64 - 1 datagrams; RangeError if `plaintext` exceeds
   * 1,180 bytes or `out` is too short.
   */
  seal(plaintext: Uint8Array, out: Uint8Array, nowMs: number): number {
    this.#requireOpen();
    if (plaintext.length > MAX_PLAINTEXT_BYTES)
      throw new RangeError(`a plaintext of ${plaintext.length} bytes exceeds 1180`);
    if (out.length < plaintext.length + HEADER_BYTES + AEAD_TAG_BYTES)
      throw new RangeError(`${out.length} bytes do not hold the datagram`);
    return this.#sending.seal(plaintext, out, nowMs);
  }

  /**
   * Writes the plaintext of `datagram` to the start of `out` and gives its length, or why it was refused; then nothing
   * has changed but counts. `path` is where it came from; a new one is challenged once the tag verified.
   * @throws SessionClosedError; RangeError if `out` does not hold the plaintext.
   */
  open(datagram: Uint8Array, out: Uint8Array, path: Path, nowMs: number): number | OpenRefusal {
    this.#requireOpen();
    const header = this.#header;
    const refusal = decodeHeader(datagram, header) ?? this.#refuseHeader();
    if (refusal !== undefined) return refusal;
    const length = this.#receiving.open(header, datagram, out, nowMs);
    if (typeof length === 'string') {
      if (length === 'integrity-limit') this.#finish('integrity-limit');
      return length;
    }
    this.#accepted(path, nowMs);
    return length;
  }

  /**
   * The next message of the session for the control channel; call it until it gives undefined, after every received
   * datagram and whenever `wakeMs` has come. It also erases keys whose time is over.
   * @throws SessionClosedError
   */
  controlToSend(nowMs: number): ControlToSend<Path> | undefined {
    this.#requireOpen();
    this.#receiving.expire(nowMs);
    return this.#control.take(nowMs);
  }

  /** When `controlToSend` should be called again, if nothing arrives before. */
  get wakeMs(): number {
    return Math.min(this.#control.wakeMs, this.#receiving.expiresMs);
  }

  /**
   * Takes a message of the peer's session that the control channel delivered; gives why it was refused.
   * `path` is that of the datagram that carried it. A close ends the session here and erases its keys: look at `end`.
   * @throws SessionClosedError
   */
  onControl(bytes: Uint8Array, path: Path): ControlRefusal | undefined {
    this.#requireOpen();
    const message = decodeControlMessage(bytes);
    if (typeof message === 'string') return message;
    if (message.type === 'close') {
      this.#peerCloseReason = message.reason;
      this.#finish('closed-by-peer');
    } else {
      this.#control.obey(message, path);
    }
    return undefined;
  }

  /** Asks the peer to prove that `path` leads to it. Look at `isProven` later; after 5 s without an answer nothing is sent there. */
  probe(path: Path, nowMs: number): void {
    this.#requireOpen();
    this.#paths.probe(path, nowMs);
  }

  /** Whether `path` leads to the peer: a sealed challenge was answered on it, or the handshake was finished there. */
  isProven(path: Path): boolean {
    return this.#paths.isProven(path);
  }

  /** Forgets the proof of `path`, for instance because it went silent. */
  forgetPath(path: Path): void {
    this.#paths.forget(path);
  }

  /**
   * Erases every key of the session. May be called again; nothing else may. The peer learns of it by a close message that
   * the owner sealed before.
   */
  close(): void {
    if (this.#end === undefined) this.#finish('closed-here');
  }

  #requireOpen(): void {
    if (this.#end !== undefined) throw new SessionClosedError();
  }

  #refuseHeader(): OpenRefusal | undefined {
    const { kind, receiverIndex, counterHigh, counterLow } = this.#header;
    if (kind !== DatagramKind.transport) return 'not-transport';
    if (receiverIndex !== this.localIndex) return 'wrong-receiver';
    return this.#window.judge(counterHigh, counterLow);
  }

  /** Only here do window, path and epoch change: the tag verified. */
  #accepted(path: Path, nowMs: number): void {
    const { counterHigh, counterLow } = this.#header;
    const newest = this.#window.isNewest(counterHigh, counterLow);
    this.#window.mark(counterHigh, counterLow);
    this.#heard = true;
    if (!newest) return;
    this.#newestPath = path;
    if (!this.#paths.isProven(path)) this.#paths.probe(path, nowMs);
  }

  #finish(end: SessionEnd): void {
    this.#end = end;
    this.#sending.destroy();
    this.#receiving.destroy();
    this.#keys.eraseAll();
  }
}
