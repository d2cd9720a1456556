/*
 * How far a transfer is: a bar with rate and time left for a terminal, a plain line now and then elsewhere.
 */
import type { TransferProgress } from '../../client/files/transfer-progress.js';

const BAR_CHARACTERS = 24;
const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

/** Bytes in decimal units, `20.0 MB`. */
export function bytesText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.95 && unit < UNITS.length - 1) {
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

/** Per cent, rounded down: 100 is said when nothing is missing. */
export const percent = ({ bytes, totalBytes }: TransferProgress): number =>
  totalBytes === 0 ? 100 : Math.floor((100 * bytes) / totalBytes);

/** `[######------]   50 %  10.0 MB of 20.0 MB  5.0 MB/s  2 s left`. */
export function barLine(progress: TransferProgress): string {
  const full = Math.floor((BAR_CHARACTERS * percent(progress)) / 100);
  const bar = `[${'#'.repeat(full)}${'-'.repeat(BAR_CHARACTERS - full)}]`;
  return `${bar} ${progressText(progress)}`;
}

/** The same without the bar. */
export function progressText(progress: TransferProgress): string {
  const { bytes, totalBytes, bytesPerSecond, secondsLeft = 0 } = progress;
  return [
    `${String(percent(progress)).padStart(3)} %`,
    `${bytesText(bytes)} of ${bytesText(totalBytes)}`,
    ...(bytesPerSecond > 0 ? [`${bytesText(bytesPerSecond)}/s`] : []),
    ...(secondsLeft >= 0.5 ? [`${durationText(secondsLeft)} left`] : []),
  ].join('  ');
}
