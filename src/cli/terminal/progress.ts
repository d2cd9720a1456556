/*
 * How far a transfer is: a bar with rate and time left for a terminal, a plain line now and then elsewhere.
 */

/** How far it is. Bytes and milliseconds since it began here; what was there before it began does not count as rate. */
export interface Progress {
  readonly doneBytes: number;
  readonly totalBytes: number;
  readonly startedWithBytes: number;
  readonly elapsedMs: number;
}

const BAR_CHARACTERS = 24;
const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const;
/** Before this much time a rate says nothing. */
const RATE_AFTER_MS = 500;

/** Bytes in decimal units, `20.0 MB`. */
export function bytesText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1_000;
    unit++;
  }
  return `${unit === 0 ? String(Math.round(value)) : value.toFixed(1)} ${UNITS[unit] ?? 'B'}`;
}

/** `1 h 02 min`, `3 min 05 s`, `12 s`. */
export function durationText(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const two = (value: number): string => String(value).padStart(2, '0');
  if (whole >= 3_600)
    return `${Math.floor(whole / 3_600)} h ${two(Math.floor((whole % 3_600) / 60))} min`;
  return whole >= 60 ? `${Math.floor(whole / 60)} min ${two(whole % 60)} s` : `${whole} s`;
}

/** Bytes per second, and seconds that are left; undefined while nobody can tell. */
export function pace(progress: Progress): { readonly rate?: number; readonly left?: number } {
  const { doneBytes, totalBytes, startedWithBytes, elapsedMs } = progress;
  if (elapsedMs < RATE_AFTER_MS || doneBytes <= startedWithBytes) return {};
  const rate = ((doneBytes - startedWithBytes) * 1_000) / elapsedMs;
  return { rate, left: (totalBytes - doneBytes) / rate };
}

/** Per cent, rounded down: 100 is said when nothing is missing. */
export const percent = ({ doneBytes, totalBytes }: Progress): number =>
  totalBytes === 0 ? 100 : Math.floor((100 * doneBytes) / totalBytes);

/** `[######------]  50 %  10.0 MB of 20.0 MB  5.0 MB/s  2 s left`, at most `width` characters. */
export function barLine(progress: Progress, width: number): string {
  const full = Math.floor((BAR_CHARACTERS * percent(progress)) / 100);
  const bar = `[${'#'.repeat(full)}${'-'.repeat(BAR_CHARACTERS - full)}]`;
  return `${bar}  ${progressText(progress)}`.slice(0, Math.max(10, width));
}

/** The same without the bar. */
export function progressText(progress: Progress): string {
  const { rate, left } = pace(progress);
  const parts = [
    `${String(percent(progress)).padStart(3)} %`,
    `${bytesText(progress.doneBytes)} of ${bytesText(progress.totalBytes)}`,
    ...(rate === undefined ? [] : [`${bytesText(rate)}/s`]),
    ...(left === undefined || left === 0 ? [] : [`${durationText(left)} left`]),
  ];
  return parts.join('  ');
}
