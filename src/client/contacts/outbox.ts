/*
 * Messages that wait for their acknowledgement. A sender keeps a message until the peer's endpoint has confirmed it
 * inside a session, says so when that takes 10 s, and sends it again in the next session: no server keeps it.
 */
import { toBase64url } from '../../protocol/lease/base64url.js';
import type { ChatMessage } from './chat-message.js';
import { ContactError } from './contact-error.js';

/** After this time without an acknowledgement a sender is told (architecture, 5). */
export const LATE_AFTER_MS = 10_000;
const MAX_WAITING = 1_000;

/** How a message stands. `late`: 10 s without an acknowledgement; it may still come. */
export type DeliveryState = 'waiting' | 'sent' | 'late' | 'delivered' | 'failed';

interface Waiting {
  readonly message: ChatMessage;
  readonly sinceMs: number;
  /** Number within the channel of the present session, once it went. */
  channelId: number | undefined;
  isLate: boolean;
}

/** The messages to one contact, in order. Times are of the monotonic clock. */
export class Outbox {
  readonly #waiting = new Map<string, Waiting>();

  /** Whether any message is not acknowledged. */
  get isEmpty(): boolean {
    return this.#waiting.size === 0;
  }

  /** @throws ContactError ERR_CONTACT_TOO_MANY when 1,000 messages wait. */
  add(message: ChatMessage, nowMs: number): void {
    if (this.#waiting.size >= MAX_WAITING)
      throw new ContactError('ERR_CONTACT_TOO_MANY', 'Too many messages wait for this contact.');
    const waiting = { message, sinceMs: nowMs, channelId: undefined, isLate: false };
    this.#waiting.set(toBase64url(message.id), waiting);
  }

  /** Those that have not gone in the present session, oldest first. */
  get unsent(): readonly ChatMessage[] {
    return [...this.#waiting.values()]
      .filter(({ channelId }) => channelId === undefined)
      .map(({ message }) => message);
  }

  /** The message went as number `channelId` of the chat channel. */
  sent({ id }: ChatMessage, channelId: number): void {
    const waiting = this.#waiting.get(toBase64url(id));
    if (waiting) waiting.channelId = channelId;
  }

  /** The peer has number `channelId` and all before it: gives the messages that this ends. */
  acknowledged(channelId: number): readonly ChatMessage[] {
    return this.#take(({ channelId: own }) => own !== undefined && own <= channelId);
  }

  /** The session is gone: what was not acknowledged goes again in the next one. */
  sessionLost(): void {
    for (const waiting of this.#waiting.values()) waiting.channelId = undefined;
  }

  /** Gives up all that wait. */
  giveUp(): readonly ChatMessage[] {
    return this.#take(() => true);
  }

  /** Messages that became late by now; each once. */
  late(nowMs: number): readonly ChatMessage[] {
    const late = [...this.#waiting.values()].filter(
      ({ isLate, sinceMs }) => !isLate && nowMs - sinceMs >= LATE_AFTER_MS,
    );
    for (const waiting of late) waiting.isLate = true;
    return late.map(({ message }) => message);
  }

  #take(ends: (waiting: Waiting) => boolean): readonly ChatMessage[] {
    const taken: ChatMessage[] = [];
    for (const [id, waiting] of this.#waiting) {
      if (!ends(waiting)) continue;
      this.#waiting.delete(id);
      taken.push(waiting.message);
    }
    return taken;
  }
}
