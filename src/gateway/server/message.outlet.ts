/*
 * The way out of one WebSocket: messages for a reader who may not read. Nothing more is read of who does not take
 * answers, notices are refused beyond a bound, and bytes wait for a bounded time.
 */
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { LIMITS } from './connection-limits.js';

/** A WebSocket, and the connection that it writes to. */
export interface Wire {
  readonly socket: WebSocket;
  readonly connection: Pick<Duplex, 'cork' | 'uncork'>;
}

/** Sends texts, and knows how they are taken. */
export class MessageOutlet {
  /** Since when bytes wait and none was taken, monotonic milliseconds. */
  #waitingSinceMs: number | undefined;
  #isGathering = false;
  private readonly socket: WebSocket;

  constructor(private readonly wire: Wire) {
    this.socket = wire.socket;
  }

  get isOpen(): boolean {
    return this.socket.readyState === this.socket.OPEN;
  }

  /** Whether so much waits that a notice cannot be added. */
  get isFull(): boolean {
    return this.socket.bufferedAmount > LIMITS.waitingBytes;
  }

  /** Sends; reading stops while much waits. */
  send(text: string): void {
    this.#gather();
    this.socket.send(text, () => {
      this.#taken();
    });
    if (this.socket.bufferedAmount > LIMITS.pauseBytes) this.socket.pause();
  }

  /** Whether bytes wait for longer than they may. To be asked every second. */
  isStuck(nowMs: number): boolean {
    if (this.socket.bufferedAmount === 0) this.#waitingSinceMs = undefined;
    else this.#waitingSinceMs ??= nowMs;
    const since = this.#waitingSinceMs;
    return since !== undefined && nowMs - since >= LIMITS.slowReaderMs;
  }

  /** Messages of one turn of the event loop go out in one write: under load that is one TLS record for several. */
  #gather(): void {
    if (this.#isGathering) return;
    this.#isGathering = true;
    this.wire.connection.cork();
    setImmediate(() => {
      this.#isGathering = false;
      this.wire.connection.uncork();
    });
  }

  #taken(): void {
    this.#waitingSinceMs = undefined;
    if (this.socket.isPaused && this.socket.bufferedAmount <= LIMITS.pauseBytes)
      this.socket.resume();
  }
}
