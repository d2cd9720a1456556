/*
 * Whether the database takes writes: asked every few seconds, so that /readyz and metrics answer from memory.
 */
import type { Logger } from '../../runtime/log.js';
import { StorageUnavailable, type StorageReason, type Store } from '../store.js';

/** How often it is asked; /readyz is asked as often. */
const ASK_EVERY_MS = 5_000;

/** Asks again and again. */
export class StorageWatch {
  #reason: StorageReason | undefined = 'unreachable';
  #timer: NodeJS.Timeout | undefined;
  #isAsking = false;

  constructor(
    private readonly store: Pick<Store, 'ping'>,
    private readonly log: Logger,
  ) {}

  /** Why the database takes no writes; undefined while it does. */
  get reason(): StorageReason | undefined {
    return this.#reason;
  }

  /** Asks once now, then again and again. */
  async start(): Promise<void> {
    await this.ask();
    this.#timer = setInterval(() => void this.ask(), ASK_EVERY_MS);
  }

  /** Asks now, unless an answer is still awaited. */
  async ask(): Promise<void> {
    if (this.#isAsking) return;
    this.#isAsking = true;
    const before = this.#reason;
    try {
      await this.store.ping();
      this.#reason = undefined;
    } catch (error) {
      this.#reason = error instanceof StorageUnavailable ? error.reason : 'failed';
    } finally {
      this.#isAsking = false;
    }
    if (before === this.#reason) return;
    if (this.#reason === undefined) this.log.info('the database takes writes');
    else this.log.error('the database takes no writes', { reason: this.#reason });
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
