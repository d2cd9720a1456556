/*
 * The way out of one WebSocket: messages for a reader who may not read. Nothing more is read of who does not take
 * answers, notices are refused beyond a bound, and bytes wait for a bounded time.
 */
import type { Duplex } from 'node:stream';
import { LIMITS } from './connection-limits.js';
import type { EndpointWebSocket } from './endpoint-web.socket.js';
import { textFrame } from './text-frame.js';

/** A WebSocket, and the connection that it writes to. */
export interface Wire {
  readonly socket: EndpointWebSocket;
  readonly connection: Pick<Duplex, 'cork' | 'uncork' | 'write'>;
}

/** Sends texts, and knows how they are taken. */
export class MessageOutlet {
  readonly #socket: EndpointWebSocket;
  readonly #connection: Wire['connection'];
  /** Since when bytes wait and none was taken, monotonic milliseconds. */
  #waitingSinceMs: number | undefined;
  #isGathering = false;

  constructor({ socket, connection }: Wire) {
    this.#socket = socket;
    this.#connection = connection;
  }

  get isOpen(): boolean {
    return this.#socket.readyState === this.#socket.OPEN;
  }

  /** Whether so much waits that a notice cannot be added. */
  get isFull(): boolean {
    return this.#socket.bufferedAmount > LIMITS.waitingBytes;
  }

  /** Sends; reading stops while much waits. Only while it is open. */
  send(text: string): void {
    const frame = textFrame(text);
    if (this.#isGathering) this.#connection.write(frame);
    else this.#gather(frame);
    if (this.#socket.bufferedAmount > LIMITS.pauseBytes) this.#socket.pause();
  }

  /** Whether bytes wait for longer than they may. To be asked every second. */
  isStuck(nowMs: number): boolean {
    if (this.#socket.bufferedAmount === 0) this.#waitingSinceMs = undefined;
    else this.#waitingSinceMs ??= nowMs;
    const since = this.#waitingSinceMs;
    return since !== undefined && nowMs - since >= LIMITS.slowReaderMs;
  }

  /**
   * Messages of one turn of the event loop go out in one write: under load that is one TLS record for several. So it is
   * enough to hear of the first one that it was taken.
   */
  #gather(first: Uint8Array): void {
    this.#isGathering = true;
    this.#connection.cork();
    this.#connection.write(first, () => {
      this.#taken();
    });
    setImmediate(MessageOutlet.#release, this);
  }

  #taken(): void {
    this.#waitingSinceMs = undefined;
    if (this.#socket.isPaused && this.#socket.bufferedAmount <= LIMITS.pauseBytes)
      this.#socket.resume();
  }

  static readonly #release = (outlet: MessageOutlet): void => {
    outlet.#isGathering = false;
    outlet.#connection.uncork();
  };
}
