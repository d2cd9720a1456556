import { byCodeUnit } from '../../runtime/order.js';
import type { LeaseCountRow, LeaseRow, LedgerStore } from '../store.js';
import type { GatewayDatabase, Writes } from './gateway.database.js';
import { AccountUnusable } from '../store.js';
import { integer, leaseRow } from './rows.js';

type Leases = Pick<
  LedgerStore,
  | 'addLease'
  | 'leases'
  | 'takeLeases'
  | 'revokedLeases'
  | 'addRevokedLeases'
  | 'expireLeases'
  | 'takeLeaseCounts'
>;

/** Rows that one statement deletes or inserts: no transaction holds others up for long. */
const BATCH = 1_000;
const HOUR_MS = 3_600_000;

/** Live leases and those that were revoked. */
export class LeaseTableStore implements Leases {
  constructor(private readonly database: GatewayDatabase) {}

  addLease(row: LeaseRow, max: number, now: number): Promise<boolean> {
    return this.database.write(async (writes) => {
      const { account, device, session, jti, kid, expiresAt } = row;
      if ((await this.database.lockAccount(writes, account)) === undefined)
        throw new AccountUnusable();
      const live = await writes
        .selectFrom('lease')
        .select((e) => e.fn.countAll<bigint>().as('n'))
        .where('account', '=', account)
        .where('expires_at', '>', integer(now))
        .executeTakeFirst();
      if (Number(live?.n ?? 0) >= max) return false;
      const values = { account, device, session, jti, kid, expires_at: integer(expiresAt) };
      await writes.insertInto('lease').values(values).execute();
      await countLease(writes, account, now);
      return true;
    });
  }

  takeLeaseCounts(hour: number): Promise<readonly LeaseCountRow[]> {
    return this.database.write(async (writes) => {
      const over = writes
        .selectFrom('lease_count')
        .select('account')
        .distinct()
        .where('hour', '<', integer(hour))
        .orderBy('account')
        .limit(integer(BATCH));
      const taken = await writes
        .deleteFrom('lease_count')
        .where('account', 'in', over)
        .where('hour', '<', integer(hour))
        .returning(['account', 'leases'])
        .execute();
      const rows = taken.map(({ account, leases }) => ({ account, count: Number(leases) }));
      // The order of the first leases would say who came after whom.
      return rows.sort((a, b) => byCodeUnit(a.account, b.account));
    });
  }

  leases(account: string, now: number): Promise<readonly LeaseRow[]> {
    return this.database.read(async (db) => {
      const rows = await db
        .selectFrom('lease')
        .selectAll()
        .where('account', '=', account)
        .where('expires_at', '>', integer(now))
        .orderBy('jti')
        .execute();
      return rows.map(leaseRow);
    });
  }

  async takeLeases(
    of: Partial<Pick<LeaseRow, 'account' | 'session' | 'jti' | 'kid'>>,
    now: number,
  ): Promise<readonly LeaseRow[]> {
    const columns = (['account', 'session', 'jti', 'kid'] as const).flatMap((column) => {
      const value = of[column];
      return value === undefined ? [] : [{ column, value }];
    });
    // A filter that was forgotten must not end everybody's leases.
    if (columns.length === 0) throw new TypeError('takeLeases needs to know whose leases');
    return this.database.write(async (writes) => {
      let query = writes.deleteFrom('lease').where('expires_at', '>', integer(now));
      for (const { column, value } of columns) query = query.where(column, '=', value);
      const taken = (await query.returningAll().execute()).map(leaseRow);
      // In the same transaction: a relay that registers after a crash still hears that they ended.
      await insertRevokedLeases(writes, taken);
      return taken;
    });
  }

  revokedLeases(now: number): Promise<readonly string[]> {
    return this.database.read(async (db) => {
      const query = db.selectFrom('revoked_lease').select('jti');
      const rows = await query.where('expires_at', '>', integer(now)).orderBy('jti').execute();
      return rows.map(({ jti }) => jti);
    });
  }

  addRevokedLeases(rows: readonly Pick<LeaseRow, 'jti' | 'expiresAt'>[]): Promise<void> {
    return this.database.write((writes) => insertRevokedLeases(writes, rows));
  }

  expireLeases(now: number): Promise<number> {
    return this.database.write(async (writes) => {
      const of = <Name extends 'lease' | 'revoked_lease'>(table: Name) =>
        writes
          .selectFrom(table as 'lease')
          .select('jti')
          .where('expires_at', '<=', integer(now))
          .limit(integer(BATCH));
      await writes.deleteFrom('revoked_lease').where('jti', 'in', of('revoked_lease')).execute();
      const result = await writes
        .deleteFrom('lease')
        .where('jti', 'in', of('lease'))
        .executeTakeFirst();
      return Number(result.numDeletedRows);
    });
  }
}

async function countLease(writes: Writes, account: string, now: number): Promise<void> {
  await writes
    .insertInto('lease_count')
    .values({ account, hour: integer(now - (now % HOUR_MS)), leases: 1n })
    .onConflict((conflict) =>
      conflict
        .columns(['account', 'hour'])
        .doUpdateSet((e) => ({ leases: e('lease_count.leases', '+', 1n) })),
    )
    .execute();
}

/** Notes that leases are revoked; those that are known stay as they are. */
export async function insertRevokedLeases(
  writes: Writes,
  rows: readonly Pick<LeaseRow, 'jti' | 'expiresAt'>[],
): Promise<void> {
  for (let at = 0; at < rows.length; at += BATCH) {
    const values = rows
      .slice(at, at + BATCH)
      .map(({ jti, expiresAt }) => ({ jti, expires_at: integer(expiresAt) }));
    await writes
      .insertInto('revoked_lease')
      .values(values)
      .onConflict((conflict) => conflict.column('jti').doNothing())
      .execute();
  }
}
