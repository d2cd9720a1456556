/*
 * Dates of signed statements: unix milliseconds as u64, at most 2^53 - 1 (the last number that every client counts
 * exactly), the first before the second.
 */

/** From when to when a statement holds, in unix milliseconds; the second is the first moment at which it no longer does. */
export interface Validity {
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** How far two clocks may be apart (architecture, 9). Forgiven at the beginning only: nothing lengthens a statement. */
export const CLOCK_SKEW_MS = 30_000;

/** The time at `offset`, or undefined if it is beyond what can be counted exactly. */
export function readTimeMs(view: DataView, offset: number): number | undefined {
  const time = view.getBigUint64(offset);
  return time <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(time) : undefined;
}

/** The two dates at `offset`, or undefined if one is out of range or they are not in order. */
export function readValidity(view: DataView, offset: number): Validity | undefined {
  const notBeforeMs = readTimeMs(view, offset);
  const notAfterMs = readTimeMs(view, offset + 8);
  if (notBeforeMs === undefined || notAfterMs === undefined) return undefined;
  return notBeforeMs < notAfterMs ? { notBeforeMs, notAfterMs } : undefined;
}

/** Whether the statement holds at `nowMs`. */
export function validityAt(
  { notBeforeMs, notAfterMs }: Validity,
  nowMs: number,
): 'valid' | 'not-yet-valid' | 'expired' {
  if (nowMs < notBeforeMs - CLOCK_SKEW_MS) return 'not-yet-valid';
  return nowMs < notAfterMs ? 'valid' : 'expired';
}

/** The time as a u64 takes it. @throws RangeError if it is not a whole number of milliseconds from 0 to 2^53 - 1. */
export function timeField(timeMs: number): bigint {
  if (!Number.isSafeInteger(timeMs) || timeMs < 0)
    throw new RangeError(`${timeMs} is no time in ms`);
  return BigInt(timeMs);
}

/** Both dates as u64 fields. @throws RangeError if one is out of range or they are not in order. */
export function validityFields({ notBeforeMs, notAfterMs }: Validity): readonly [bigint, bigint] {
  if (notBeforeMs >= notAfterMs) throw new RangeError('notAfter is not later than notBefore');
  return [timeField(notBeforeMs), timeField(notAfterMs)];
}
