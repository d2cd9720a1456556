/*
 * Numbered messages on three channels at once, at a rate that two processes on a busy machine move easily.
 *   4 bytes  mark     'talk'
 *   4 bytes  number   from 0, per channel
 *   n bytes  zeros
 */
import type { Channel } from '../../src/protocol/channels/channels.js';
import type { Traffic } from './endpoint-messages.js';

type Talking = keyof Traffic['sent'];

const MARK = 0x74616c6b;
const TICK_MS = 10;
/** How many ticks one message of a channel takes, and its length: 100 calls/s, 10 chats/s, 3.2 MB/s of file. */
const PLAN = {
  call: { ticks: 1, bytes: 120 },
  chat: { ticks: 10, bytes: 200 },
  file: { ticks: 2, bytes: 65_536 },
} as const;
const CHANNELS = ['call', 'chat', 'file'] as const;

/** Sends and counts them. */
export class EndpointTalk {
  readonly #send: (channel: Talking, message: Uint8Array) => void;
  readonly #sent = { call: 0, chat: 0, file: 0 };
  readonly #inTurn = { chat: 0, file: 0 };
  readonly #calls = new Set<number>();
  #timer: NodeJS.Timeout | undefined;
  #ticks = 0;

  constructor(send: (channel: Talking, message: Uint8Array) => void) {
    this.#send = send;
  }

  get traffic(): Traffic {
    return { sent: this.#sent, got: { ...this.#inTurn, call: this.#calls.size } };
  }

  begin(): void {
    this.#timer = setInterval(() => {
      this.#ticks++;
      for (const channel of CHANNELS)
        if (this.#ticks % PLAN[channel].ticks === 0) this.#say(channel);
    }, TICK_MS);
  }

  end(): void {
    clearInterval(this.#timer);
  }

  /** Counts `message` if it is one of these. */
  take(channel: Channel, message: Uint8Array): boolean {
    const view = new DataView(message.buffer, message.byteOffset, message.length);
    if (message.length < 8 || view.getUint32(0) !== MARK) return false;
    const number = view.getUint32(4);
    if (channel === 'call') this.#calls.add(number);
    else if (channel === 'chat' || channel === 'file')
      this.#inTurn[channel] += Number(number === this.#inTurn[channel]);
    return true;
  }

  #say(channel: Talking): void {
    const message = new Uint8Array(PLAN[channel].bytes);
    const view = new DataView(message.buffer);
    view.setUint32(0, MARK);
    view.setUint32(4, this.#sent[channel]);
    try {
      this.#send(channel, message);
      this.#sent[channel]++;
    } catch (error) {
      // A full channel takes the same number later.
      if ((error as { code?: string }).code !== 'ERR_CHANNEL_FULL') throw error;
    }
  }
}
