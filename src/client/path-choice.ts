/*
 * Which way is used (architecture, 5): direct first, then the relay over UDP, then over TLS. A direct way counts only
 * when a sealed challenge was answered on it; a relay forwards to the holder of the other lease and to nobody else, so
 * its way may be used before its proof, when there is no better one.
 */
import { PATH_KINDS, type DatagramPath } from './datagram-path.js';

/** A way that does not answer for this long, though something was sent on it, is left. With its proof it stays within 5 s. */
export const SILENT_AFTER_MS = 3_000;

/** What is known of a way. Times are monotonic. */
export interface KnownPath {
  readonly path: DatagramPath;
  /** The first datagram that went on it since the last one came; Infinity if none did. */
  unansweredSinceMs: number;
}

/** Whether `known` should have answered by now. */
export const isSilent = ({ unansweredSinceMs }: KnownPath, nowMs: number): boolean =>
  nowMs - unansweredSinceMs >= SILENT_AFTER_MS;

/** The way that datagrams go, or undefined if there is none. `isProven` is that of the session. */
export function choosePath(
  known: readonly KnownPath[],
  isProven: (path: DatagramPath) => boolean,
): DatagramPath | undefined {
  const open = known.map(({ path }) => path).filter(({ isOpen }) => isOpen);
  const usable = open.filter((path) => path.kind !== 'direct' || isProven(path));
  return usable.sort((a, b) => rank(a, isProven) - rank(b, isProven))[0];
}

function rank(path: DatagramPath, isProven: (path: DatagramPath) => boolean): number {
  return PATH_KINDS.indexOf(path.kind) + (isProven(path) ? 0 : PATH_KINDS.length);
}
