/* How registrations of relays come to nothing. What should not happen at all is in network-anomalies.ts. */

/** Why a registration is refused or ended: a closed list and a metric label. */
export const REGISTRATION_REFUSALS = [
  'wrong-pool',
  'not-permitted',
  'second-boot',
  'out-of-turn',
  'too-many-heartbeats',
  'superseded',
  'table-full',
] as const;
/** One of REGISTRATION_REFUSALS. */
export type RegistrationRefusal = (typeof REGISTRATION_REFUSALS)[number];
