import { performance } from 'node:perf_hooks';
import type { Clock } from './clock.js';

/** The machine's clocks. */
export const systemClock: Clock = {
  now: () => new Date(),
  monotonicMs: () => performance.now(),
};
