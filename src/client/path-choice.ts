/*
 * Which way is used (architecture, 5): direct first, then through a relay. A direct way counts only when a sealed
 * challenge was answered on it; a relay forwards to the holder of the other lease and to nobody else, so its way may be
 * used before its proof, when there is no better one.
 *
 * Of two relays the newer one is used as soon as the peer answered there, over UDP or TLS alike, because the older one
 * is about to end; before that the older one, where the peer is. Within one relay UDP comes before TLS.
 */
import { PATH_KINDS, type DatagramPath } from './datagram-path.js';

/**
 * A way that does not answer for this long, though something was sent on it, is left: four questions were lost, or one
 * of the two directions. Both sides may have to find out one after the other, within the 5 s of a move.
 */
export const SILENT_AFTER_MS = 1_500;

/** What is known of a way. Times are monotonic. */
export interface KnownPath {
  readonly path: DatagramPath;
  /** The first datagram that went on it since the last one came; Infinity if none did. */
  unansweredSinceMs: number;
  /** When the peer was last heard on it. */
  heardMs: number;
}

/** When `known` will have been silent for too long. */
export const silentAtMs = ({ unansweredSinceMs }: KnownPath): number =>
  unansweredSinceMs + SILENT_AFTER_MS;

/** The way that datagrams go, or undefined if there is none. `isProven` is that of the session. */
export function choosePath(
  known: readonly KnownPath[],
  isProven: (path: DatagramPath) => boolean,
): DatagramPath | undefined {
  const open = known.map(({ path }) => path).filter(({ isOpen }) => isOpen);
  const usable = open.filter((path) => path.kind !== 'direct' || isProven(path));
  return usable.sort((a, b) => byProof(a, b, isProven))[0];
}

function byProof(
  a: DatagramPath,
  b: DatagramPath,
  isProven: (path: DatagramPath) => boolean,
): number {
  const proven = isProven(a);
  if (proven !== isProven(b)) return proven ? -1 : 1;
  if ((a.kind === 'direct') !== (b.kind === 'direct')) return a.kind === 'direct' ? -1 : 1;
  const newerFirst = b.generation - a.generation;
  const byKind = PATH_KINDS.indexOf(a.kind) - PATH_KINDS.indexOf(b.kind);
  return (proven ? newerFirst : -newerFirst) || byKind;
}
