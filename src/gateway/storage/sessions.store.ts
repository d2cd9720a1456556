import type { LeaseRow, SessionRow, SessionStore } from '../store.js';
import { AccountUnusable } from '../store.js';
import { isRevoked } from './devices.store.js';
import type { GatewayDatabase, Writes } from './gateway.database.js';
import { insertRevokedLeases } from './leases.store.js';
import { integer, leaseRow, sessionRow } from './rows.js';

/** A session's use is written at most this often, in milliseconds. */
const TOUCH_EVERY_MS = 10_000;
const HOUR_MS = 3_600_000;

/** Whose sessions end. */
export interface SessionsOf {
  readonly account: string;
  readonly device?: string;
  readonly session?: string;
}

/** What ended. */
export interface Ended {
  readonly sessions: readonly string[];
  readonly leases: readonly LeaseRow[];
}

/** Sessions. One that ended stays as a record for its retention, without its token; nothing here gives it out. */
export class SessionTableStore implements SessionStore {
  constructor(
    private readonly database: GatewayDatabase,
    private readonly now: () => number,
  ) {}

  createSession(row: SessionRow): Promise<void> {
    return this.database.write(async (writes) => {
      const { session, account, device, tokenHash, beganAt, endsAt, lastUsedAt } = row;
      const state = await this.database.lockAccount(writes, account);
      // A revocation that comes later finds this session and ends it.
      if (state === undefined || state === 'Locked') throw new AccountUnusable();
      if (await isRevoked(writes, account, device)) throw new AccountUnusable();
      await writes
        .insertInto('session')
        .values({
          session,
          account,
          device,
          token_hash: tokenHash,
          began_at: integer(beganAt),
          ends_at: integer(endsAt),
          last_used_at: integer(lastUsedAt),
          second_factor_at: row.secondFactorAt === undefined ? null : integer(row.secondFactorAt),
          ended_at: null,
        })
        .execute();
    });
  }

  sessionByToken(tokenHash: Uint8Array): Promise<SessionRow | undefined> {
    return this.database.read(async (db) => {
      const query = db.selectFrom('session').selectAll().$narrowType<{ token_hash: Uint8Array }>();
      const row = await query.where('token_hash', '=', tokenHash).executeTakeFirst();
      return row && sessionRow(row);
    });
  }

  sessions(account: string): Promise<readonly SessionRow[]> {
    return this.database.read(async (db) => {
      const rows = await db
        .selectFrom('session')
        .selectAll()
        .$narrowType<{ token_hash: Uint8Array }>()
        .where('account', '=', account)
        .where('ended_at', 'is', null)
        .orderBy('session')
        .execute();
      return rows.map(sessionRow);
    });
  }

  liveSessions(sessions: readonly string[]): Promise<readonly string[]> {
    return this.database.read(async (db) => {
      const query = db.selectFrom('session').select('session').where('ended_at', 'is', null);
      const rows = await query.where('session', 'in', sessions).execute();
      return rows.map(({ session }) => session);
    });
  }

  touchSession(session: string, at: number): Promise<void> {
    return this.touchSessions([[session, at]]);
  }

  touchSessions(uses: readonly (readonly [session: string, at: number])[]): Promise<void> {
    // In one order, so that two replicas do not wait for each other.
    const ordered = [...uses].sort(([a], [b]) => (a < b ? -1 : 1));
    return this.database.write(async (writes) => {
      for (const [session, at] of ordered)
        await writes
          .updateTable('session')
          .set({ last_used_at: integer(at) })
          .where('session', '=', session)
          .where('ended_at', 'is', null)
          .where('last_used_at', '<=', integer(at - TOUCH_EVERY_MS))
          .execute();
    });
  }

  setSecondFactor(session: string, at: number): Promise<void> {
    return this.database.write(async (writes) => {
      await writes
        .updateTable('session')
        .set({ second_factor_at: integer(at) })
        .where('session', '=', session)
        .where('ended_at', 'is', null)
        .execute();
    });
  }

  endSessions(of: SessionsOf): Promise<Ended> {
    return this.database.write(async (writes) => {
      // Sessions that are created at this moment are waited for.
      await this.database.lockAccount(writes, of.account);
      return endSessions(writes, of, this.now());
    });
  }

  expireSessions(now: number, idleBefore: number, limit: number): Promise<number> {
    return this.database.write(async (writes) => {
      const over = writes
        .selectFrom('session')
        .select('session')
        .where('ended_at', 'is', null)
        .where((e) =>
          e.or([e('ends_at', '<=', integer(now)), e('last_used_at', '<', integer(idleBefore))]),
        )
        .limit(integer(limit));
      const result = await asEnded(writes, now).where('session', 'in', over).executeTakeFirst();
      return Number(result.numUpdatedRows);
    });
  }
}

/** Ends sessions and the leases that were taken in them; these are revoked. The account has to be locked. */
export async function endSessions(
  writes: Writes,
  { account, device, session }: SessionsOf,
  now: number,
): Promise<Ended> {
  const which = {
    account,
    ...(device !== undefined && { device }),
    ...(session !== undefined && { session }),
  };
  // Most logins end nothing, and an update that gives rows costs SQLite two tables of 87 kB in memory even so.
  const live = writes.selectFrom('session').select('session').where('ended_at', 'is', null);
  const any = await live.where((e) => e.and(which)).executeTakeFirst();
  if (any === undefined) return { sessions: [], leases: [] };
  const query = asEnded(writes, now).where('ended_at', 'is', null);
  const ended = await query
    .where((e) => e.and(which))
    .returning('session')
    .execute();
  const sessions = ended.map(({ session }) => session).sort();
  // Those whose time was over may have been ended in between.
  if (sessions.length === 0) return { sessions, leases: [] };
  const taken = await writes
    .deleteFrom('lease')
    .where('account', '=', account)
    .where('session', 'in', sessions)
    .where('expires_at', '>', integer(now))
    .returningAll()
    .execute();
  const leases = taken.map(leaseRow);
  await insertRevokedLeases(writes, leases);
  return { sessions, leases };
}

/** What remains of a session that ended: whose it was and the hours in which it began and ended. */
function asEnded(writes: Writes, now: number) {
  return writes.updateTable('session').set((e) => ({
    token_hash: null,
    second_factor_at: null,
    last_used_at: e.ref('began_at'),
    // It lies a whole lifetime after the exact time of the login.
    ends_at: integer(now - (now % HOUR_MS)),
    ended_at: integer(now - (now % HOUR_MS)),
  }));
}
