/*
 * The way out of one WebSocket: messages for a reader who may not read. Nothing more is read of who does not take
 * answers, notices are refused beyond a bound, and bytes wait for a bounded time.
 */
import type { WebSocket } from 'ws';
import { LIMITS } from './connection-limits.js';

/** Sends texts, and knows how they are taken. */
export class MessageOutlet {
  /** Since when bytes wait and none was taken, monotonic milliseconds. */
  #waitingSinceMs: number | undefined;

  constructor(private readonly socket: WebSocket) {}

  get isOpen(): boolean {
    return this.socket.readyState === this.socket.OPEN;
  }

  /** Whether so much waits that a notice cannot be added. */
  get isFull(): boolean {
    return this.socket.bufferedAmount > LIMITS.waitingBytes;
  }

  /** Sends; reading stops while much waits. */
  send(text: string): void {
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

  #taken(): void {
    this.#waitingSinceMs = undefined;
    if (this.socket.isPaused && this.socket.bufferedAmount <= LIMITS.pauseBytes)
      this.socket.resume();
  }
}
