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

/** How many secrets a key has sealed that is not in the file: nobody can open them, and their accounts cannot log in. */
export async function unreadableColumns(
  store: Pick<OpenStore, 'database' | 'columnKeys'>,
): Promise<number> {
  const ids = (store.columnKeys() ?? []).map(({ id }) => Buffer.from(id, 'hex'));
  return store.database.read(async (db) => {
    const all = db.selectFrom('factor').where('kind', '=', 'TOTP');
    const others =
      ids.length === 0 ? all : all.where(sql<Uint8Array>`substr(secret, 2, 8)`, 'not in', ids);
    const row = await others.select((e) => e.fn.countAll<bigint>().as('n')).executeTakeFirst();
    return Number(row?.n ?? 0);
  });
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
