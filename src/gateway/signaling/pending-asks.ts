/*
 * Questions to the other replicas that are not decided yet: each waits for the replicas that were alive when it was
 * asked. Without time: whoever asks ends a question after its time.
 */
import type { BusMessage } from '../bus.js';
import { isAnswerTo, isAsk } from './bus-schemas.js';

/** The body of an answer. */
export type AnswerBody = Readonly<Record<string, unknown>>;

/** Questions that may wait at one time: about 1 MB. */
export const MAX_PENDING_ASKS = 4_096;

interface PendingAsk {
  readonly type: BusMessage['type'];
  readonly waitingFor: Set<string>;
  readonly answers: AnswerBody[];
  /** Whether one answer is enough. */
  readonly firstOnly: boolean;
  readonly done: (answers: readonly AnswerBody[]) => void;
}

/** A question as it is asked. */
export interface Question {
  readonly type: BusMessage['type'];
  /** The replicas that are alive. */
  readonly replicas: readonly string[];
  readonly firstOnly: boolean;
}

/** The questions of one replica. */
export class PendingAsks {
  readonly #asks = new Map<number, PendingAsk>();
  #lastId = 0;

  /** Begins a question and gives its id; `done` is called once. Undefined: too many wait, and `done` is never called. */
  begin(
    { type, replicas, firstOnly }: Question,
    done: (answers: readonly AnswerBody[]) => void,
  ): number | undefined {
    if (this.#asks.size >= MAX_PENDING_ASKS) return undefined;
    do this.#lastId = this.#lastId >= 0xffff_ffff ? 1 : this.#lastId + 1;
    while (this.#asks.has(this.#lastId));
    const waitingFor = new Set(replicas);
    this.#asks.set(this.#lastId, { type, waitingFor, answers: [], firstOnly, done });
    return this.#lastId;
  }

  /** Takes the answer of a replica; `body` undefined: it has nothing to say. */
  answer(id: number, from: string, body: unknown): 'taken' | 'late' | 'bad-answer' {
    const ask = this.#asks.get(id);
    if (ask?.waitingFor.delete(from) !== true) return 'late';
    const good = isAsk(ask.type) && isAnswerTo(ask.type, body);
    if (good) ask.answers.push(body);
    if (ask.waitingFor.size === 0 || (ask.firstOnly && ask.answers.length > 0)) this.end(id);
    return good || body === undefined ? 'taken' : 'bad-answer';
  }

  /** Waits no longer for a replica that has gone. */
  gone(replica: string): void {
    for (const id of [...this.#asks.keys()]) this.answer(id, replica, undefined);
  }

  /** Ends a question with the answers that are there. */
  end(id: number): void {
    const ask = this.#asks.get(id);
    this.#asks.delete(id);
    ask?.done(ask.answers);
  }

  /** Ends all: nobody can answer any more. */
  endAll(): void {
    for (const id of [...this.#asks.keys()]) this.end(id);
  }
}
