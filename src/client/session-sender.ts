import { MAX_PLAINTEXT_BYTES } from '../protocol/channels/plaintext-size.js';
import { encodeControlMessage } from '../protocol/session/control-message.js';
import type { HandshakeToSend } from '../protocol/session/handshake-options.js';
import type { Session } from '../protocol/session/session.js';
import { writeControlPlaintext } from './control-plaintext.js';
import type { DatagramPath } from './datagram-path.js';
import type { KnownPaths } from './known-paths.js';
import type { Liveness } from './liveness.js';

/** A pump gives way to what came in meanwhile. */
export const MAX_DATAGRAMS_PER_PUMP = 256;

/** Puts the datagrams of one conversation on its paths. */
export class SessionSender {
  /** Where a plaintext is put together before `seal`. */
  readonly plaintext = new Uint8Array(MAX_PLAINTEXT_BYTES);
  /** The path in use, if there is one. */
  active: DatagramPath | undefined;
  readonly #known: KnownPaths;
  readonly #liveness: Liveness;

  constructor(known: KnownPaths, liveness: Liveness) {
    this.#known = known;
    this.#liveness = liveness;
  }

  /** When `sendControl` has something to do by itself. */
  get wakeMs(): number {
    return Math.min(this.#askAtMs, this.#liveness.doubtAtMs);
  }

  /** When the peer is to be asked for a sign of life. */
  get #askAtMs(): number {
    return this.#liveness.askAtMs({
      isDirect: this.active?.kind === 'direct',
      isPeerBehind: this.#known.isPeerBehind(this.active),
    });
  }

  /** Sends what `next` gives: on its path, or on every open one. */
  sendHandshake(next: () => HandshakeToSend<DatagramPath> | undefined): void {
    for (let i = 0; i < MAX_DATAGRAMS_PER_PUMP; i++) {
      const due = next();
      if (due === undefined) return;
      const paths = due.path === undefined ? this.#known.open : [due.path];
      for (const path of paths.filter(({ isOpen }) => isOpen)) {
        path.room().set(due.datagram);
        path.commit(due.datagram.length);
      }
    }
  }

  /**
   * Asks for a sign of life if that is due, and sends the session's own messages. True if ways were put in doubt: they
   * have questions of their own to send.
   */
  sendControl(session: Session<DatagramPath>, nowMs: number): boolean {
    if (nowMs >= this.#askAtMs) this.#ask(session, nowMs);
    for (let i = 0; i < MAX_DATAGRAMS_PER_PUMP; i++) {
      const control = session.controlToSend(nowMs);
      if (control === undefined) break;
      const length = writeControlPlaintext(control.payload, this.plaintext);
      this.seal(session, { path: control.path ?? this.active, length }, nowMs);
    }
    const isDoubted = this.#liveness.takeDoubt(nowMs);
    if (isDoubted) for (const path of this.#known.open) path.doubt?.(nowMs);
    return isDoubted;
  }

  /** Seals the first `length` bytes of `plaintext`; they are lost if `path` is not open. */
  seal(
    session: Session<DatagramPath>,
    { path, length }: { readonly path: DatagramPath | undefined; readonly length: number },
    nowMs: number,
  ): void {
    if (path === undefined || !path.isOpen) return;
    path.commit(session.seal(this.plaintext.subarray(0, length), path.room(), nowMs));
    this.#liveness.sentMs = nowMs;
  }

  /** The question for the epoch changes nothing and is answered. */
  #ask(session: Session<DatagramPath>, nowMs: number): void {
    const ask = encodeControlMessage({ type: 'ask-epoch', epoch: session.epochs.sending });
    const length = writeControlPlaintext(ask, this.plaintext);
    this.#liveness.askedMs = nowMs;
    this.seal(session, { path: this.active, length }, nowMs);
    if (this.active !== undefined) this.#known.asked(this.active, nowMs);
  }
}
