/*
 * How many handshakes one connection may report: enough for an endpoint with a thousand contacts that comes back, too
 * few for one endpoint to drown the numbers of all others.
 */

/** Handshakes that one connection may report at once. */
export const REPORT_BURST = 1_000;
/** ... and what comes back of it in a second. */
const REPORT_RATE = 1;

/** The budget of one connection. */
export class HandshakeBudget {
  #left = REPORT_BURST;
  #atMs = 0;

  /**
   * Takes `count`, at most REPORT_BURST, from the budget and gives 0; or takes nothing and gives the seconds until it
   * would suffice.
   */
  take(count: number, nowMs: number): number {
    const since = Math.max(0, nowMs - this.#atMs);
    this.#left = Math.min(REPORT_BURST, this.#left + (since / 1_000) * REPORT_RATE);
    this.#atMs = nowMs;
    if (count > this.#left) return Math.ceil((count - this.#left) / REPORT_RATE);
    this.#left -= count;
    return 0;
  }
}
