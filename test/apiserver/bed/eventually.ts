/**
 * Calls `look` until it gives something truthy, and gives that. Errors of `look` count as "not yet";
 * the last one is the cause of the failure. `timeoutMs` is 10,000 unless told.
 */
export async function eventually<T>(
  what: string,
  look: () => Promise<T> | T,
  { timeoutMs = 10_000, everyMs = 25 }: { timeoutMs?: number; everyMs?: number } = {},
): Promise<NonNullable<T>> {
  const deadline = performance.now() + timeoutMs;
  let cause: unknown;
  do {
    try {
      const seen = await look();
      if (seen) return seen;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  } while (performance.now() < deadline);
  throw new Error(`Not within ${timeoutMs} ms: ${what}`, { cause });
}
