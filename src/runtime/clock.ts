/** Time as an argument: the edge holds a real clock, tests hold one that they move. */
export interface Clock {
  /** Wall time. */
  now(): Date;
  /** Milliseconds that never go backwards. */
  monotonicMs(): number;
}
