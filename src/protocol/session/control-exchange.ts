import { Backoff } from './backoff.js';
import { encodeControlMessage, type ControlMessage } from './control-message.js';
import type { PathProofs } from './path-proofs.js';
import type { ReceivingKeys } from './receiving-keys.js';
import type { SendingKey } from './sending-key.js';

const FIRST_ASK_MS = 250;
/** An absent peer is asked this seldom; the owner's idle limit ends it. */
const MAX_ASK_MS = 30_000;

/** Answers to challenges that wait to be sent; more than this a peer has no reason to ask. */
const MAX_WAITING_ANSWERS = 8;

/** A message for the control channel, to be sealed and sent on `path`, or on the path in use if there is none. */
export interface ControlToSend<Path> {
  readonly payload: Uint8Array;
  readonly path: Path | undefined;
}

/**
 * Which control messages are due. A sender asks for its epoch until the peer confirms it, a receiver confirms when it is
 * asked; so a lost message of either kind is made good without any other timer.
 */
export class ControlExchange<Path> {
  readonly #sending: SendingKey;
  readonly #receiving: ReceivingKeys;
  readonly #paths: PathProofs<Path>;
  readonly #answers: ControlToSend<Path>[] = [];
  #ask: { readonly epoch: number; readonly backoff: Backoff } | undefined;
  #confirmDue = false;

  constructor(sending: SendingKey, receiving: ReceivingKeys, paths: PathProofs<Path>) {
    this.#sending = sending;
    this.#receiving = receiving;
    this.#paths = paths;
  }

  /** When `take` may have something to give. */
  get wakeMs(): number {
    if (this.#answers.length > 0 || this.#confirmDue) return 0;
    return Math.min(this.#askDueMs(), this.#paths.dueMs);
  }

  /** The next message that is due, or undefined. */
  take(nowMs: number): ControlToSend<Path> | undefined {
    return (
      this.#answers.shift() ??
      this.#confirmation() ??
      this.#question(nowMs) ??
      this.#challenge(nowMs)
    );
  }

  /** Does what the peer's message asks. The bytes of a challenge are copied: they are a view of the channel's buffer. */
  obey(message: Exclude<ControlMessage, { type: 'close' }>, path: Path): void {
    switch (message.type) {
      case 'ask-epoch':
        if (message.epoch === this.#receiving.epoch) this.#confirmDue = true;
        break;
      case 'confirm-epoch':
        this.#sending.confirm(message.epoch);
        break;
      case 'challenge':
        if (this.#answers.length < MAX_WAITING_ANSWERS)
          this.#answers.push(control({ type: 'answer', bytes: message.bytes }, path));
        break;
      case 'answer':
        this.#paths.answered(message.bytes, path);
    }
  }

  #askDueMs(): number {
    if (this.#sending.confirmed) return Infinity;
    return this.#ask?.epoch === this.#sending.epoch ? this.#ask.backoff.dueMs : 0;
  }

  #confirmation(): ControlToSend<Path> | undefined {
    if (!this.#confirmDue) return undefined;
    this.#confirmDue = false;
    return control({ type: 'confirm-epoch', epoch: this.#receiving.epoch });
  }

  #question(nowMs: number): ControlToSend<Path> | undefined {
    const epoch = this.#sending.epoch;
    if (this.#sending.confirmed) return undefined;
    if (this.#ask?.epoch !== epoch)
      this.#ask = { epoch, backoff: new Backoff(nowMs, FIRST_ASK_MS, MAX_ASK_MS) };
    return this.#ask.backoff.take(nowMs) ? control({ type: 'ask-epoch', epoch }) : undefined;
  }

  #challenge(nowMs: number): ControlToSend<Path> | undefined {
    const probe = this.#paths.take(nowMs);
    return probe && control({ type: 'challenge', bytes: probe.challenge }, probe.path);
  }
}

function control<Path>(message: ControlMessage, path?: Path): ControlToSend<Path> {
  return { payload: encodeControlMessage(message), path };
}
