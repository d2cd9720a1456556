import type { DeletionRow, InviteRow, LedgerStore, Page } from '../store.js';
import type { GatewayDatabase, Writes } from './gateway.database.js';
import { deletionRow, integer, inviteRow, page, toUnsignedColumn } from './rows.js';

type Ledger = Pick<
  LedgerStore,
  | 'addInvite'
  | 'invites'
  | 'revokeInvite'
  | 'raisePolicySerial'
  | 'policyUid'
  | 'addDeletion'
  | 'deletions'
>;

/** The one row of its table. */
const ONE = 1n;

/** Invites, the serial of the policy, and the ledger of deletions. */
export class LedgerTableStore implements Ledger {
  constructor(private readonly database: GatewayDatabase) {}

  addInvite({ invite, codeHash, expiresAt }: InviteRow): Promise<void> {
    return this.database.write(async (writes) => {
      const values = { invite, code_hash: codeHash, expires_at: integer(expiresAt) };
      await writes.insertInto('invite').values(values).execute();
    });
  }

  invites(after: string | undefined, limit: number): Promise<Page<InviteRow>> {
    return this.database.read(async (db) => {
      const rows = await db
        .selectFrom('invite')
        .selectAll()
        .where('invite', '>', after ?? '')
        .orderBy('invite')
        .limit(integer(limit + 1))
        .execute();
      return page(rows, limit, { key: (row) => row.invite, map: inviteRow });
    });
  }

  revokeInvite(invite: string): Promise<boolean> {
    return this.database.write(async (writes) => {
      const query = writes.deleteFrom('invite').where('invite', '=', invite);
      return (await query.executeTakeFirst()).numDeletedRows === 1n;
    });
  }

  raisePolicySerial(uid: string, serial: bigint): Promise<boolean> {
    return this.database.write(async (writes) => {
      const values = { uid, serial: toUnsignedColumn(serial) };
      const result = await writes
        .insertInto('policy_serial')
        .values({ one: ONE, ...values })
        .onConflict((conflict) =>
          conflict
            .column('one')
            .doUpdateSet(values)
            .where('policy_serial.uid', '=', uid)
            .where('policy_serial.serial', '<=', values.serial),
        )
        .executeTakeFirst();
      return result.numInsertedOrUpdatedRows === 1n;
    });
  }

  policyUid(): Promise<string | undefined> {
    return this.database.read(async (db) => {
      const row = await db.selectFrom('policy_serial').select('uid').executeTakeFirst();
      return row?.uid;
    });
  }

  addDeletion(row: DeletionRow): Promise<void> {
    return this.database.write((writes) => writeDeletions(writes, [row]));
  }

  deletions(after: string | undefined, limit: number): Promise<Page<DeletionRow>> {
    return this.database.read(async (db) => {
      const rows = await db
        .selectFrom('deletion')
        .selectAll()
        .where('id', '>', cursor(after))
        .orderBy('id')
        .limit(integer(limit + 1))
        .execute();
      return page(rows, limit, { key: (row) => row.id.toString(), map: deletionRow });
    });
  }
}

/** A cursor may come from a stranger: one that is none begins at the beginning. */
const cursor = (after = ''): bigint => (/^\d{1,18}$/.test(after) ? BigInt(after) : 0n);

/** Writes lines of the ledger; one that counts nothing is left out. What retention deletes adds up hour by hour. */
export async function writeDeletions(writes: Writes, rows: readonly DeletionRow[]): Promise<void> {
  for (const row of rows) {
    if (row.count <= 0) continue;
    if (row.reason === 'AtMost' && (await addToLine(writes, row))) continue;
    const values = { ...row, count: integer(row.count), at: integer(row.at) };
    await writes.insertInto('deletion').values(values).execute();
  }
}

async function addToLine(writes: Writes, row: DeletionRow): Promise<boolean> {
  const result = await writes
    .updateTable('deletion')
    .set((e) => ({ count: e('count', '+', integer(row.count)) }))
    .where('class', '=', row.class)
    .where('reason', '=', row.reason)
    .where('at', '=', integer(row.at))
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}
