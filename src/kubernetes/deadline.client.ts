import { ApiError, errorWithoutAnswer } from './api-error.js';
import { wait } from './wait.client.js';

/** Ends a call after a time, or when the caller's own signal fires; says afterwards which it was. */
export class Deadline {
  readonly #controller = new AbortController();
  readonly #outer: AbortSignal | undefined;
  readonly #endMs: number;
  #timer: NodeJS.Timeout;
  #passed = false;

  constructor(afterMs: number, outer?: AbortSignal) {
    this.#outer = outer;
    this.#endMs = performance.now() + afterMs;
    this.#timer = setTimeout(this.#pass, afterMs);
    if (outer?.aborted) this.#abort();
    else outer?.addEventListener('abort', this.#abort);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Milliseconds left; 0 or less when the time is over. */
  get remainingMs(): number {
    return this.#endMs - performance.now();
  }

  /** Gives the timer and the listener back. Call it when the call has ended, however it did. */
  end(): void {
    clearTimeout(this.#timer);
    this.#outer?.removeEventListener('abort', this.#abort);
  }

  /** Starts the time anew: something arrived. */
  extend(): void {
    this.#timer.refresh();
  }

  /** Starts another time: the call has come to its next part. */
  restart(afterMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#pass, afterMs);
  }

  /** The error to report for what the call threw. */
  errorOf(error: unknown, what: string): unknown {
    if (this.#outer?.aborted) return errorWithoutAnswer('Aborted', `${what} was aborted`, error);
    if (this.#passed) return errorWithoutAnswer('Timeout', `${what} got no answer in time`, error);
    if (error instanceof ApiError) return error;
    return errorWithoutAnswer('Network', `${what} lost its connection`, error);
  }

  /** Waits; rejects when the deadline or the caller ends the call before. */
  async pause(ms: number): Promise<void> {
    if (!(await wait(ms, this.signal))) throw new Error('ended while it waited to be sent again');
  }

  readonly #pass = (): void => {
    this.#passed = true;
    this.#abort();
  };

  readonly #abort = (): void => {
    this.#controller.abort();
  };
}
