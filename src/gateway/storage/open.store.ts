/*
 * The door of the room: opens the store that the settings name. SQLite is migrated here, at its opening; PostgreSQL by
 * `runMigrations` beforehand, with a role of its own.
 */
import { chmod, mkdir, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Kysely } from 'kysely';
import type { Clock } from '../../runtime/clock.js';
import { ActionableError, messageOf } from '../../runtime/errors.js';
import type { GatewaySettings } from '../settings.js';
import type { Store } from '../store.js';
import { StorageUnavailable } from '../store.js';
import { AccountTableStore } from './accounts.store.js';
import type { ColumnKeys } from './column-key.js';
import { codeOf, createColumnKeys, type Random, readColumnKeys } from './column-keys.file.js';
import { ColumnSeal } from './column.seal.js';
import { damageOf } from './damaged-file.js';
import { DeviceTableStore } from './devices.store.js';
import { FactorTableStore } from './factors.store.js';
import { DEADLINE_MS, GatewayDatabase, type Queries } from './gateway.database.js';
import { LeaseTableStore } from './leases.store.js';
import { LedgerTableStore } from './ledger.store.js';
import { migrate } from './migrate.database.js';
import { NEWEST_MIGRATION } from './migrations.js';
import { openPostgres } from './postgres.database.js';
import { SessionTableStore } from './sessions.store.js';
import { sqliteDialect } from './sqlite.dialect.js';
import { NO_COUNTS, type StoreCounts } from './storage-metrics.js';
import type { Tables } from './tables.js';

/** Name of the database file in the folder of the settings. */
export const SQLITE_FILE = 'gateway.sqlite';
/** Name of the file of column keys beside it. */
export const COLUMN_KEYS_FILE = 'column-keys.json';

/** What a store is opened with, besides the settings. */
export interface StoreOptions {
  readonly clock: Clock;
  /** Cryptographically random bytes. */
  readonly random: Random;
  /** The most that a call waits, in milliseconds. */
  readonly deadlineMs?: number;
  /** The file of column keys; by default beside SQLite, or `column-keys/keys.json` beside the folder of the URI file. */
  readonly columnKeysFile?: string;
  /** Who is told what could not be done. */
  readonly counts?: StoreCounts;
  /** Bounds the SQLite file, for tests of a full disk. */
  readonly maxPages?: number;
}

/** An open store and what only jobs of this room need of it. */
export interface OpenStore extends Store {
  readonly database: GatewayDatabase;
  readonly seal: ColumnSeal;
  /** The file of column keys, wherever it is. */
  readonly columnKeysFile: string;
  /** The keys that seal columns now; undefined when none were given. */
  columnKeys(): ColumnKeys | undefined;
  /** Reads the file of column keys again. @throws ActionableError when it is not right; then nothing changes */
  reloadColumnKeys(): Promise<void>;
}

/**
 * Opens the store. With PostgreSQL it does not need the database to be there: calls and `ping` say when it is not.
 * @throws ActionableError when files are not right; StorageUnavailable when the SQLite file cannot be used
 */
export async function openStore(
  settings: Pick<GatewaySettings, 'storage'>,
  options: StoreOptions,
): Promise<OpenStore> {
  const { storage } = settings;
  return storage.type === 'Embedded'
    ? openEmbedded(storage.directory, options)
    : openRemote(storage, options);
}

async function openEmbedded(directory: string, options: StoreOptions): Promise<OpenStore> {
  const { deadlineMs = DEADLINE_MS, random, maxPages } = options;
  const file = join(directory, SQLITE_FILE);
  const keysFile = options.columnKeysFile ?? join(directory, COLUMN_KEYS_FILE);
  await prepareFolder(directory, file);
  if (options.columnKeysFile === undefined) await createColumnKeys(keysFile, random);
  const keys = await readColumnKeys(keysFile);
  const bound = maxPages === undefined ? {} : { maxPages };
  const dialect = sqliteDialect({ file, busyTimeoutMs: Math.min(500, deadlineMs), ...bound });
  const db = new Kysely<Tables>({ dialect });
  try {
    // Migrations see a database whose tables are not typed yet.
    await migrate(db as unknown as Kysely<never>, 'sqlite');
  } catch (error) {
    await db.destroy().catch(() => undefined);
    throw damageOf(error, file) ?? error;
  }
  const database = new GatewayDatabase('sqlite', db, deadlineMs, options.counts);
  return assemble(database, { ...options, keysFile, keys });
}

