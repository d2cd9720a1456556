/*
 * The last message of a session. It is sealed as often as it will be sent and before the keys are erased: keys that
 * waited for an answer would be there for as long as the answer takes, and for ever if it is lost.
 */
import { encodeControlMessage, type CloseReason } from '../protocol/session/control-message.js';
import { MAX_DATAGRAM_BYTES } from '../protocol/session/datagram.js';
import type { Session } from '../protocol/session/session.js';
import { writeControlPlaintext } from './control-plaintext.js';
import type { DatagramPath } from './datagram-path.js';

/** When each copy goes, in milliseconds after the end: a path that loses 2 % loses all three once in 125,000 times. */
export const CLOSE_AT_MS = [0, 100, 300] as const;

interface Copy {
  readonly datagram: Uint8Array;
  readonly dueMs: number;
}

/** Copies of a close for `path`, sealed by a session that may be over when they are sent. */
export class Farewell {
  readonly #path: DatagramPath;
  readonly #copies: Copy[];

  /** @throws what `session.seal` throws. */
  constructor(
    session: Session<DatagramPath>,
    path: DatagramPath,
    { reason, nowMs }: { readonly reason: CloseReason; readonly nowMs: number },
  ) {
    this.#path = path;
    const plaintext = new Uint8Array(MAX_DATAGRAM_BYTES);
    const length = writeControlPlaintext(
      encodeControlMessage({ type: 'close', reason }),
      plaintext,
    );
    this.#copies = CLOSE_AT_MS.map((afterMs) => {
      const datagram = new Uint8Array(MAX_DATAGRAM_BYTES);
      const sealed = session.seal(plaintext.subarray(0, length), datagram, nowMs);
      return { datagram: datagram.subarray(0, sealed), dueMs: nowMs + afterMs };
    });
  }

  /** Sends the copies that are due and gives when the next is; Infinity after the last. On a way that has closed they are lost. */
  send(nowMs: number): number {
    for (let copy = this.#copies[0]; copy && copy.dueMs <= nowMs; copy = this.#copies[0]) {
      this.#copies.shift();
      if (!this.#path.isOpen) continue;
      this.#path.room().set(copy.datagram);
      this.#path.commit(copy.datagram.length);
      this.#path.flush();
    }
    return this.#copies[0]?.dueMs ?? Infinity;
  }
}
