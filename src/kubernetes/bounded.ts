/**
 * Runs `task` for each item, at most `limit` at a time, started in order; resolves when all have ended. The first
 * rejection is passed on after the running ones ended, and no further one is started.
 */
export async function forEachBounded<T>(
  items: readonly T[],
  limit: number,
  task: (item: T) => Promise<void>,
): Promise<void> {
  let next = 0;
  let failed = false;
  const lane = async (): Promise<void> => {
    while (!failed && next < items.length) {
      const item = items[next++] as T;
      try {
        await task(item);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const lanes = Array.from({ length: Math.min(limit, items.length) }, lane);
  const ended = await Promise.allSettled(lanes);
  const rejected = ended.find((lane) => lane.status === 'rejected');
  if (rejected) throw rejected.reason;
}
