/**
 * Two connections of one device that began at two replicas within this time cannot know which was first; then that with
 * the higher id stays, at both.
 */
const SIMULTANEOUS_MS = 5_000;

/**
 * Whether a connection here gives way to `newer`, the id of a connection that the same device has opened at another
 * replica. Server and signaling ask the same question, so that what one closes the other no longer counts.
 */
export const givesWayTo = (
  own: { readonly id: string; readonly openedAtMs: number },
  newer: string,
  nowMonotonicMs: number,
): boolean =>
  own.id !== newer && (nowMonotonicMs - own.openedAtMs > SIMULTANEOUS_MS || own.id < newer);
