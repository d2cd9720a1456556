import { MAX_PLAINTEXT_BYTES } from '../protocol/channels/plaintext-size.js';
import { isAboutPath, type ControlRefusal } from '../protocol/session/control-message.js';
import type { OpenRefusal, Session } from '../protocol/session/session.js';
import type { DatagramPath } from './datagram-path.js';

/** Opens the datagrams of one conversation and gives the session what is its own of them. */
export class SessionReceiver {
  readonly #plaintext = new Uint8Array(MAX_PLAINTEXT_BYTES);
  #path: DatagramPath | undefined;
  #isPeersChoice = false;

  /**
   * Whether the datagram that was opened last, and handed to the channels since, took the way that the peer uses;
   * challenges and answers take the way that they are about.
   */
  get isPeersChoice(): boolean {
    return this.#isPeersChoice;
  }

  /** The plaintext of `datagram`, a view that is valid until the next one, or why it was refused. */
  open(
    session: Session<DatagramPath>,
    datagram: Uint8Array,
    { path, nowMs }: { readonly path: DatagramPath; readonly nowMs: number },
  ): Uint8Array | OpenRefusal {
    this.#isPeersChoice = false;
    const length = session.open(datagram, this.#plaintext, path, nowMs);
    if (typeof length === 'string') return length;
    this.#path = path;
    this.#isPeersChoice = true;
    return this.#plaintext.subarray(0, length);
  }

  /** Gives `session` a control message of the plaintext; why it was refused. */
  control(session: Session<DatagramPath>, bytes: Uint8Array): ControlRefusal | undefined {
    if (isAboutPath(bytes)) this.#isPeersChoice = false;
    // A plaintext may hold more behind a close; nothing of it reaches a session that is over.
    if (session.end !== undefined || this.#path === undefined) return undefined;
    return session.onControl(bytes, this.#path);
  }

  /** Overwrites what was opened last. */
  erase(): void {
    this.#plaintext.fill(0);
  }
}
