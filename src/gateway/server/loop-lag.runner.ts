import { monitorEventLoopDelay } from 'node:perf_hooks';

/** How finely pauses are seen. */
const RESOLUTION_MS = 20;
const NS_PER_MS = 1e6;

/** Watches the event loop; gives the longest pause since the last call, in milliseconds, and how to stop. */
export function watchLoopLag(): { take(): number; stop(): void } {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  return {
    take: () => {
      const longest = histogram.max / NS_PER_MS;
      histogram.reset();
      return Math.max(0, longest - RESOLUTION_MS);
    },
    stop: () => {
      histogram.disable();
    },
  };
}
