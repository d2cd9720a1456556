import type { AnswerBody, RequestName } from '../../messages/requests.js';
import type { ToEndpoint } from '../../messages/signaling.js';
import { GatewayError } from './gateway-error.js';
import { readAnswer } from './signaling-reader.js';

/** Requests without an answer at one time: as many as a gateway works on for one connection. */
export const MAX_UNANSWERED = 32;
const MAX_ID = 0xffff_ffff;

interface Waiting {
  readonly name: RequestName;
  readonly untilMs: number;
  readonly settle: (answer: AnswerBody<RequestName> | GatewayError) => void;
}

type Answer = Extract<ToEndpoint, { readonly type: 'answer' }>;

/** The requests of one connection that wait for their answer. Times are of the monotonic clock. */
export class Unanswered {
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;

  /** Keeps a request and gives its id. @throws GatewayError ERR_GATEWAY_BUSY when 32 wait. */
  add<Name extends RequestName>(
    name: Name,
    untilMs: number,
    settle: (answer: AnswerBody<Name> | GatewayError) => void,
  ): number {
    if (this.#waiting.size >= MAX_UNANSWERED)
      throw new GatewayError('ERR_GATEWAY_BUSY', 'Too many requests wait for an answer.');
    do this.#lastId = (this.#lastId % MAX_ID) + 1;
    while (this.#waiting.has(this.#lastId));
    // The answer is read with the schema of this very name before it is given to `settle`.
    this.#waiting.set(this.#lastId, { name, untilMs, settle: settle as Waiting['settle'] });
    return this.#lastId;
  }

  /** Settles the request that is answered. False if the answer is none: of no request, or not what was asked for. */
  answer(message: Answer): boolean {
    const waiting = this.#waiting.get(message.id);
    // One that is late, behind its deadline, is no fault.
    if (waiting === undefined) return message.id <= this.#lastId;
    this.#waiting.delete(message.id);
    if ('refused' in message) {
      const { reason, retryAfterSeconds } = message.refused;
      waiting.settle(
        new GatewayError('ERR_GATEWAY_REFUSED', `The gateway refused ${waiting.name}: ${reason}.`, {
          reason,
          retryAfterSeconds,
        }),
      );
      return true;
    }
    const body = readAnswer(waiting.name, message.body);
    waiting.settle(
      body ??
        new GatewayError('ERR_GATEWAY_AWAY', `The gateway gave no answer to ${waiting.name}.`),
    );
    return body !== undefined;
  }

  /** Ends those whose deadline has passed. */
  expire(nowMs: number): void {
    for (const [id, { name, untilMs, settle }] of this.#waiting) {
      if (nowMs < untilMs) continue;
      this.#waiting.delete(id);
      settle(
        new GatewayError('ERR_GATEWAY_DEADLINE', `The gateway did not answer ${name} in time.`),
      );
    }
  }

  /** Ends all of them: the connection is gone. */
  endAll(): void {
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { name, settle } of waiting)
      settle(
        new GatewayError('ERR_GATEWAY_AWAY', `The connection ended before ${name} was answered.`),
      );
  }
}
