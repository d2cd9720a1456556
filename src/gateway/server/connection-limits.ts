/*
 * What one connection of an endpoint may cost, and when it is over.
 */

/** Limits that no setting changes. */
export const LIMITS = {
  /** From the upgrade to the first message of the login. */
  firstMessageMs: 10_000,
  /** For each further one: a person looks for a security key or types a code. */
  nextMessageMs: 120_000,
  /** Login, and some proofs of a second factor. */
  loginMessages: 16,
  /** Requests that wait for their answers at one time. */
  pendingRequests: 32,
  /** Requests above the rate that are answered with `too-many` before the connection ends. */
  refusedRequests: 200,
  /** Pings and pongs: clients send one in some seconds. */
  frames: { count: 20, perMs: 10_000 },
  /** Twice that in silence is the end. */
  pingEveryMs: 25_000,
  /** Bytes that may wait before nothing more is read of who does not take them. */
  pauseBytes: 65_536,
  /** Bytes that may wait before a notice is not taken any more: 16 of the largest envelopes. */
  waitingBytes: 262_144,
  /** How long bytes may wait. */
  slowReaderMs: 10_000,
  /** How long a farewell may take. */
  farewellMs: 1_000,
  /** When to come again while the database does not answer. */
  retryAfterSeconds: 5,
} as const;

/** Whether nothing at all came for two pings. */
export const isSilent = (aliveMs: number, nowMs: number): boolean =>
  nowMs - aliveMs > 2 * LIMITS.pingEveryMs;

/**
 * When the session of a connection ends, in Unix milliseconds: at its absolute end, or at once (0) if no message came for
 * the idle time, that of the gateway or a shorter one of its roles. Pings count for nothing: a library sends them, not a
 * person.
 */
export function sessionEnd(
  { endsAt, idleSeconds = Infinity }: { readonly endsAt: number; readonly idleSeconds?: number },
  silentMs: number,
  idleTimeoutSeconds: number,
): number {
  return silentMs >= Math.min(idleSeconds, idleTimeoutSeconds) * 1_000 ? 0 : endsAt;
}
