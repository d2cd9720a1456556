/*
 * What happened, told three ways at once: a log line, a counter and an audit record. No line names a lease, a session or
 * an address.
 */
import { createLineEmitter } from '../../audit/stdout.emitter.js';
import type { Logger } from '../../runtime/log.js';
import type { Counter, Metrics } from '../../runtime/metrics.js';
import type { LineSink } from '../../runtime/pino.log.js';
import { systemClock } from '../../runtime/system.clock.js';
import { REFUSED_ENDPOINTS, type RefusedEndpoint } from './peer-identity.js';
import { RELAY_FILES, type RelayFile } from './relay.files.js';
import {
  drainAsked,
  endpointRefused,
  fileLoaded,
  leasesRevoked,
  registeredAt,
  type Named,
} from './security-events.js';

/** Kinds of `sallyport_network_anomalies_total` that a relay sees. */
const ANOMALIES = ['registration-endpoint', 'foreign-drain'] as const;

/** How long a gateway that is not reached is logged once. */
const QUIET_MS = 60_000;
/** More than a directory holds. */
const MAX_QUIET = 512;

/** Who is told. */
export interface RelayEventsParts {
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Audit records. */
  readonly audit: LineSink;
  /** Name of the pod. */
  readonly pod: string;
  readonly pool: Named;
}

/** Tells what happened. */
export class RelayEvents {
  readonly #audit;
  readonly #anomalies: Counter;
  readonly #registrations: Counter;
  readonly #loads: Counter;
  /** Until when a gateway that is not reached is not logged again, in monotonic ms, by its name. */
  readonly #quiet = new Map<string, number>();

  constructor(private readonly parts: RelayEventsParts) {
    const { metrics, audit, pod } = parts;
    this.#audit = createLineEmitter({ component: 'relay', instance: pod }, systemClock, audit);
    this.#anomalies = metrics.counter({
      name: 'sallyport_network_anomalies_total',
      help: 'What should not happen in a network of ours, by kind.',
      labelNames: ['kind'],
    });
    this.#registrations = metrics.counter({
      name: 'sallyport_relay_registration_attempts_total',
      help: 'Attempts to register at a gateway, by how they ended.',
      labelNames: ['outcome', 'reason'],
    });
    this.#loads = metrics.counter({
      name: 'sallyport_relay_file_loads_total',
      help: 'Readings of a mounted file, by whether its content was taken over.',
      labelNames: ['file', 'outcome'],
    });
    this.#beginAtZero();
  }

  /** A registration stands. */
  registered(gateway: Named): void {
    this.#registrations.inc({ outcome: 'success', reason: 'registered' });
    this.#quiet.delete(nameOf(gateway));
    this.parts.log.info('registered', { gateway: nameOf(gateway) });
    this.#audit.emit(registeredAt(gateway));
  }

  /** A gateway was not reached. */
  unreachable(gateway: Named, code: string): void {
    this.#registrations.inc({ outcome: 'failure', reason: 'unreachable' });
    const now = systemClock.monotonicMs();
    if (now < (this.#quiet.get(nameOf(gateway)) ?? 0)) return;
    // Names of gateways that left the directory go with the others, now and then.
    if (this.#quiet.size >= MAX_QUIET) this.#quiet.clear();
    this.#quiet.set(nameOf(gateway), now + QUIET_MS);
    this.parts.log.warn('gateway not reached', { gateway: nameOf(gateway), code });
  }

  /** Something answered that is not the gateway. */
  refused(gateway: Named, reason: RefusedEndpoint): void {
    this.#registrations.inc({ outcome: 'failure', reason });
    this.#anomalies.inc({ kind: 'registration-endpoint' });
    this.parts.log.error('registration endpoint refused', { gateway: nameOf(gateway), reason });
    this.#audit.emit(endpointRefused(gateway, reason));
  }

  /** A gateway ended leases and keys of its own. */
  revoked(gateway: Named, leases: number, keys: number): void {
    if (leases + keys === 0) return;
    this.parts.log.info('leases revoked', { gateway: nameOf(gateway), leases, keys });
    this.#audit.emit(leasesRevoked(gateway));
  }

  /** The relay drains from now on. */
  draining(by: Named | 'Signal' | 'Command', seconds: number): void {
    this.parts.log.info('draining', { by: typeof by === 'string' ? by : nameOf(by), seconds });
    this.#audit.emit(drainAsked(this.parts.pool, by, 'success'));
  }

  /** A gateway of another namespace wanted this relay to drain. */
  foreignDrain(gateway: Named): void {
    this.#anomalies.inc({ kind: 'foreign-drain' });
    this.parts.log.warn('drain refused: not a gateway of the pool’s namespace', {
      gateway: nameOf(gateway),
    });
    this.#audit.emit(drainAsked(this.parts.pool, gateway, 'failure'));
  }

  /** A file was read. */
  loaded(file: RelayFile, outcome: 'success' | 'failure'): void {
    this.#loads.inc({ file, outcome });
    this.#audit.emit(fileLoaded(this.parts.pool, file, outcome));
  }

  /** Every series is there from the start, so that an increase is seen. */
  #beginAtZero(): void {
    for (const kind of ANOMALIES) this.#anomalies.inc({ kind }, 0);
    this.#registrations.inc({ outcome: 'success', reason: 'registered' }, 0);
    for (const reason of ['unreachable', ...REFUSED_ENDPOINTS])
      this.#registrations.inc({ outcome: 'failure', reason }, 0);
    for (const file of RELAY_FILES)
      for (const outcome of ['success', 'failure']) this.#loads.inc({ file, outcome }, 0);
  }
}

const nameOf = ({ namespace, name }: Named): string => `${namespace}/${name}`;
