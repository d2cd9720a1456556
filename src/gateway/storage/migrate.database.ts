/*
 * Brings a database to the tables of this release. All of it is one transaction: it is done or nothing is.
 */
import type { Kysely } from 'kysely';
import { Migrator } from 'kysely/migration';
import { ActionableError } from '../../runtime/errors.js';
import { StorageUnavailable } from '../store.js';
import { type DatabaseKind, migrationsFor } from './migrations.js';
import { SCHEMA } from './tables.js';
import { reasonOf } from './unavailable.js';

/** Where migrations that were run are recorded. */
export const MIGRATION_TABLE = 'kysely_migration';

/** Names of the migrations that were run, oldest first; empty for a database without tables. */
export async function migrationsRun(
  db: Kysely<never>,
  kind: DatabaseKind,
): Promise<readonly string[]> {
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true });
  const ours = tables.some(
    ({ name, schema }) => name === MIGRATION_TABLE && (kind === 'sqlite' || schema === SCHEMA),
  );
  if (!ours) return [];
  // A table of the migrator, which no type of ours describes.
  const untyped = db as unknown as Kysely<{ [MIGRATION_TABLE]: { name: string } }>;
  const rows = await untyped.selectFrom(MIGRATION_TABLE).select('name').orderBy('name').execute();
  return rows.map(({ name }) => name);
}

/**
 * Runs the migrations that are missing; gives their names. A database that a newer release has migrated is left as it
 * is: migrations only add. On PostgreSQL others that migrate at the same time wait (advisory lock).
 * @throws StorageUnavailable when the database is; ActionableError when its migrations are not those of this program
 */
export async function migrate(
  db: Kysely<never>,
  kind: DatabaseKind,
  migrations = migrationsFor(kind),
): Promise<readonly string[]> {
  try {
    const before = await migrationsRun(db, kind);
    if (Object.keys(migrations).every((name) => before.includes(name))) return [];
    return await runMissing(db, kind, migrations);
  } catch (error) {
    if (error instanceof ActionableError || error instanceof StorageUnavailable) throw error;
    throw new StorageUnavailable(reasonOf(error), { cause: error });
  }
}

async function runMissing(
  db: Kysely<never>,
  kind: DatabaseKind,
  migrations: ReturnType<typeof migrationsFor>,
): Promise<readonly string[]> {
  const migrator = new Migrator({
    // The migrator wants a database whose tables it does not know.
    db,
    provider: { getMigrations: () => Promise.resolve({ ...migrations }) },
    ...(kind === 'postgresql' ? { migrationTableSchema: SCHEMA } : {}),
  });
  const { error, results = [] } = await migrator.migrateToLatest();
  if (error === undefined) return results.map(({ migrationName }) => migrationName);
  if (error instanceof Error && error.message.startsWith('corrupted migrations')) {
    const problem = 'The database was migrated by another program or an older, different release.';
    const hint = 'Restore the backup that fits this release, or run the release that wrote it.';
    throw new ActionableError('ERR_SETTING', problem, hint, { cause: error });
  }
  throw new StorageUnavailable(reasonOf(error), { cause: error });
}
