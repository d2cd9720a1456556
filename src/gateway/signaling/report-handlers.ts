import type { Handlers } from '../caller.js';
import { REPORT_BURST } from './handshake-budget.js';
import { GONE, type SignalingParts } from './parts.js';

/** Handler of `handshakes.report`: numbers only, and no more of them than one endpoint can have. */
export const reportHandlers = ({ state, metrics }: SignalingParts) =>
  ({
    'handshakes.report': ({ counts }, { connection, now }) => {
      const listener = state.listeners.get(connection.id);
      if (listener === undefined) return GONE;
      const total = counts.reduce((sum, { count }) => sum + count, 0);
      if (total > REPORT_BURST) return { refused: 'quota-reached' };
      const retryAfterSeconds = listener.budget.take(total, now);
      if (retryAfterSeconds > 0) return { refused: 'too-many', retryAfterSeconds };
      for (const { outcome, count } of counts) metrics.handshakes(outcome, count);
      return {};
    },
  }) satisfies Partial<Handlers>;
