import {
  AccountUnusable,
  type AccountRow,
  type AccountState,
  type AccountStore,
  type DeletionRow,
  type Page,
} from '../store.js';
import type { GatewayDatabase, Writes } from './gateway.database.js';
import { writeDeletions } from './ledger.store.js';
import { accountRow, integer, page } from './rows.js';

type Accounts = Pick<
  AccountStore,
  'account' | 'createAccount' | 'admitInvited' | 'setAccountState' | 'accounts' | 'deleteAccount'
>;

/** Accounts. */
export class AccountTableStore implements Accounts {
  constructor(private readonly database: GatewayDatabase) {}

  account(account: string): Promise<AccountRow | undefined> {
    return this.database.read(async (db) => {
      const row = await db
        .selectFrom('account')
        .selectAll()
        .where('account', '=', account)
        .executeTakeFirst();
      return row && accountRow(row);
    });
  }

  createAccount({ account, identity, state, registeredOn }: AccountRow): Promise<boolean> {
    return this.database.write(async (writes) => {
      const result = await writes
        .insertInto('account')
        .values({ account, identity, state, registered_on: integer(registeredOn) })
        .onConflict((conflict) => conflict.column('account').doNothing())
        .executeTakeFirst();
      return result.numInsertedOrUpdatedRows === 1n;
    });
  }

  admitInvited(
    row: Omit<AccountRow, 'state'>,
    codeHash: Uint8Array,
    now: number,
  ): Promise<'admitted' | 'invite-invalid' | 'changed'> {
    return this.database.write(async (writes) => {
      const before = await this.database.lockAccount(writes, row.account);
      if (before !== undefined && before !== 'Pending') return 'changed';
      const used = await writes
        .deleteFrom('invite')
        .where('code_hash', '=', codeHash)
        .where('expires_at', '>', integer(now))
        .executeTakeFirst();
      if (used.numDeletedRows !== 1n) return 'invite-invalid';
      if (!(await letIn(writes, row))) throw new AccountUnusable();
      return 'admitted';
    });
  }

  setAccountState(
    account: string,
    from: readonly AccountState[],
    to: AccountState,
  ): Promise<boolean> {
    return this.database.write(async (writes) => {
      const result = await writes
        .updateTable('account')
        .set({ state: to })
        .where('account', '=', account)
        .where('state', 'in', [...from])
        .executeTakeFirst();
      return result.numUpdatedRows === 1n;
    });
  }

  accounts(after: string | undefined, limit: number): Promise<Page<AccountRow>> {
    return this.database.read(async (db) => {
      const rows = await db
        .selectFrom('account')
        .selectAll()
        .where('account', '>', after ?? '')
        .orderBy('account')
        .limit(integer(limit + 1))
        .execute();
      return page(rows, limit, { key: (row) => row.account, map: accountRow });
    });
  }

  deleteAccount(account: string, entry: Pick<DeletionRow, 'at' | 'reason'>): Promise<boolean> {
    return this.database.write((writes) => deleteAccount(writes, account, entry));
  }
}

/** Makes an account that is in, or ends its waiting; false: another login has just made it, and it does not wait. */
async function letIn(
  writes: Writes,
  { account, identity, registeredOn }: Omit<AccountRow, 'state'>,
): Promise<boolean> {
  const result = await writes
    .insertInto('account')
    .values({ account, identity, state: 'Active', registered_on: integer(registeredOn) })
    .onConflict((conflict) =>
      conflict
        .column('account')
        .doUpdateSet({ state: 'Active' })
        .where('account.state', '=', 'Pending'),
    )
    .executeTakeFirst();
  return result.numInsertedOrUpdatedRows === 1n;
}

/** Deletes an account and what is of it, and writes the ledger. Its revocations stay. */
export async function deleteAccount(
  writes: Writes,
  account: string,
  entry: Pick<DeletionRow, 'at' | 'reason'>,
): Promise<boolean> {
  const count = async (table: 'device' | 'session') => {
    const query = writes.selectFrom(table).where('account', '=', account);
    const row = await query.select((e) => e.fn.countAll<bigint>().as('n')).executeTakeFirst();
    return Number(row?.n ?? 0);
  };
  const [devices, sessions] = [await count('device'), await count('session')];
  // The rows of all other tables go with it (foreign keys of the first migration).
  const result = await writes
    .deleteFrom('account')
    .where('account', '=', account)
    .executeTakeFirst();
  if (result.numDeletedRows !== 1n) return false;
  await writeDeletions(writes, [
    { ...entry, class: 'account', count: 1 },
    { ...entry, class: 'device', count: devices },
    { ...entry, class: 'session', count: sessions },
  ]);
  return true;
}
