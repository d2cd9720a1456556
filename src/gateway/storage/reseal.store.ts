/*
 * After a rotation of the column key, secrets that an older key sealed are sealed again, so that the old key can go.
 */
import { sql } from 'kysely';
import type { FactorRow } from '../store.js';
import type { OpenStore } from './open.store.js';
import { isSealedWithOldKey } from './column-key.js';

/** Rows of one statement; the rest waits for the next run. */
const BATCH = 500;

/** Seals what an older key sealed with the newest one; gives how many rows. A row that does not open stays as it is. */
export async function resealOldColumns(
  store: Pick<OpenStore, 'database' | 'columnKeys' | 'seal'>,
): Promise<number> {
  const keys = store.columnKeys();
  if (keys === undefined) return 0;
  const rows = await store.database.read((db) =>
    db
      .selectFrom('factor')
      .select(['account', 'factor', 'kind', 'secret'])
      .where('kind', '=', 'TOTP')
      // The key id stands in bytes 2 to 9 (column-key.ts).
      .where(sql<Uint8Array>`substr(secret, 2, 8)`, '!=', Buffer.from(keys[0].id, 'hex'))
      .orderBy('account')
      .limit(BigInt(BATCH))
      .execute(),
  );
  let sealed = 0;
  for (const row of rows)
    if (isSealedWithOldKey(keys, row.secret) && (await resealed(store, row))) sealed += 1;
  return sealed;
}

type Sealed = Pick<FactorRow, 'account' | 'factor' | 'kind' | 'secret'>;

async function resealed(
  { database, seal }: Pick<OpenStore, 'database' | 'seal'>,
  row: Sealed,
): Promise<boolean> {
  const secret = seal.tryOpen(row);
  if (secret === undefined) return false;
  const fresh = seal.seal({ ...row, secret });
  return database.write(async (writes) => {
    const result = await writes
      .updateTable('factor')
      .set({ secret: fresh })
      .where('account', '=', row.account)
      .where('factor', '=', row.factor)
      // Another replica may have done it meanwhile.
      .where('secret', '=', row.secret)
      .executeTakeFirst();
    return result.numUpdatedRows === 1n;
  });
}
