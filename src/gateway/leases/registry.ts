/*
 * The relay registry without sockets, clocks and files: who is registered here, what other replicas say, and what is
 * wrong with it. Everything comes in as arguments; anomalies go out through one function, each when it begins.
 *
 *   register --accepted--> heartbeats --silent for three intervals--> missing --heartbeat--> ...
 *      |                        |
 *      +--- refused             +--- closed, superseded by the same process, out of turn
 */
import type { RelayReport } from '../bus.js';
import { HEARTBEAT_SECONDS, type FromRelay } from '../../messages/relay-registry.js';
import type { RelayAnomaly } from '../network-anomalies.js';
import type { RegistrationRefusal } from './anomalies.js';
import { MAX_CLOCK_OFF_MS, type RelayFacts } from './key-choice.js';
import { relayIdOf } from './relay-directory.js';
import { isPlausible } from './relay-load.js';
import {
  ALIVE_MS,
  factsOf,
  isAlive,
  isContested,
  isElsewhere,
  registered,
  type LocalRelay,
  type RelayRecord,
} from './relay-record.js';

/** Both clocks at one moment, in milliseconds. */
export interface Moment {
  readonly monotonicMs: number;
  readonly unixMs: number;
}

type Register = Extract<FromRelay, { type: 'register' }>;
type Heartbeat = Extract<FromRelay, { type: 'heartbeat' }>;

/** As many relays as relays.json can name; a credential of one pool could claim 10,000 ids. */
const MAX_RELAYS = 8_192;
/** More registrations than this in FLAP_WINDOW_MS are no accident. */
const MAX_REGISTRATIONS = 3;
const FLAP_WINDOW_MS = 300_000;
/** A relay says at once what changed, but keys and draining do not change several times a second. */
const MAX_HEARTBEATS_AHEAD = 20;
/** Addresses reach relays.json within a minute or two of a relay's start. */
const UNKNOWN_AFTER_MS = 300_000;
/** A relay with an address has so long to register for the first time. */
const ABSENT_AFTER_MS = 60_000;

/** What the registry needs to know, and whom it tells. */
export interface RegistryParts {
  /** Whether this relay has an address. */
  isKnown(rid: string): boolean;
  /** Something began that should not be. */
  anomaly(kind: RelayAnomaly, rid: string): void;
}

/** Every relay that has registered here or elsewhere. */
export class RelayRegistry {
  readonly #records = new Map<string, RelayRecord>();
  /** Since when relays with an address are expected, by id. */
  readonly #expected = new Map<string, number>();

  constructor(private readonly parts: RegistryParts) {}

  /** Takes a registration in, or says why not. `connection` is any object that is this connection's own. */
  register(
    pool: string,
    { ordinal, boot, kids }: Register,
    connection: object,
    now: Moment,
  ): string | { readonly refused: RegistrationRefusal } {
    const rid = relayIdOf(pool, ordinal);
    const before = this.#records.get(rid);
    if (before && hasOther(before, boot, now.monotonicMs)) {
      this.parts.anomaly('relay-second-boot', rid);
      return { refused: 'second-boot' };
    }
    const record = before ?? this.#newRecord(rid);
    if (!record) return { refused: 'table-full' };
    record.local = registered(record.local, { boot, connection, kids }, now.monotonicMs);
    this.#countRegistration(rid, record, now.monotonicMs);
    return rid;
  }

  /** Takes a heartbeat; a reason to end the connection otherwise. */
  heartbeat(
    rid: string,
    connection: object,
    message: Heartbeat,
    now: Moment,
  ): RegistrationRefusal | undefined {
    const record = this.#records.get(rid);
    const local = record?.local;
    if (!record || local?.connection !== connection) return 'superseded';
    if (message.seq !== local.seq + 1) return this.#outOfTurn(rid, 'out-of-turn');
    const elapsedMs = now.monotonicMs - local.registeredMs;
    if (message.seq > elapsedMs / (HEARTBEAT_SECONDS * 1_000) + MAX_HEARTBEATS_AHEAD)
      return this.#outOfTurn(rid, 'too-many-heartbeats');
    const { sessions, packets, bytes, drops } = message;
    const load = { sessions, packets, bytes, drops, atMs: now.monotonicMs };
    if (!isPlausible(load, local.load, load.atMs - (local.load?.atMs ?? 0)))
      this.parts.anomaly('relay-load', rid);
    record.local = { ...local, ...stateIn(message, now), load, heardMs: now.monotonicMs };
    this.#judge(rid, record, now.monotonicMs);
    return undefined;
  }

  /** The connection under which this relay is registered is gone. */
  closed(rid: string): void {
    const record = this.#records.get(rid);
    if (record?.local) record.local = { ...record.local, connected: false };
  }

  /** Another replica says what it knows of a relay that is registered there. */
  told(from: string, report: RelayReport, nowMs: number): void {
    const before = this.#records.get(report.rid);
    // That a relay left a replica which it is not known to be at is no news.
    if (!report.connected && before?.remote?.from !== from) return;
    const record = before ?? this.#newRecord(report.rid);
    if (!record) return;
    record.remote = { from, toldMs: nowMs, report };
    this.#judge(report.rid, record, nowMs);
  }

