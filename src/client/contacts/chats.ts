/*
 * Texts between this endpoint and its contacts, with their state of delivery.
 */
import { toBase64url } from '../../protocol/lease/base64url.js';
import type { RandomBytes } from '../../protocol/session/path-proofs.js';
import {
  decodeChatMessage,
  encodeChatMessage,
  MESSAGE_ID_BYTES,
  ShownMessages,
  type ChatMessage,
  type ChatRefusal,
} from './chat-message.js';
import { Outbox, type DeliveryState } from './outbox.js';

/** What a chat needs of a session. */
export interface ChatSession {
  readonly isEstablished: boolean;
  send(channel: 'chat', bytes: Uint8Array): number;
}

/** How one message stands. */
export interface Delivery {
  readonly fingerprint: string;
  /** As `send` gave it. */
  readonly id: string;
  readonly state: DeliveryState;
  /** Code of the error, with `failed`. */
  readonly reason: string | undefined;
}

/** What chats need. */
export interface ChatsParts {
  readonly random: RandomBytes;
  /** Monotonic. */
  readonly nowMs: () => number;
  readonly open: (fingerprint: string) => Promise<ChatSession>;
  readonly delivery: (delivery: Delivery) => void;
  readonly text: (fingerprint: string, id: string, text: string) => void;
  readonly refused: (reason: ChatRefusal) => void;
}

interface Chat {
  readonly outbox: Outbox;
  readonly shown: ShownMessages;
  isOpening: boolean;
}

/** The chats of one endpoint. Pure: who owns it calls `tick` every second. */
export class Chats {
  readonly #parts: ChatsParts;
  readonly #chats = new Map<string, Chat>();

  constructor(parts: ChatsParts) {
    this.#parts = parts;
  }

  /**
   * Sends `text` in the session with the contact, or in a new one; gives the id of the message. What becomes of it is told
   * by `delivery`: `sent`, `late` after 10 s, `delivered`; or `failed` at once when the contact is absent.
   * @throws RangeError for an empty or too long text; ContactError when 1,000 messages wait.
   */
  send(fingerprint: string, text: string): string {
    const id = new Uint8Array(MESSAGE_ID_BYTES);
    this.#parts.random(id);
    const message = { id, text };
    encodeChatMessage(message);
    this.#chat(fingerprint).outbox.add(message, this.#parts.nowMs());
    this.#tell(fingerprint, [message], 'waiting');
    void this.#flush(fingerprint);
    return toBase64url(id);
  }

  /** There is a session: what waits goes now. */
  established(fingerprint: string, session: ChatSession): void {
    const { outbox } = this.#chat(fingerprint);
    outbox.sessionLost();
    this.#sendWaiting(fingerprint, session);
  }

  /** The chat channel takes messages again. */
  writable(fingerprint: string, session: ChatSession): void {
    this.#sendWaiting(fingerprint, session);
  }

  /** The session is over: what was not acknowledged goes in another one, or fails if there is none to be had. */
  ended(fingerprint: string): void {
    const chat = this.#chat(fingerprint);
    chat.outbox.sessionLost();
    if (!chat.outbox.isEmpty) void this.#flush(fingerprint);
  }

  acknowledged(fingerprint: string, channelId: number): void {
    const { outbox } = this.#chat(fingerprint);
    this.#tell(fingerprint, outbox.acknowledged(channelId), 'delivered');
  }

  /** Takes what came on the chat channel. A message that was shown before is not shown again. */
  received(fingerprint: string, bytes: Uint8Array): void {
    const message = decodeChatMessage(bytes);
    if (typeof message === 'string') this.#parts.refused(message);
    else if (this.#chat(fingerprint).shown.isNew(message.id))
      this.#parts.text(fingerprint, toBase64url(message.id), message.text);
  }

  /** Tells of messages that wait for 10 s. */
  tick(): void {
    const nowMs = this.#parts.nowMs();
    for (const [fingerprint, { outbox }] of this.#chats)
      this.#tell(fingerprint, outbox.late(nowMs), 'late');
  }

  /** Gives up everything that waits. */
  close(): void {
    for (const [fingerprint, { outbox }] of this.#chats)
      this.#tell(fingerprint, outbox.giveUp(), 'failed', 'ERR_GATEWAY_CLOSED');
  }

  async #flush(fingerprint: string): Promise<void> {
    const chat = this.#chat(fingerprint);
    if (chat.isOpening) return;
    chat.isOpening = true;
    try {
      this.#sendWaiting(fingerprint, await this.#parts.open(fingerprint));
    } catch (error) {
      const { code } = error as { readonly code?: string };
      this.#tell(fingerprint, chat.outbox.giveUp(), 'failed', code);
    } finally {
      chat.isOpening = false;
    }
  }

  #sendWaiting(fingerprint: string, session: ChatSession): void {
    const { outbox } = this.#chat(fingerprint);
    for (const message of outbox.unsent) {
      if (!session.isEstablished) return;
      try {
        outbox.sent(message, session.send('chat', encodeChatMessage(message)));
      } catch (error) {
        // A full channel says when it is writable; a session that ended says that it did.
        if (!isToBeRepeated(error)) throw error;
        return;
      }
      this.#tell(fingerprint, [message], 'sent');
    }
  }

  #tell(
    fingerprint: string,
    messages: readonly ChatMessage[],
    state: DeliveryState,
    reason?: string,
  ): void {
    for (const { id } of messages)
      this.#parts.delivery({ fingerprint, id: toBase64url(id), state, reason });
  }

  #chat(fingerprint: string): Chat {
    const known = this.#chats.get(fingerprint);
    if (known !== undefined) return known;
    const chat = { outbox: new Outbox(), shown: new ShownMessages(), isOpening: false };
    this.#chats.set(fingerprint, chat);
    return chat;
  }
}

const REPEATED = ['ERR_CHANNEL_FULL', 'ERR_CONTACT_NO_SESSION', 'ERR_ENDPOINT_CLOSED'];
const isToBeRepeated = (error: unknown): boolean =>
  REPEATED.includes((error as { readonly code?: string }).code ?? '');
