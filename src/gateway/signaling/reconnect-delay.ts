/** Shortest and longest wait before a further attempt; clients are to be back within 5 seconds. */
const FIRST_MS = 100;
const LONGEST_MS = 2_000;

/**
 * How long to wait before the next attempt after `failures` attempts in a row, in milliseconds: doubled each time, and
 * spread over its upper half by `fraction` (0 to 1), so that replicas do not come back all at once.
 */
export function reconnectDelayMs(failures: number, fraction: number): number {
  const longest = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failures, 10));
  return Math.round(longest * (0.5 + fraction / 2));
}