  /** What this replica has to tell the others. */
  reports(nowMs: number): RelayReport[] {
    return [...this.#records].flatMap(([rid, { local }]) =>
      isAlive(local, nowMs) && local.clockAheadMs !== undefined ? [reportOf(rid, local)] : [],
    );
  }

  /** What this replica has to tell of one relay; undefined if it has nothing. */
  report(rid: string): RelayReport | undefined {
    const local = this.#records.get(rid)?.local;
    return local && reportOf(rid, local);
  }

  /** Everything that is known of relays, for choosing and for lists. */
  facts(nowMs: number): readonly RelayFacts[] {
    return [...this.#records].map(([rid, record]) => factsOf(rid, record, nowMs));
  }

  /** Time passes; `expected` are the relays with an address. Counts what has begun and forgets what is over. */
  tick(expected: readonly string[], nowMs: number): void {
    for (const [rid, record] of this.#records) this.#judge(rid, record, nowMs);
    const wanted = new Set(expected);
    for (const rid of this.#expected.keys()) if (!wanted.has(rid)) this.#expected.delete(rid);
    for (const rid of expected) this.#lookFor(rid, nowMs);
    for (const [rid, record] of this.#records)
      if (!wanted.has(rid) && isForgotten(record, nowMs)) this.#records.delete(rid);
  }

  /** Counts what holds of a relay now and did not hold before. */
  #judge(rid: string, record: RelayRecord, nowMs: number): void {
    const { local, counted } = record;
    const begins = (kind: RelayAnomaly, holds: boolean): void => {
      if (holds && !counted.has(kind)) this.parts.anomaly(kind, rid);
      if (holds) counted.add(kind);
      else counted.delete(kind);
    };
    const alive = isAlive(local, nowMs);
    begins('relay-second-boot', isContested(record, nowMs));
    begins('relay-missing', isMissing(record, nowMs));
    begins('relay-clock', alive && Math.abs(local.clockAheadMs ?? 0) > MAX_CLOCK_OFF_MS);
    const strange = alive && nowMs - local.registeredMs >= UNKNOWN_AFTER_MS;
    begins('relay-unknown', strange && !this.parts.isKnown(rid));
  }

  /** A relay with an address that has not been heard of anywhere. */
  #lookFor(rid: string, nowMs: number): void {
    const since = this.#expected.get(rid);
    if (since === undefined) this.#expected.set(rid, nowMs);
    else if (this.#records.has(rid)) this.#expected.set(rid, Infinity);
    else if (nowMs - since >= ABSENT_AFTER_MS) {
      this.#expected.set(rid, Infinity);
      this.parts.anomaly('relay-missing', rid);
    }
  }

  #countRegistration(rid: string, record: RelayRecord, nowMs: number): void {
    const recent = record.registrations.filter((at) => nowMs - at < FLAP_WINDOW_MS);
    const isFlapping = recent.length >= MAX_REGISTRATIONS;
    if (isFlapping) this.parts.anomaly('relay-flapping', rid);
    // Counted once for each time that the limit is passed anew.
    record.registrations = isFlapping ? [] : [...recent, nowMs];
  }

  #outOfTurn(rid: string, refusal: RegistrationRefusal): RegistrationRefusal {
    this.parts.anomaly('relay-message', rid);
    return refusal;
  }

  /** A place for one more relay; undefined: the table is full of relays that are there. */
  #newRecord(rid: string): RelayRecord | undefined {
    if (this.#records.size >= MAX_RELAYS && !this.#forgetOne()) return undefined;
    const record: RelayRecord = { registrations: [], counted: new Set() };
    this.#records.set(rid, record);
    return record;
  }

  #forgetOne(): boolean {
    const gone = [...this.#records].find(
      ([rid, { local, remote }]) =>
        local?.connected !== true && remote?.report.connected !== true && !this.parts.isKnown(rid),
    );
    return gone !== undefined && this.#records.delete(gone[0]);
  }
}

/** Whether another process than `boot` holds this id alive, here or at another replica. */
const hasOther = ({ local, remote }: RelayRecord, boot: string, nowMs: number): boolean =>
  (isAlive(local, nowMs) && local.boot !== boot) ||
  (isElsewhere(remote, nowMs) && remote.report.boot !== boot);

const stateIn = ({ seq, kids, draining, at }: Heartbeat, { unixMs }: Moment) => ({
  seq,
  kids,
  draining,
  clockAheadMs: at - Math.floor(unixMs),
});

/** It was here, nobody has heard of it for three intervals, and it did not say that it would leave. */
const isMissing = ({ local, remote }: RelayRecord, nowMs: number): boolean =>
  local !== undefined &&
  !local.draining &&
  nowMs - local.heardMs >= ALIVE_MS &&
  !isElsewhere(remote, nowMs);

const isForgotten = ({ local, remote }: RelayRecord, nowMs: number): boolean =>
  local?.connected !== true &&
  nowMs - Math.max(local?.heardMs ?? -Infinity, remote?.toldMs ?? -Infinity) >= FLAP_WINDOW_MS;

const reportOf = (rid: string, local: LocalRelay): RelayReport => ({
  rid,
  boot: local.boot,
  kids: local.kids,
  sessions: local.load?.sessions ?? 0,
  draining: local.draining,
  clockAheadMs: local.clockAheadMs ?? 0,
  connected: local.connected,
});
