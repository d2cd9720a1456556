/*
 * When alerts fire, in one place: rules and dashboards read the same figures. Ratios are 0 to 1, times are seconds unless
 * they are texts of Prometheus.
 */

/** Failed logins among all. The floor keeps one failure out of four from being a quarter of an attack. */
export const AUTHENTICATION = {
  warningRatio: 0.01,
  criticalRatio: 0.05,
  failuresPerHour: 10,
  lockoutsIn5m: 3,
} as const;

/** Session handshakes that endpoints report as failed. */
export const HANDSHAKES = {
  /** Standard deviations above the day before. */
  deviations: 4,
  /** The deviation is at least this share of the mean, or a flat series would make every step a surge. */
  leastDeviation: 0.25,
  failuresIn5m: 20,
  ratio: 0.2,
} as const;

/** Traffic through a pool. */
export const RELAY_USAGE = {
  /** Powers of two between this hour and the same hour a week ago. */
  doublings: 2,
  /** Bytes per second below which nothing is said. */
  bytesPerSecond: 100_000,
} as const;

/** Acts of administration. */
export const ADMINISTRATION = { deniedRatio: 0.1, deniedIn10m: 5 } as const;

/** What should not happen in a network of ours, in an hour. */
export const ANOMALIES = { warning: 10, critical: 100 } as const;

/** Between a relay's clock and a gateway's. */
export const CLOCKS = { skewSeconds: 1 } as const;

/**
 * Until a certificate ends. Ours live for thirty days and are renewed when a third is left, so that thirty days would
 * always speak and nine say that a renewal did not happen.
 */
export const CERTIFICATES = {
  overdueSeconds: 9 * 86_400,
  warningSeconds: 7 * 86_400,
  criticalSeconds: 86_400,
} as const;

/** Secrets of second factors that could be sealed and opened. */
export const ENCRYPTION = { warningRatio: 0.99, criticalRatio: 0.95, failuresIn5m: 5 } as const;

/** The operator's own work. */
export const OPERATOR = {
  errorRatio: 0.5,
  errorsIn10m: 10,
  repairsPerHour: 3,
  oldestEventSeconds: 900,
} as const;
