/*
 * Carries the retention settings out, once a minute: expiry of sessions and of working state, deletion of what is older
 * than it may be, and a receipt of each batch. Several replicas may do it at the same time: each row goes once.
 */
import type { AuditEvent } from '../../audit/record.js';
import {
  endedSessionsSince,
  holdAt,
  overdueSince,
  waitingSince,
  type KeptReason,
  type StoredClass,
} from '../retention-rule.js';
import type { Room, RoomContext } from '../rooms.js';
import type { LeaseRow } from '../store.js';
import { StorageUnavailable } from '../store.js';
import type { OpenStore } from './open.store.js';
import { BATCH_ROWS, RetentionTableStore, type Batch } from './retention.store.js';
import { resealOldColumns, unreadableColumns } from './reseal.store.js';

/** How often it runs, in milliseconds. */
const EVERY_MS = 60_000;
/** Batches of one kind in one run: the rest waits for the next one. */
const MAX_BATCHES = 50;
/** Sessions that expire in one statement. */
const EXPIRE_ROWS = 500;

/** What the room needs besides the context. */
export interface RetentionParts {
  readonly store: OpenStore;
  /** Ends leases at relays; the store has revoked them already. */
  readonly leasesEnded: (leases: readonly LeaseRow[]) => Promise<void>;
}

const RECEIPTS: Readonly<Record<StoredClass, string>> = {
  account: 'AccountAtMost',
  device: 'DeviceAtMost',
  session: 'SessionAtMost',
};

/** The room of retention; it answers no requests. */
export class RetentionRoom implements Room {
  readonly handlers = {};
  readonly #rows: RetentionTableStore;
  #ranAtMs = -Infinity;
  #running = false;
  #hold: KeptReason | undefined;
  #unreadable = 0;

  constructor(
    private readonly context: RoomContext,
    private readonly parts: RetentionParts,
  ) {
    this.#rows = new RetentionTableStore(parts.store.database);
  }

  /** What is wrong with stored secrets, for /readyz; undefined when all of them open. */
  problem(): string | undefined {
    if (this.#unreadable === 0) return undefined;
    return `storage: ${this.#unreadable} TOTP secrets are sealed with column keys that are not here: restore the keys, or reset these accounts' factors`;
  }

  async tick(now: number): Promise<void> {
    const atMs = this.context.clock.monotonicMs();
    if (this.#running || atMs - this.#ranAtMs < EVERY_MS) return;
    this.#running = true;
    try {
      await this.run(now);
      this.#ranAtMs = atMs;
    } catch (error) {
      // The next minute is early enough; /readyz says what is wrong with the database.
      this.#ranAtMs = atMs;
      const reason = error instanceof StorageUnavailable ? error.reason : 'failed';
      this.context.log.warn('retention was not carried out', { reason });
    } finally {
      this.#running = false;
    }
  }

  /** One run. @throws StorageUnavailable; what was done until then stays done */
  async run(now: number): Promise<void> {
    await this.#expire(now);
    this.#recordHold(holdAt(this.context.settings().retention, now));
    const deleted = await this.#deleteOverdue(now);
    await resealOldColumns(this.parts.store);
    this.#noteUnreadable(await unreadableColumns(this.parts.store));
    if (deleted > 0) await this.#rows.settle();
  }

  async #expire(now: number): Promise<void> {
    const { sessions, lockout } = this.context.settings().authentication;
    const idleBefore = now - sessions.idleTimeoutSeconds * 1000;
    for (let batch = 0; batch < MAX_BATCHES; batch += 1)
      if ((await this.parts.store.expireSessions(now, idleBefore, EXPIRE_ROWS)) < EXPIRE_ROWS)
        break;
    await this.#rows.workingState(now, lockout.windowSeconds);
  }

  async #deleteOverdue(now: number): Promise<number> {
    const settings = this.context.settings().retention;
    const rows = this.#rows;
    const since = (name: StoredClass) => overdueSince(settings, name, now);
    const accounts = await this.#batches(since('account'), (at) => rows.accounts(at, now));
    this.#receipt('account', accounts);
    const waiting = await this.#deleteWaiting(now);
    const devices = await this.#batches(since('device'), (at) => rows.devices(at, now));
    this.#receipt('device', devices);
    await this.#batches(since('session'), (at) => rows.livingSessions(at, now));
    const ended = endedSessionsSince(settings, now);
    const sessions = await this.#batches(ended, (at) => rows.endedSessions(at, now));
    this.#receipt('session', sessions);
    return accounts + waiting + devices + sessions;
  }

  /** Who was not approved in time has to ask anew; that is on record whatever receipts are wanted. */
  async #deleteWaiting(now: number): Promise<number> {
    const settings = this.context.settings().retention;
    const rows = this.#rows;
    const since = (name: 'account' | 'device') => waitingSince(settings, name, now);
    const accounts = await this.#batches(since('account'), (at) => rows.accounts(at, now, true));
    if (accounts > 0) this.#record('account.expire', 'NotApproved');
    const devices = await this.#batches(since('device'), (at) => rows.devices(at, now, true));
    if (devices > 0) this.#record('device.expire', 'NotApproved');
    return accounts + devices;
  }

  /** Runs batches until one is not full; gives how many rows were deleted. */
  async #batches(
    since: number | undefined,
    run: (since: number) => Promise<Batch>,
  ): Promise<number> {
    if (since === undefined) return 0;
    let deleted = 0;
    for (let at = 0; at < MAX_BATCHES; at += 1) {
      const batch = await run(since);
      deleted += batch.deleted;
      await this.#tell(batch);
      if (batch.deleted < BATCH_ROWS && batch.sessions.length < BATCH_ROWS) break;
    }
    return deleted;
  }

  /** Connections of what is gone end here and at the other replicas. */
  async #tell({ sessions, leases, accounts }: Batch): Promise<void> {
    const { bus, connections } = this.context;
    if (sessions.length > 0) bus.tell({ type: 'sessions-ended', sessions });
    for (const account of accounts) bus.tell({ type: 'account-changed', account });
    for (const session of sessions)
      for (const connection of connections.ofSession(session)) connection.close('session-ended');
    if (leases.length > 0) await this.parts.leasesEnded(leases);
  }

  /** That something of a class was deleted; how much stands in the ledger. */
  #receipt(name: StoredClass, deleted: number): void {
    if (deleted === 0 || !this.context.settings().retention.secureDeletion.receipts) return;
    this.#record('retention.delete', RECEIPTS[name]);
  }

  #noteUnreadable(count: number): void {
    if (count === this.#unreadable) return;
    this.#unreadable = count;
    const { log } = this.context;
    if (count > 0) log.error('TOTP secrets do not open: their column keys are missing', { count });
    else log.info('all TOTP secrets open');
  }

  #recordHold(hold: KeptReason | undefined): void {
    if (hold === this.#hold) return;
    this.#hold = hold;
    this.#record('retention.hold', hold ?? 'HoldEnded');
  }

  #record(action: AuditEvent['action'], reason: string): void {
    const { namespace, name, uid } = this.context.settings().gateway;
    const resource = { gvk: 'sallyport.dev/v1alpha1/SignalingGateway', ns: namespace, name, uid };
    const actor = { kind: 'program' } as const;
    this.context.audit.emit({
      ...{ type: 'retention', action, outcome: 'success', reason, resource, actor },
    });
  }
}
