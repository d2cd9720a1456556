/*
 * The life of sessions: a slot is taken, moves, is left; what is half open, idle or expired ends. Admission decides
 * (admission.ts), this file carries out and keeps table, timers and counts in step.
 */
import { Accounts } from './accounts.js';
import { copyAddress } from '../packet/address.js';
import type { Holder } from './holder.js';
import {
  FLOAT,
  SESSION_FLOATS,
  SessionTable,
  slotAt,
  type SessionRecord,
} from './session-table.js';
import { increase, STATISTIC } from '../packet/statistics.js';
import { TimerWheel } from './timer-wheel.js';

/** A session with one holder ends after this long (threats, T11). */
export const HALF_OPEN_MS = 30_000;
/** A session without a packet either way ends after this long: endpoints keep their NAT open more often than that. */
export const IDLE_MS = 120_000;
/** A half-open session gives way to a newcomer in a full table, but not before its peer had a chance to come. */
const EVICTABLE_AFTER_MS = 5_000;

/** Kilobits per second of the settings; a lease may allow less. */
export interface SessionRates {
  readonly softKbpsPerSession: number;
  readonly hardKbpsPerSession: number;
}

/** Kilobits per second as bytes per millisecond. */
const bytesPerMs = (kbps: number): number => kbps / 8;

/** Sessions with their deadlines. Times are monotonic milliseconds. */
export class Sessions {
  readonly table: SessionTable;
  readonly accounts = new Accounts();
  readonly #wheel: TimerWheel;
  /** Half-open sessions, the oldest first. */
  readonly #halfOpen = new Set<number>();
  #rates: SessionRates = { softKbpsPerSession: 0, hardKbpsPerSession: 0 };

  constructor(
    seed: number,
    now: number,
    private readonly statistics: Float64Array,
  ) {
    this.table = new SessionTable(1, seed);
    this.#wheel = new TimerWheel(1, now);
  }

  /** Makes room and sets the limits of every session. Sessions above a smaller capacity stay until they end. */
  configure(maxSessions: number, rates: SessionRates): void {
    this.table.grow(maxSessions);
    this.#wheel.grow(this.table.capacity);
    this.#rates = rates;
    for (const session of this.table.sessions()) this.#setRates(session);
  }

  /** A new session without holders; `take` has to follow at once. */
  open(id: Int32Array, gateway: string): number {
    const record: SessionRecord = {
      gateway,
      holders: [undefined, undefined],
      newestIat: [0, 0],
      halfOpenSince: 0,
    };
    return this.table.create(id, record);
  }

