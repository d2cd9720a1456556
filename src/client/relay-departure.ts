/*
 * When an endpoint that has a newer relay leaves the older one, so that no packet of either side is lost:
 *   1. it goes on taking datagrams from both;
 *   2. it sends through the newer one as soon as the peer answered a sealed challenge there (path-choice.ts);
 *   3. it asks the peer through the newer one until the peer's own datagrams come that way too: what is not about a way
 *      itself takes the way that its sender uses;
 *   4. when nothing has come through the older one for LINGER_MS after that, or when the older one ends, it says BYE.
 * A MOVE is not authenticated. So while the peer does not answer at the newer relay, no deadline makes it leave.
 */

/** What is still on its way through the older relay when the peer has moved: far longer than any round trip. */
export const LINGER_MS = 2_000;
/** A peer that answered at the newer relay and goes on sending through the older one is not followed for longer. */
export const STAY_AT_MOST_MS = 30_000;
/** A deadline that has nearly passed, or that somebody invented, leaves at least this long; the least drain is 10 s. */
const LEAST_NOTICE_MS = 5_000;
/** BYE goes before the relay ends. */
const BEFORE_END_MS = 1_000;

/** How both sides use the ways through one relay. Times are monotonic. */
export interface RelayUse {
  /** The peer answered there, and it is open. */
  readonly isProven: boolean;
  /** One of the two sends through it. */
  readonly isInUse: boolean;
  /** When the peer was last heard there; -Infinity if it never was. */
  readonly heardMs: number;
}

/** When the older relay has to be left, by what its MOVE said: `deadlineMs` and `wallMs` are unix ms, the rest monotonic. */
export function endOfMove(
  deadlineMs: number,
  now: { readonly wallMs: number; readonly monotonicMs: number },
): number {
  const noticeMs = Math.max(deadlineMs - now.wallMs - BEFORE_END_MS, LEAST_NOTICE_MS);
  return now.monotonicMs + noticeMs;
}

/** When the older relay is left if nothing changes before; Infinity while it is needed. `endsMs`: at the latest then. */
export function leaveAtMs(older: RelayUse, newer: RelayUse, endsMs: number): number {
  if (!newer.isProven) return Infinity;
  return older.isInUse ? endsMs : Math.min(endsMs, older.heardMs + LINGER_MS);
}
