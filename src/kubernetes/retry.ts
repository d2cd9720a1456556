import type { ApiError } from './api-error.js';

/** A call is sent at most this many times; then its caller's own backoff takes over. */
export const MAX_ATTEMPTS = 6;

/** The pause where the server names none, doubled at each attempt. */
const FIRST_PAUSE_MS = 250;

/** The longest pause within one call; a server that wants more gets its wish from the work queue. */
const MAX_PAUSE_MS = 15_000;

/** Up to this share is added to each pause, so that refused callers do not come back together. */
const JITTER = 0.25;

/** What decides about sending a call again. */
export interface Retry {
  /** How often the call was sent so far, at least 1. */
  readonly attempt: number;
  /** Milliseconds until the call's deadline. */
  readonly remainingMs: number;
  /** From 0 to 1. */
  readonly random: number;
}

/**
 * Milliseconds to wait before a refused call is sent again; undefined when it should fail now.
 * The server did not act on a call that it answered with 429, and says by Retry-After that it did not on any
 * other; so this holds for writes too. Pauses are never shorter than Retry-After.
 */
export function retryPauseMs(error: ApiError, retry: Retry): number | undefined {
  if (!mayRetry(error) || retry.attempt >= MAX_ATTEMPTS) return undefined;
  const asked = (error.retryAfterSeconds ?? 0) * 1000;
  if (asked > MAX_PAUSE_MS) return undefined;
  const grown = Math.min(FIRST_PAUSE_MS * 2 ** (retry.attempt - 1), MAX_PAUSE_MS);
  const pause = Math.max(asked, grown) * (1 + JITTER * retry.random);
  return pause < retry.remainingMs ? pause : undefined;
}

function mayRetry(error: ApiError): boolean {
  if (error.kind === 'TooManyRequests') return true;
  return error.code >= 500 && error.retryAfterSeconds !== undefined;
}
