/*
 * What should not happen between relays and this gateway. A closed list: each is a value of the label `kind` of
 * `sallyport_network_anomalies_total` and the reason of an audit record.
 */
export const RELAY_ANOMALIES = [
  'relay-second-boot', // two processes claim one relay id
  'relay-wrong-pool', // a certificate of one pool names another pool
  'relay-flapping', // a relay registers again and again
  'relay-missing', // a relay fell silent, or one with an address never registered
  'relay-unknown', // a relay without an address stays registered
  'relay-clock', // a relay's clock is too far off
  'relay-load', // a relay's counters cannot be true
  'relay-keys', // a relay does not have a key that it should
  'relay-message', // a relay says what is not its turn, or too much
] as const;
/** One of RELAY_ANOMALIES. */
export type RelayAnomaly = (typeof RELAY_ANOMALIES)[number];

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
