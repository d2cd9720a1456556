import type { FactorRow, FactorStore, LockoutPolicy, LockoutRow } from '../store.js';
import { AccountUnusable } from '../store.js';
import type { ColumnSeal } from './column.seal.js';
import type { GatewayDatabase, Writes } from './gateway.database.js';
import { type Attempts, countedAttempt, mayBeLookedAt } from './lockout.js';
import { factorRow, integer, lockoutRow, toUnsignedColumn } from './rows.js';

/** Second factors, recovery codes, and lockout. */
export class FactorTableStore implements FactorStore {
  constructor(
    private readonly database: GatewayDatabase,
    private readonly seal: ColumnSeal,
  ) {}

  async factors(account: string): Promise<readonly FactorRow[]> {
    const rows = await this.database.read((db) =>
      db
        .selectFrom('factor')
        .selectAll()
        .where('account', '=', account)
        .orderBy('factor')
        .execute(),
    );
    return rows.map((row) => factorRow(row, this.seal.open(row)));
  }

  async addFactor(row: FactorRow, maxFactors: number): Promise<boolean> {
    const { account, factor, kind, label, enrolledOn, counter } = row;
    const values = {
      ...{ account, factor, kind, label, secret: this.seal.seal(row) },
      enrolled_on: integer(enrolledOn),
      counter: toUnsignedColumn(counter),
    };
    return this.database.write(async (writes) => {
      if ((await this.database.lockAccount(writes, account)) === undefined)
        throw new AccountUnusable();
      if ((await countRows(writes, 'factor', account)) >= maxFactors) return false;
      await writes.insertInto('factor').values(values).execute();
      return true;
    });
  }

  removeFactor(account: string, factor: string): Promise<boolean> {
    return this.database.write(async (writes) => {
      const query = writes.deleteFrom('factor').where('account', '=', account);
      const result = await query.where('factor', '=', factor).executeTakeFirst();
      return result.numDeletedRows === 1n;
    });
  }

  resetFactors(account: string): Promise<void> {
    return this.database.write(async (writes) => {
      await writes.deleteFrom('factor').where('account', '=', account).execute();
      await writes.deleteFrom('recovery_code').where('account', '=', account).execute();
    });
  }

  raiseCounter(account: string, factor: string, to: bigint): Promise<boolean> {
    return this.database.write(async (writes) => {
      const result = await writes
        .updateTable('factor')
        .set({ counter: toUnsignedColumn(to) })
        .where('account', '=', account)
        .where('factor', '=', factor)
        .where('counter', '<', toUnsignedColumn(to))
        .executeTakeFirst();
      return result.numUpdatedRows === 1n;
    });
  }

  setRecoveryCodes(account: string, hashes: readonly Uint8Array[]): Promise<void> {
    return this.database.write(async (writes) => {
      if ((await this.database.lockAccount(writes, account)) === undefined)
        throw new AccountUnusable();
      await writes.deleteFrom('recovery_code').where('account', '=', account).execute();
      if (hashes.length === 0) return;
      const rows = hashes.map((hash) => ({ account, hash }));
      await writes.insertInto('recovery_code').values(rows).execute();
    });
  }

  recoveryCodesLeft(account: string): Promise<number> {
    return this.database.read((db) => countRows(db, 'recovery_code', account));
  }

  useRecoveryCode(account: string, hash: Uint8Array): Promise<boolean> {
    return this.database.write(async (writes) => {
      const query = writes.deleteFrom('recovery_code').where('account', '=', account);
      const result = await query.where('hash', '=', hash).executeTakeFirst();
      return result.numDeletedRows === 1n;
    });
  }

  lockout(account: string): Promise<LockoutRow> {
    return this.database.read(async (db) => {
      const query = db.selectFrom('lockout').select(['failures', 'locked_until']);
      return lockoutRow(await query.where('account', '=', account).executeTakeFirst());
    });
  }

  countAttempt(account: string, now: number, policy: LockoutPolicy): Promise<LockoutRow> {
    return this.database.write(async (writes) => {
      if ((await this.database.lockAccount(writes, account)) === undefined)
        throw new AccountUnusable();
      const before = await attemptsOf(writes, account);
      const after = countedAttempt(before, now, policy);
      await storeAttempts(writes, account, after);
      const { failures, lockedUntil } = after;
      return mayBeLookedAt(before, after, now) || lockedUntil === undefined
        ? { failures }
        : { failures, lockedUntil };
    });
  }

  clearLockout(account: string): Promise<void> {
    return this.database.write(async (writes) => {
      await writes.deleteFrom('lockout').where('account', '=', account).execute();
    });
  }
}

async function countRows(
  db: Pick<Writes, 'selectFrom'>,
  table: 'factor' | 'recovery_code',
  account: string,
): Promise<number> {
  const query = db.selectFrom(table).select((e) => e.fn.countAll<bigint>().as('n'));
  const row = await query.where('account', '=', account).executeTakeFirst();
  return Number(row?.n ?? 0);
}

async function attemptsOf(writes: Writes, account: string): Promise<Attempts | undefined> {
  const query = writes.selectFrom('lockout').selectAll().where('account', '=', account);
  const row = await query.executeTakeFirst();
  return row && { ...lockoutRow(row), windowBeganAt: Number(row.window_began_at) };
}

async function storeAttempts(
  writes: Writes,
  account: string,
  { failures, windowBeganAt, lockedUntil }: Attempts,
): Promise<void> {
  const values = {
    failures: integer(failures),
    window_began_at: integer(windowBeganAt),
    locked_until: lockedUntil === undefined ? null : integer(lockedUntil),
  };
  await writes
    .insertInto('lockout')
    .values({ account, ...values })
    .onConflict((conflict) => conflict.column('account').doUpdateSet(values))
    .execute();
}
