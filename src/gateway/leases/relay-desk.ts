/*
 * Where relays register (wire formats, B: relay to gateway): conversations with those that are connected to this replica,
 * what they are told, and what the registry makes of what they say. No socket is seen here.
 */
import type { AuditEmitter } from '../../audit/emitter.js';
import type { FromGateway, FromRelay } from '../../messages/relay-registry.js';
import type { Clock } from '../../runtime/clock.js';
import type { Logger } from '../../runtime/log.js';
import type { Bus } from '../bus.js';
import type { RelayConversation } from '../rooms.js';
import type { RelayAnomaly } from '../network-anomalies.js';
import type { RegistrationRefusal } from './anomalies.js';
import type { LeaseFiles } from './lease-files.js';
import { relayAnomaly, relayRegistered } from './lease-records.js';
import type { LeaseMetrics } from './lease.metrics.js';
import { RelayRegistry, type Moment } from './registry.js';
import { relayIdOf } from './relay-directory.js';
import { RevokedLeases } from './revoked-leases.js';

/** Leases that one message names; far below what a relay or a bus takes. */
const BATCH = 1_000;
/** Key ids that one message names. */
const MAX_KIDS = 48;

/** What the desk is made from. */
export interface RelayDeskParts {
  readonly bus: Pick<Bus, 'tell'>;
  readonly clock: Clock;
  readonly files: Pick<LeaseFiles, 'relays'>;
  readonly metrics: LeaseMetrics;
  readonly audit: AuditEmitter;
  readonly log: Logger;
  /** Ids of revoked lease keys. */
  revokedKids(): readonly string[];
  /** Relays are not what they were. */
  changed(): void;
}

/** What a conversation answers. */
type Answer = ReturnType<RelayConversation['receive']>;
type Register = Extract<FromRelay, { type: 'register' }>;

/** The relays of this replica. */
export class RelayDesk {
  readonly registry = new RelayRegistry({
    isKnown: (rid) => this.parts.files.relays()?.placeOf(rid) !== undefined,
    anomaly: (kind, rid) => {
      this.anomaly(kind, rid);
    },
  });
  readonly revoked = new RevokedLeases();
  /** How to reach each relay that is registered here, by its id. */
  readonly #senders = new Map<string, (message: FromGateway) => void>();

  constructor(private readonly parts: RelayDeskParts) {}

  /** Begins a registration of who showed `identity`; undefined: its pool may not register here. */
  accept(identity: string, send: (message: FromGateway) => void): RelayConversation | undefined {
    if (this.#poolOf(identity) === undefined) {
      this.parts.metrics.registered('not-permitted');
      return undefined;
    }
    const connection = {};
    let rid: string | undefined;
    return {
      receive: (message) => {
        const pool = this.#poolOf(identity);
        if (pool === undefined) return this.#end('not-permitted', rid);
        if (message.type === 'heartbeat') return this.#heartbeat(rid, connection, message);
        if (rid !== undefined) return this.#outOfTurn(rid);
        const taken = this.#register(pool, message, connection);
        if (typeof taken !== 'string') return taken;
        rid = taken;
        this.#senders.set(rid, send);
        return { send: this.#welcome() };
      },
      closed: () => {
        if (rid !== undefined) this.#closed(rid, send);
      },
    };
  }

  /** Tells every relay here that these leases and keys are worth nothing. */
  revoke(jti: readonly string[], kids: readonly string[]): void {
    if (jti.length + kids.length === 0) return;
    const messages = revocations(jti, kids);
    for (const send of this.#senders.values()) for (const message of messages) send(message);
  }

  /** Something began that should not be: counted, logged and on record. */
  anomaly(kind: RelayAnomaly, rid: string): void {
    this.parts.metrics.anomaly(kind);
    this.parts.log.warn('relay anomaly', { kind, relay: rid });
    this.parts.audit.emit(relayAnomaly(kind, rid));
  }

  /** Tells other replicas what is registered here. */
  tellAll(): void {
    for (const relay of this.registry.reports(this.parts.clock.monotonicMs()))
      this.parts.bus.tell({ type: 'relay', relay });
  }

  #poolOf(identity: string): string | undefined {
    return this.parts.files.relays()?.poolOf(identity);
  }

  #register(pool: string, message: Register, connection: object): string | Answer {
    const claimed = relayIdOf(pool, message.ordinal);
    if (message.pool !== pool) {
      this.anomaly('relay-wrong-pool', claimed);
      return this.#end('wrong-pool', claimed);
    }
    const taken = this.registry.register(pool, message, connection, this.#now());
    if (typeof taken !== 'string') return this.#end(taken.refused, claimed);
    this.parts.metrics.registered();
    this.parts.log.info('relay registered', { relay: taken });
    this.parts.audit.emit(relayRegistered(taken));
    this.parts.changed();
    return taken;
  }

  #heartbeat(
    rid: string | undefined,
    connection: object,
    message: Extract<FromRelay, { type: 'heartbeat' }>,
  ): Answer {
    if (rid === undefined) return this.#end('out-of-turn', undefined);
    const before = this.registry.report(rid);
    const now = this.#now();
    const refused = this.registry.heartbeat(rid, connection, message, now);
    if (refused !== undefined) return this.#end(refused, rid);
    this.parts.changed();
    const after = this.registry.report(rid);
    const isNews = message.seq === 1 || before?.draining !== after?.draining;
    if (isNews && after) this.parts.bus.tell({ type: 'relay', relay: after });
    return { send: [{ type: 'ack', seq: message.seq, at: Math.floor(now.unixMs) }] };
  }

  #outOfTurn(rid: string): Answer {
    this.anomaly('relay-message', rid);
    return this.#end('out-of-turn', rid);
  }

  #end(refused: RegistrationRefusal, rid: string | undefined): Answer {
    this.parts.metrics.registered(refused);
    this.parts.log.warn('registration ended', { reason: refused, relay: rid });
    if (rid !== undefined) this.parts.audit.emit(relayRegistered(rid, refused));
    return { send: [], close: true };
  }

  #closed(rid: string, send: (message: FromGateway) => void): void {
    // The same process may have registered again on another connection, which stays.
    if (this.#senders.get(rid) !== send) return;
    this.#senders.delete(rid);
    this.registry.closed(rid);
    this.parts.changed();
    const relay = this.registry.report(rid);
    if (relay) this.parts.bus.tell({ type: 'relay', relay });
  }

  /** What was revoked and has not expired; more than one message names follows as revocations. */
  #welcome(): FromGateway[] {
    const revoked = this.revoked.list(this.parts.clock.now().getTime());
    const kids = this.parts.revokedKids().slice(0, MAX_KIDS);
    const first = { type: 'welcome' as const, revoked: revoked.slice(0, BATCH), kids };
    return [first, ...revocations(revoked.slice(BATCH), [])];
  }

  #now(): Moment {
    const { clock } = this.parts;
    return { monotonicMs: clock.monotonicMs(), unixMs: clock.now().getTime() };
  }
}

function revocations(jti: readonly string[], kids: readonly string[]): FromGateway[] {
  const messages: FromGateway[] = [];
  for (let at = 0; at < jti.length; at += BATCH)
    messages.push({ type: 'revoke', jti: jti.slice(at, at + BATCH), kids: [] });
  for (let at = 0; at < kids.length; at += MAX_KIDS)
    messages.push({ type: 'revoke', jti: [], kids: kids.slice(at, at + MAX_KIDS) });
  return messages;
}
