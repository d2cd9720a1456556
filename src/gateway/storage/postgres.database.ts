/*
 * PostgreSQL: the gateway's own connection, and the migrations with a role of their own. The role that the gateway runs
 * with owns nothing, may do nothing but read and write the rows of our tables, and is no superuser.
 */
import { Kysely, PostgresDialect, sql } from 'kysely';
import type { Clock } from '../../runtime/clock.js';
import { ActionableError } from '../../runtime/errors.js';
import type { GatewaySettings } from '../settings.js';
import { StorageUnavailable } from '../store.js';
import type { Queries } from './gateway.database.js';
import { migrate, MIGRATION_TABLE } from './migrate.database.js';
import { FollowingPool, type PoolSettings, readUriFile } from './postgres.pool.js';
import { SCHEMA, TABLE_NAMES, type Tables } from './tables.js';
import { reasonOf } from './unavailable.js';

/** A migration may rewrite a table. */
const MIGRATION_STATEMENT_MS = 300_000;

/** Advisory lock of whoever grants; the migrator has one of its own. Any number that others do not use. */
const GRANT_LOCK = 7_255_879_001;

/** The part of the settings that names a PostgreSQL database. */
export type PostgresStorage = Extract<GatewaySettings['storage'], { type: 'PostgreSQL' }>;

/** Queries on our schema. The database need not be there yet. @throws ActionableError when a file is not right */
export async function openPostgres(
  storage: PostgresStorage,
  options: Pick<PoolSettings, 'deadlineMs' | 'clock'>,
): Promise<Queries> {
  const pool = await FollowingPool.open({ ...filesOf(storage), ...options });
  return new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) }).withSchema(SCHEMA);
}

/** What was migrated, and for whom. */
export interface Migrated {
  /** Names of the migrations that were run now. */
  readonly ran: readonly string[];
  /** One role does both: then the gateway owns its tables. */
  readonly runtimeRoleOwnsSchema: boolean;
}

/**
 * Migrates the database with the URI in `migrationUriFile`, and grants the runtime role what it needs. The role is the
 * one of `storage.uriFile`, or, where that file is not mounted, the setting `sallyport.runtime_role` of the database.
 * @throws ActionableError, StorageUnavailable
 */
export async function runMigrations(
  settings: Pick<GatewaySettings, 'storage'>,
  migrationUriFile: string,
  { clock }: { readonly clock: Clock },
): Promise<Migrated> {
  const { storage } = settings;
  // SQLite is migrated when it is opened.
  if (storage.type === 'Embedded') return { ran: [], runtimeRoleOwnsSchema: true };
  const { role: owner } = await readUriFile(migrationUriFile);
  const pool = await FollowingPool.open({
    ...filesOf(storage),
    uriFile: migrationUriFile,
    deadlineMs: MIGRATION_STATEMENT_MS,
    clock,
  });
  const db = new Kysely<never>({ dialect: new PostgresDialect({ pool }) });
  try {
    const ran = await migrate(db.withSchema(SCHEMA), 'postgresql');
    const runtime = await runtimeRole(db, storage);
    await checkAttributes(db, runtime);
    if (runtime !== owner) await grant(db, runtime, owner);
    return { ran, runtimeRoleOwnsSchema: runtime === owner };
  } catch (error) {
    if (error instanceof ActionableError || error instanceof StorageUnavailable) throw error;
    throw new StorageUnavailable(reasonOf(error), { cause: error });
  } finally {
    await db.destroy();
  }
}

const filesOf = ({ uriFile, caFile }: PostgresStorage) => ({
  uriFile,
  ...(caFile === undefined ? {} : { caFile }),
});

async function runtimeRole(db: Kysely<never>, { uriFile }: PostgresStorage): Promise<string> {
  const mounted = await readUriFile(uriFile).catch((error: unknown) => {
    if (error instanceof ActionableError && error.code === 'ERR_SETTINGS_FILE') return undefined;
    throw error;
  });
  if (mounted !== undefined) return mounted.role;
  const query = sql<{
    role: string | null;
  }>`select current_setting('sallyport.runtime_role', true) as role`;
  const named = (await query.execute(db)).rows[0]?.role ?? '';
  if (named !== '') return named;
  const problem =
    'It is not known which role the gateway runs with, so nothing can be granted to it.';
  const hint =
    "Mount the runtime URI beside the migration URI, or run ALTER DATABASE name SET sallyport.runtime_role = 'role'.";
  throw new ActionableError('ERR_SETTING', problem, hint);
}

interface Attributes {
  readonly name: string;
  readonly is_held: boolean;
}

/** A superuser would not be bound by any grant, and the other two lead to one. */
async function checkAttributes(db: Kysely<never>, role: string): Promise<void> {
  const { rows } = await sql<Attributes>`
    select attribute.name, attribute.is_held
    from pg_catalog.pg_roles, lateral (values
      ('SUPERUSER', rolsuper), ('CREATEROLE', rolcreaterole), ('CREATEDB', rolcreatedb),
      ('BYPASSRLS', rolbypassrls), ('REPLICATION', rolreplication)) as attribute (name, is_held)
    where rolname = ${role}`.execute(db);
  if (rows.length === 0)
    throw refused('The role that the gateway runs with does not exist.', 'Create it first.');
  const held = rows.filter((row) => row.is_held).map(({ name }) => name);
  if (held.length === 0) return;
  const hint = `Take it away: ALTER ROLE name ${held.map((name) => `NO${name}`).join(' ')}.`;
  throw refused(`The role that the gateway runs with has ${held.join(', ')}.`, hint);
}

/**
 * Grants rows of our tables and nothing else. Nothing is taken away from the role: after a rollback this release does not
 * know what the newer one needs, whose gateways may still run.
 */
async function grant(db: Kysely<never>, role: string, owner: string): Promise<void> {
  const member = await sql<{ is_member: boolean }>`
    select pg_catalog.pg_has_role(${role}, ${owner}, 'member') as is_member`.execute(db);
  if (member.rows[0]?.is_member === true)
    throw refused(
      'The role that the gateway runs with is a member of the role that owns the tables.',
      'Revoke that membership, or name one Secret only.',
    );
  const to = sql.id(role);
  const schema = sql.id(SCHEMA);
  const tables = sql.join(TABLE_NAMES.map((name) => sql.id(SCHEMA, name)));
  await db.transaction().execute(async (writes) => {
    // Two that grant the same at the same time would fail on the catalogue's rows.
    await sql`select pg_catalog.pg_advisory_xact_lock(${sql.lit(GRANT_LOCK)})`.execute(writes);
    await sql`revoke all on schema ${schema} from public`.execute(writes);
    await sql`revoke all on all tables in schema ${schema} from public`.execute(writes);
    await sql`grant usage on schema ${schema} to ${to}`.execute(writes);
    await sql`grant select, insert, update, delete on ${tables} to ${to}`.execute(writes);
    await sql`grant select on ${sql.id(SCHEMA, MIGRATION_TABLE)} to ${to}`.execute(writes);
  });
}

function refused(problem: string, hint: string): ActionableError {
  return new ActionableError('ERR_SETTING', problem, hint);
}
