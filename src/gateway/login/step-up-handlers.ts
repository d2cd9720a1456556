/*
 * Step-up: a second factor is shown again for what asks for a fresh proof.
 */
import type { Handlers } from '../caller.js';
import { demandOf, refuse, STEP_UP_MS, type HandlerParts } from './handler-parts.js';
import { secondsUntil } from './lockout-rules.js';

/** Handlers of `step-up.*`. */
export function stepUpHandlers(parts: HandlerParts) {
  const { store, factors, pending } = parts;
  return {
    'step-up.begin': async (_, { caller, connection, now }) => {
      const asked = await factors.ask(caller.account, demandOf(parts, caller.account), now);
      if (asked === undefined) return refuse('second-factor-needed');
      pending.stepUps.put(connection.id, asked, asked.until);
      const { kinds, webAuthn } = asked;
      return { kinds: [...kinds], ...(webAuthn === undefined ? {} : { webAuthn }) };
    },
    'step-up.prove': async ({ proof }, context) => {
      const { caller, connection, now } = context;
      // A question is for one proof: taken before anything is awaited, so that two at once need two.
      const asked = pending.stepUps.take(connection.id, now);
      if (asked === undefined) return refuse('proof-invalid');
      const verdict = await factors.prove(caller, proof, asked, now);
      if (!verdict.held) {
        const { lockedUntil } = verdict;
        if (lockedUntil === undefined) return refuse('proof-invalid');
        return { refused: 'too-many', retryAfterSeconds: secondsUntil(lockedUntil, now) };
      }
      if (!asked.satisfies) {
        pending.shown.put(connection.id, true, now + STEP_UP_MS);
        return refuse('second-factor-needed');
      }
      await store.setSecondFactor(caller.session, now);
      context.become({ ...connection.caller, secondFactorAt: now, mustEnrol: false });
      return { until: now + STEP_UP_MS };
    },
  } satisfies Partial<Handlers>;
}
