/** Which rule the calling code broke. Closed. */
export type SessionMisuseCode = 'ERR_SESSION_CLOSED' | 'ERR_SESSION_COUNTER_EXHAUSTED';

/** The session was closed and its keys are gone; nothing was sent or read. */
export class SessionClosedError extends Error {
  override readonly name = 'SessionClosedError';
  readonly code: SessionMisuseCode = 'ERR_SESSION_CLOSED';
  constructor() {
    super('the session is closed: its keys are erased');
  }
}

/** All 2^64 - 1 counters of this direction are used; one more would reuse a nonce or take the one of REKEY. */
export class CounterExhaustedError extends Error {
  override readonly name = 'CounterExhaustedError';
  readonly code: SessionMisuseCode = 'ERR_SESSION_COUNTER_EXHAUSTED';
  constructor() {
    super('the counter of this direction is exhausted: begin a new session');
  }
}