  /** Gives a slot to `holder` at the address at `from`, in place of whoever held it. */
  take(session: number, role: 0 | 1, holder: Holder, from: Address): void {
    const record = this.recordOf(session);
    this.#change(session, from.now, () => {
      const wasHeld = record.holders[role] !== undefined;
      record.holders[role] = holder;
      record.newestIat[role] = Math.max(record.newestIat[role], holder.lease.iatMs);
      copyAddress(from.words, from.at, this.table.words, slotAt(session, role));
      // A session whose second holder has just come is not idle, whatever passed before.
      if (!wasHeld) this.#floats(session)[FLOAT.lastForwarded] = from.now;
    });
  }

  /** Empties a slot; a session without holders ends. */
  leave(session: number, role: 0 | 1, now: number): void {
    const record = this.recordOf(session);
    this.#change(session, now, () => {
      record.holders[role] = undefined;
      this.table.words.fill(0, slotAt(session, role), slotAt(session, role) + 6);
    });
  }

  /** Ends a session. */
  end(session: number): void {
    this.accounts.count(this.recordOf(session), -1);
    this.#forget(session);
    this.#gauge();
  }

  /** Makes one place in a full table, at the cost of the oldest half-open session; false if none is old enough. */
  evictHalfOpen(now: number): boolean {
    for (const oldest of this.#halfOpen) {
      if (now - this.recordOf(oldest).halfOpenSince < EVICTABLE_AFTER_MS) return false;
      this.end(oldest);
      this.#count('sessions_evicted');
      return true;
    }
    return false;
  }

  /** Ends what is due. */
  advance(now: number): void {
    this.#wheel.advance(now, (session) => {
      this.#due(session, now);
    });
  }

  /** When `advance` has something to look at next. */
  get nextTickMs(): number {
    return this.#wheel.nextTickMs;
  }

  /** What admission keeps of a session. @throws Error if it is not held: our own mistake. */
  recordOf(session: number): SessionRecord {
    const record = this.table.records[session];
    if (!record) throw new Error('the session has ended');
    return record;
  }

  #due(session: number, now: number): void {
    for (const role of [0, 1] as const) {
      const holder = this.table.records[session]?.holders[role];
      if (!holder || now < holder.endsAtMs) continue;
      this.leave(session, role, now);
      this.#count('leases_expired');
    }
    const record = this.table.records[session];
    if (!record) return;
    if (now < this.#deadline(session)) {
      this.#wheel.set(session, this.#deadline(session));
      return;
    }
    this.end(session);
    this.#count(isHalfOpen(record) ? 'sessions_half_open_ended' : 'sessions_idle_ended');
  }

  #deadline(session: number): number {
    const { holders, halfOpenSince } = this.recordOf(session);
    const ends = holders.map((holder) => holder?.endsAtMs ?? Number.POSITIVE_INFINITY);
    const quiet =
      holders[0] && holders[1]
        ? (this.#floats(session)[FLOAT.lastForwarded] ?? 0) + IDLE_MS
        : halfOpenSince + HALF_OPEN_MS;
    return Math.min(...ends, quiet);
  }

  #change(session: number, now: number, change: () => void): void {
    const record = this.recordOf(session);
    const before = isHalfOpen(record);
    this.accounts.count(record, -1);
    change();
    this.accounts.count(record, 1);
    if (!record.holders[0] && !record.holders[1]) {
      this.#forget(session);
    } else {
      this.#setHalfOpen(session, before, now);
      this.#setValidity(session);
      this.#setRates(session);
      this.#wheel.set(session, this.#deadline(session));
    }
    this.#gauge();
  }

  #setHalfOpen(session: number, before: boolean, now: number): void {
    const record = this.recordOf(session);
    if (!isHalfOpen(record)) this.#halfOpen.delete(session);
    else if (!before) {
      record.halfOpenSince = now;
      this.#halfOpen.add(session);
    }
  }

  #setValidity(session: number): void {
    const [client, server] = this.recordOf(session).holders;
    this.#floats(session)[FLOAT.validUntil] =
      client && server ? Math.min(client.endsAtMs, server.endsAtMs) : Number.NEGATIVE_INFINITY;
  }

  #setRates(session: number): void {
    const leases = this.recordOf(session).holders.flatMap((holder) => holder?.lease ?? []);
    const { softKbpsPerSession, hardKbpsPerSession } = this.#rates;
    const floats = this.#floats(session);
    const hard = Math.min(hardKbpsPerSession, ...leases.map((lease) => lease.hardKbps));
    const soft = Math.min(softKbpsPerSession, ...leases.map((lease) => lease.softKbps));
    floats[FLOAT.hardRate] = bytesPerMs(hard);
    floats[FLOAT.softRate] = bytesPerMs(Math.min(soft, hard));
  }

  #floats(session: number): Float64Array {
    return this.table.floats.subarray(session * SESSION_FLOATS, (session + 1) * SESSION_FLOATS);
  }

  #forget(session: number): void {
    this.#wheel.clear(session);
    this.#halfOpen.delete(session);
    this.table.remove(session);
  }

  #gauge(): void {
    this.statistics[STATISTIC.sessions] = this.table.size;
    this.statistics[STATISTIC.sessions_half_open] = this.#halfOpen.size;
  }

  #count(name: keyof typeof STATISTIC): void {
    increase(this.statistics, STATISTIC[name]);
  }
}

/** Where a proof came from, and when. */
export interface Address {
  readonly words: Uint32Array;
  readonly at: number;
  readonly now: number;
}

const isHalfOpen = ({ holders }: SessionRecord): boolean =>
  (holders[0] === undefined) !== (holders[1] === undefined);