async function openRemote(
  storage: Extract<GatewaySettings['storage'], { type: 'PostgreSQL' }>,
  options: StoreOptions,
): Promise<OpenStore> {
  const { deadlineMs = DEADLINE_MS, clock } = options;
  const keysFile =
    options.columnKeysFile ?? join(dirname(dirname(storage.uriFile)), 'column-keys', 'keys.json');
  const keys = await readIfThere(keysFile);
  const db = await openPostgres(storage, { deadlineMs, clock });
  const database = new GatewayDatabase('postgresql', db, deadlineMs, options.counts);
  return assemble(database, { ...options, keysFile, keys });
}

/** An absent file is no mistake where the operator mounts none: then no TOTP secret can be kept. */
async function readIfThere(file: string): Promise<ColumnKeys | undefined> {
  try {
    return await readColumnKeys(file);
  } catch (error) {
    const cause = error instanceof ActionableError ? error.cause : undefined;
    if (codeOf(cause) === 'ENOENT') return undefined;
    throw error;
  }
}

interface Assembly extends StoreOptions {
  readonly keysFile: string;
  readonly keys: ColumnKeys | undefined;
}

function assemble(database: GatewayDatabase, { clock, random, ...from }: Assembly): OpenStore {
  let { keys } = from;
  const seal = new ColumnSeal(() => keys, random, from.counts ?? NO_COUNTS);
  return {
    ...bound(new AccountTableStore(database)),
    ...bound(new DeviceTableStore(database)),
    ...bound(new SessionTableStore(database, () => clock.now().getTime())),
    ...bound(new FactorTableStore(database, seal)),
    ...bound(new LedgerTableStore(database)),
    ...bound(new LeaseTableStore(database)),
    database,
    seal,
    columnKeysFile: from.keysFile,
    columnKeys: () => keys,
    reloadColumnKeys: async () => {
      keys = await readColumnKeys(from.keysFile);
    },
    ping: () => ping(database),
    close: () => database.close(),
  };
}

/** The methods of `part`, each with its own `this`: a spread alone takes no methods of a class. */
function bound<Part extends object>(part: Part): { [Name in keyof Part]: Part[Name] } {
  // What a prototype holds is what the type of its instances says.
  const prototype = Object.getPrototypeOf(part) as Record<string, (...args: unknown[]) => unknown>;
  const methods = Object.entries(Object.getOwnPropertyDescriptors(prototype))
    .filter(([name]) => name !== 'constructor')
    .map(([name]) => [name, prototype[name]?.bind(part)]);
  return Object.fromEntries(methods) as { [Name in keyof Part]: Part[Name] };
}

/** Writes one row, so that a full or read-only database is seen, and looks whether the tables are of this release. */
async function ping(database: GatewayDatabase): Promise<void> {
  await database.write(async (writes) => {
    const query = writes.selectFrom('kysely_migration').select('name');
    const newest = await query.where('name', '=', NEWEST_MIGRATION).executeTakeFirst();
    if (newest === undefined) {
      const cause = new Error(`the database lacks the migration ${NEWEST_MIGRATION}`);
      throw new StorageUnavailable('failed', { cause });
    }
    await beat(writes);
  });
}

async function beat(writes: Queries): Promise<void> {
  await writes
    .insertInto('probe')
    .values({ one: 1n, beats: 1n })
    .onConflict((conflict) =>
      conflict.column('one').doUpdateSet((e) => ({ beats: e('probe.beats', '+', 1n) })),
    )
    .execute();
}

/** Owner only, before SQLite writes to it: its log files take the permissions of the database file. */
async function prepareFolder(directory: string, file: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await (await open(file, 'a', 0o600)).close();
    await chmod(file, 0o600);
  } catch (cause) {
    const problem = `The database ${file} cannot be made: ${messageOf(cause)}.`;
    const hint = 'Mount a volume there that this program may write to.';
    throw new ActionableError('ERR_SETTINGS_FILE', problem, hint, { cause });
  }
}
