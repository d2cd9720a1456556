import { randomFillSync, randomInt } from 'node:crypto';

const STEPS = 2 ** 30;

/** Fills `out` with unpredictable bytes. */
export const random = (out: Uint8Array): void => {
  randomFillSync(out);
};

/** A number in [0, 1). */
export const randomFraction = (): number => randomInt(STEPS) / STEPS;
