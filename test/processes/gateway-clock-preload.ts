/*
 * Loaded before a program under test, in its process: its wall clock is ahead by the milliseconds that stand in the file
 * CLOCK_FILE. The monotonic clock and timers stay as they are.
 */
import { readFileSync } from 'node:fs';

const file = process.env['CLOCK_FILE'] ?? '';
const LOOK_EVERY_MS = 50;
let aheadMs = 0;

setInterval(() => {
  aheadMs = Number(readFileSync(file, 'utf8'));
}, LOOK_EVERY_MS).unref();

const RealDate = Date;
globalThis.Date = class extends RealDate {
  constructor(...parts: ConstructorParameters<typeof RealDate> | []) {
    if (parts.length === 0) super(RealDate.now() + aheadMs);
    else super(...parts);
  }
  static override now(): number {
    return RealDate.now() + aheadMs;
  }
} as DateConstructor; // Nobody calls it as a function.
