/*
 * Deletions by age, in batches: each is one transaction with its line in the ledger, so that nothing is deleted without
 * one, and nobody waits long.
 */
import { sql } from 'kysely';
import type { DeletionRow } from '../store.js';
import { deleteAccount } from './accounts.store.js';
import type { GatewayDatabase, Writes } from './gateway.database.js';
import { writeDeletions } from './ledger.store.js';
import { integer } from './rows.js';
import { endSessions, type Ended, type SessionsOf } from './sessions.store.js';

/** Rows of one batch. */
export const BATCH_ROWS = 100;

const HOUR_MS = 3_600_000;

/** What a batch did. */
export interface Batch extends Ended {
  readonly deleted: number;
  /** Accounts whose connections have to look again. */
  readonly accounts: readonly string[];
}

/** Deletes rows that are old enough. */
export class RetentionTableStore {
  constructor(private readonly database: GatewayDatabase) {}

  /**
   * Deletes accounts that were registered at `since` or earlier, with all that is of them but revocations; only those
   * that wait for approval when `waiting`.
   */
  accounts(since: number, now: number, waiting = false): Promise<Batch> {
    return this.database.write(async (writes) => {
      const rows = await writes
        .selectFrom('account')
        .select('account')
        .where('registered_on', '<=', integer(since))
        .where('state', 'in', waiting ? ['Pending'] : ['Pending', 'Active', 'Locked'])
        .orderBy('registered_on')
        .limit(integer(BATCH_ROWS))
        .execute();
      const accounts = rows.map(({ account }) => account);
      const ended = await endAll(writes, rows, now);
      let deleted = 0;
      for (const account of accounts)
        if (await deleteAccount(writes, account, line(now))) deleted += 1;
      return { ...ended, deleted, accounts };
    });
  }

  /** Deletes devices that were enrolled at `since` or earlier, with their sessions ended; `waiting` as for accounts. */
  devices(since: number, now: number, waiting = false): Promise<Batch> {
    return this.database.write(async (writes) => {
      const rows = await writes
        .selectFrom('device')
        .select(['account', 'device'])
        .where('enrolled_on', '<=', integer(since))
        .where('state', 'in', waiting ? ['Pending'] : ['Pending', 'Active', 'Revoked'])
        .orderBy('enrolled_on')
        .limit(integer(BATCH_ROWS))
        .execute();
      const ended = await endAll(writes, rows, now);
      for (const { account, device } of rows)
        await writes
          .deleteFrom('device')
          .where('account', '=', account)
          .where('device', '=', device)
          .execute();
      await writeDeletions(writes, [{ ...line(now), class: 'device', count: rows.length }]);
      const accounts = [...new Set(rows.map(({ account }) => account))];
      return { ...ended, deleted: rows.length, accounts };
    });
  }

  /** Ends sessions that live and began at `since` or earlier. */
  livingSessions(since: number, now: number): Promise<Batch> {
    return this.database.write(async (writes) => {
      const rows = await writes
        .selectFrom('session')
        .select(['account', 'session'])
        .where('ended_at', 'is', null)
        .where('began_at', '<=', integer(since))
        .limit(integer(BATCH_ROWS))
        .execute();
      return { ...(await endAll(writes, rows, now)), deleted: 0, accounts: [] };
    });
  }

  /** Deletes records of sessions that ended and began at `since` or earlier. */
  endedSessions(since: number, now: number): Promise<Batch> {
    return this.database.write(async (writes) => {
      const old = writes
        .selectFrom('session')
        .select('session')
        .where('ended_at', 'is not', null)
        .where('began_at', '<=', integer(since))
        .limit(integer(BATCH_ROWS));
      const result = await writes
        .deleteFrom('session')
        .where('session', 'in', old)
        .executeTakeFirst();
      const deleted = Number(result.numDeletedRows);
      await writeDeletions(writes, [{ ...line(now), class: 'session', count: deleted }]);
      return { sessions: [], leases: [], accounts: [], deleted };
    });
  }

  /** Removes invites that expired, and lockouts whose window and lock are over. They are working state, not records. */
  async workingState(now: number, windowSeconds: number): Promise<void> {
    await this.database.write(async (writes) => {
      await writes.deleteFrom('invite').where('expires_at', '<=', integer(now)).execute();
      await writes
        .deleteFrom('lockout')
        .where('window_began_at', '<=', integer(now - windowSeconds * 1000))
        .where((e) => e.or([e('locked_until', 'is', null), e('locked_until', '<=', integer(now))]))
        .execute();
    });
  }

  /** Takes deleted content out of SQLite's log file as well; PostgreSQL's vacuum does it by itself. */
  async settle(): Promise<void> {
    if (this.database.kind !== 'sqlite') return;
    await this.database.read((db) => sql`pragma wal_checkpoint(truncate)`.execute(db));
  }
}

async function endAll(writes: Writes, of: readonly SessionsOf[], now: number): Promise<Ended> {
  const ended: Ended[] = [];
  for (const one of of) ended.push(await endSessions(writes, one, now));
  return {
    sessions: ended.flatMap(({ sessions }) => sessions),
    leases: ended.flatMap(({ leases }) => leases),
  };
}

const line = (now: number): Pick<DeletionRow, 'at' | 'reason'> => ({
  at: now - (now % HOUR_MS),
  reason: 'AtMost',
});
