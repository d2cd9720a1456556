/*
 * Tokens that were given while other replicas could not be asked are asked for again when one is heard: two devices may
 * hold one of them. Whoever asks and hears that a token is taken gives it up, and its connection ends, so that its
 * endpoint asks anew and is told.
 */
import { MAX_TOKENS_PER_MESSAGE } from '../../messages/peer-requests.js';
import { isAnswerTo } from './bus-schemas.js';
import type { Listener } from './listeners.js';
import { BUS_TIMEOUT_MS, type SignalingParts } from './parts.js';

/** Replicas that were cut off together come back within about this time. */
const SETTLE_MS = 1_000;
/** Two that ask at the same moment would both give up: each waits for a part of this time, by its random name. */
const SPREAD_MS = 4_000;

/** Asks again, one message after the other. */
export class TokenRecheck {
  /** Monotonic milliseconds; undefined: there is nothing to ask. */
  #dueAtMs: number | undefined;
  #isAsking = false;

  constructor(private readonly parts: Pick<SignalingParts, 'state' | 'bus' | 'clock'>) {}

  /** Another replica is heard from now on. */
  joined(): void {
    const { bus, clock } = this.parts;
    this.#dueAtMs ??= clock.monotonicMs() + SETTLE_MS + spreadOf(bus.replica);
  }

  /** To be called every second. */
  async tick(): Promise<void> {
    const { state, clock } = this.parts;
    if (this.#isAsking || this.#dueAtMs === undefined || clock.monotonicMs() < this.#dueAtMs)
      return;
    this.#dueAtMs = undefined;
    this.#isAsking = true;
    try {
      for (const listener of [...state.listeners.values()]) await this.#recheck(listener);
    } finally {
      this.#isAsking = false;
    }
  }

  async #recheck(listener: Listener): Promise<void> {
    const { state, bus } = this.parts;
    const unsure = [...listener.unsure];
    for (let at = 0; at < unsure.length; at += MAX_TOKENS_PER_MESSAGE) {
      const tokens = unsure.slice(at, at + MAX_TOKENS_PER_MESSAGE);
      const answers = await bus.askAll({ type: 'tokens', tokens }, BUS_TIMEOUT_MS);
      const taken = answers.flatMap((answer) => (isAnswerTo('tokens', answer) ? answer.taken : []));
      state.table.confirm(listener, tokens, bus.areAllHeard);
      if (taken.length === 0) continue;
      state.table.release(listener, taken);
      listener.connection.close('gateway-ends');
      return;
    }
  }
}

/** From 0 to SPREAD_MS, decided by the first byte of a random base64url name. */
const spreadOf = (replica: string): number =>
  ((Buffer.from(replica, 'base64url')[0] ?? 0) / 256) * SPREAD_MS;
