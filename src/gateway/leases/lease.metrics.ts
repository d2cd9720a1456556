/*
 * Metrics of leases, lease keys and the relay registry. Labels are closed lists: never an account, a relay or an address.
 */
import type { Counter, Gauge, Metrics } from '../../runtime/metrics.js';
import { networkAnomalies, type RelayAnomaly } from '../network-anomalies.js';
import { REGISTRATION_REFUSALS, type RegistrationRefusal } from './anomalies.js';
import { RELAY_STATES, type RelayState } from './key-choice.js';
import { REVOCATION_REASONS, type RevocationReason } from './lease-records.js';

/** How requests for leases end: a closed list and a metric label. */
export const LEASE_OUTCOMES = [
  'issued',
  'bad-request',
  'proof-invalid',
  'no-relay',
  'quota-reached',
  'session-ended',
  'unavailable',
] as const;
/** One of LEASE_OUTCOMES. */
export type LeaseOutcome = (typeof LEASE_OUTCOMES)[number];

/** Files of this room, as readings of them are counted. */
export type LeaseFile = 'lease-keys' | 'relays';

/** What gauges are read from, at each scrape. */
export interface MeasuredLeases {
  /** How many relays are in each state; those with an address that never registered are `Missing`. */
  relayStates(): Readonly<Record<RelayState, number>>;
  /** When the current and the next lease key end, in seconds since 1970; absent: there is none. */
  keyEnds(): { readonly current?: number; readonly next?: number };
}

/** What happened, counted. */
export class LeaseMetrics {
  readonly #leases: Counter;
  readonly #revoked: Counter;
  readonly #grants: Counter;
  readonly #registrations: Counter;
  readonly #anomalies: Counter;

  constructor(metrics: Metrics) {
    this.#leases = metrics.counter({
      name: 'sallyport_leases_requested_total',
      help: 'Requests for relay leases, by how they ended.',
      labelNames: ['outcome', 'reason'],
    });
    this.#revoked = metrics.counter({
      name: 'sallyport_leases_revoked_total',
      help: 'Leases that were ended before they expired, by why.',
      labelNames: ['reason'],
    });
    this.#grants = metrics.counter({
      name: 'sallyport_grants_issued_total',
      help: 'Grants given out.',
    });
    this.#registrations = metrics.counter({
      name: 'sallyport_relay_registrations_total',
      help: 'Registrations of relays at this replica, by how they ended.',
      labelNames: ['outcome', 'reason'],
    });
    this.#anomalies = networkAnomalies(metrics);
    this.#beginAtZero();
  }

  /** A request for a lease was answered. */
  requested(reason: LeaseOutcome): void {
    this.#leases.inc({ outcome: outcomeOf(reason), reason });
  }

  /** `count` leases ended before their time. */
  revoked(reason: RevocationReason, count: number): void {
    this.#revoked.inc({ reason }, count);
  }

  /** A grant was given out. */
  granted(): void {
    this.#grants.inc();
  }

  /** A relay registered; with a reason, it was refused or its connection ended for it. */
  registered(refused?: RegistrationRefusal): void {
    this.#registrations.inc({
      outcome: refused === undefined ? 'success' : 'failure',
      reason: refused ?? 'registered',
    });
  }

  /** Something began that should not be. */
  anomaly(kind: RelayAnomaly): void {
    this.#anomalies.inc({ kind });
  }

  /** Every series is there from the start, so that an increase is seen. */
  #beginAtZero(): void {
    for (const reason of LEASE_OUTCOMES)
      this.#leases.inc({ outcome: outcomeOf(reason), reason }, 0);
    for (const reason of REVOCATION_REASONS) this.#revoked.inc({ reason }, 0);
    this.#grants.inc({}, 0);
    this.#registrations.inc({ outcome: 'success', reason: 'registered' }, 0);
    for (const reason of REGISTRATION_REFUSALS)
      this.#registrations.inc({ outcome: 'failure', reason }, 0);
  }
}

/** Declares what is read at each scrape. */
export function declareLeaseGauges(metrics: Metrics, measured: MeasuredLeases): void {
  metrics.gauge({
    name: 'sallyport_relay_registry_relays',
    help: 'Relays that this replica knows of, by what they are good for; only Live ones get leases.',
    labelNames: ['state'],
    collect: (gauge: Gauge) => {
      const states = measured.relayStates();
      for (const state of RELAY_STATES) gauge.set(states[state], { state });
    },
  });
  metrics.gauge({
    name: 'sallyport_lease_key_not_after_timestamp_seconds',
    help: 'When the lease key ends, by its place in the rotation; 0: there is none.',
    labelNames: ['state'],
    collect: (gauge: Gauge) => {
      const { current = 0, next = 0 } = measured.keyEnds();
      gauge.set(current, { state: 'current' });
      gauge.set(next, { state: 'next' });
    },
  });
}

const outcomeOf = (reason: LeaseOutcome): 'success' | 'failure' =>
  reason === 'issued' ? 'success' : 'failure';
