import { chmod, cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Kysely, sql } from 'kysely';
import pg from 'pg';
import type { GatewayDatabase } from '../../src/gateway/storage/gateway.database.js';
import { migrate } from '../../src/gateway/storage/migrate.database.js';
import { migrationsFor } from '../../src/gateway/storage/migrations.js';
import {
  COLUMN_KEYS_FILE,
  type OpenStore,
  openStore,
} from '../../src/gateway/storage/open.store.js';
import { TABLE_NAMES } from '../../src/gateway/storage/tables.js';
import type { Store } from '../../src/gateway/store.js';
import { PostgresServer } from './postgres.js';
import { DUMP_FILE, fillTables, readTables } from './release-database.js';
import {
  anAccount,
  openDatabase,
  postgresBed,
  random,
  sqliteBed,
  type StoreBed,
  TestClock,
} from './store-bed.js';

const RELEASES = 'test/releases';
/** A database from before any release, with the tables of the first migration alone. */
const FIRST_MIGRATION = 'test/storage/first-migration';
const clock = new TestClock();

/** What the rows of every release read as: those that a store of today gives for the same calls. */
async function expected(store: Store): Promise<object> {
  await fillTables(store);
  const rows = await readTables(store);
  await store.close();
  return rows;
}

describe('a database that a release left, or the first migration', () => {
  let folder: string;
  let server: PostgresServer;
  let kept: readonly string[];
  let rows: object;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sallyport-upgrade-'));
    server = await PostgresServer.start();
    const versions = await readdir(RELEASES);
    expect(versions).not.toEqual([]);
    kept = [FIRST_MIGRATION, ...versions.map((version) => join(RELEASES, version, 'storage'))];
    const storage = { type: 'Embedded', directory: join(folder, 'today') } as const;
    rows = await expected(await openStore({ storage }, { clock, random }));
  });
  afterAll(async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const copyOf = async (from: string) => {
    const directory = await mkdtemp(join(folder, 'copy-'));
    await cp(from, directory, { recursive: true });
    // A checkout gives files to everybody.
    await chmod(join(directory, COLUMN_KEYS_FILE), 0o600);
    return directory;
  };

  it('is migrated with its rows in SQLite, for each release', async () => {
    for (const from of kept) {
      const directory = await copyOf(from);
      const store = await openStore(
        { storage: { type: 'Embedded', directory } },
        { clock, random },
      );
      await store.ping();
      expect(await readTables(store)).toEqual(rows);
      await store.close();
    }
  });

  it('is migrated with its rows in PostgreSQL, for each release', async () => {
    for (const from of kept) {
      const database = await server.createDatabase();
      const client = new pg.Client({ connectionString: database.uri(database.owner) });
      await client.connect();
      await client.query(await readFile(join(from, DUMP_FILE), 'utf8'));
      await client.end();
      const columnKeysFile = join(await copyOf(from), COLUMN_KEYS_FILE);
      const { store } = await openDatabase(database, { columnKeysFile });
      await store.ping();
      expect(await readTables(store)).toEqual(rows);
      await store.close();
    }
  });
});

/** Whoever migrates owns the tables. */
const OWNERS = [
  ['SQLite', () => sqliteBed()],
  ['PostgreSQL', () => postgresBed({ oneRole: true })],
] as const;

describe.each(OWNERS)('a migration of a later release in %s', (_, start) => {
  let bed: StoreBed;
  let store: OpenStore;
  beforeAll(async () => {
    bed = await start();
    store = await bed.open();
    await fillTables(store);
  });
  afterAll(async () => {
    await store.close();
    await bed.stop();
  });

  const countRows = async (table: string): Promise<number> => {
    const name = store.database.kind === 'sqlite' ? table : `sallyport.${table}`;
    const query = sql<{ n: bigint }>`select count(*) as n from ${sql.table(name)}`;
    return Number((await query.execute(store.database.db)).rows[0]!.n);
  };

  it('finds at least one row in every table, so that the test says something', async () => {
    for (const table of TABLE_NAMES)
      expect([table, await countRows(table)]).not.toEqual([table, 0]);
  });

  it('leaves the state before it when it fails halfway', async () => {
    const { kind } = store.database;
    const before = await readTables(store);
    const failing = {
      up: async (db: Kysely<unknown>) => {
        await db.schema.createTable('half_done').addColumn('one', 'text').execute();
        await sql`delete from ${sql.table(kind === 'sqlite' ? 'account' : 'sallyport.account')}`.execute(
          db,
        );
        throw new Error('a mistake in the migration');
      },
    };
    const migrations = { ...migrationsFor(kind), '0003-failing': failing };
    await expect(asOwner(store.database, migrations)).rejects.toThrow();
    expect(await readTables(store)).toEqual(before);
    await expect(countRows('half_done')).rejects.toThrow();
  });

  it('lets this release go on with the tables that it extended, and migrate again', async () => {
    const { kind } = store.database;
    const extending = {
      up: (db: Kysely<unknown>) =>
        db.schema.alterTable('account').addColumn('more', 'text').execute(),
    };
    const migrations = { ...migrationsFor(kind), '0003-extending': extending };
    expect(await asOwner(store.database, migrations)).toEqual(['0003-extending']);
    expect(await asOwner(store.database, migrationsFor(kind))).toEqual([]);
    expect(await store.createAccount(anAccount({ account: 'sp1old' }))).toBe(true);
    await store.ping();
  });
});

function asOwner(database: GatewayDatabase, migrations: ReturnType<typeof migrationsFor>) {
  return migrate(database.db as unknown as Kysely<never>, database.kind, migrations);
}
