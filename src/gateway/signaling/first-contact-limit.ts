/*
 * How many first contacts an account has made within an hour. It counts attempts, not people: to count people it would
 * have to remember who addressed whom. Time is kept in steps of five minutes, so that no exact time is kept either.
 */

const STEP_MS = 300_000;
/** An hour and the step that has begun: within any hour no more than the limit is let through. */
const STEPS = 13;
/** Accounts that are remembered: about 10 MB. */
export const MAX_ACCOUNTS = 65_536;

interface Attempts {
  /** Number of the newest step. */
  step: number;
  /** The last steps, newest last. */
  counts: number[];
}

/** First contacts of accounts. */
export class FirstContactLimit {
  /** In the order of their last attempt, oldest first. */
  readonly attempts = new Map<string, Attempts>();

  constructor(private readonly maxAccounts = MAX_ACCOUNTS) {}

  /**
   * Counts one attempt and gives 0; or counts nothing and gives the seconds after which the next one is let through.
   * When too many accounts are remembered the one that was quiet for longest is forgotten: that weakens the limit and
   * denies nobody.
   */
  take(account: string, limit: number, nowMs: number): number {
    const step = Math.floor(nowMs / STEP_MS);
    const counts = this.#countsAt(account, step);
    const waitSteps = stepsUntilBelow(counts, limit);
    if (waitSteps > 0) return Math.ceil(((step + waitSteps) * STEP_MS - nowMs) / 1_000);
    counts[STEPS - 1] = (counts[STEPS - 1] ?? 0) + 1;
    this.attempts.delete(account);
    this.attempts.set(account, { step, counts });
    this.#forget();
    return 0;
  }

  /** Forgets accounts that have made no attempt within the hour. */
  sweep(nowMs: number): void {
    const step = Math.floor(nowMs / STEP_MS);
    for (const [account, { step: last }] of this.attempts) {
      if (step - last < STEPS) return;
      this.attempts.delete(account);
    }
  }

  #countsAt(account: string, step: number): number[] {
    const known = this.attempts.get(account);
    const passed = known === undefined ? STEPS : Math.min(STEPS, Math.max(0, step - known.step));
    return [...(known?.counts.slice(passed) ?? []), ...new Array<number>(passed).fill(0)];
  }

  #forget(): void {
    const oldest = this.attempts.keys().next().value;
    if (this.attempts.size > this.maxAccounts && oldest !== undefined) this.attempts.delete(oldest);
  }
}

/** How many steps must pass until fewer than `limit` attempts are within the hour; 0: now. */
function stepsUntilBelow(counts: readonly number[], limit: number): number {
  let sum = counts.reduce((total, count) => total + count, 0);
  let steps = 0;
  while (sum >= limit && steps < STEPS) sum -= counts[steps++] ?? 0;
  return steps;
}
