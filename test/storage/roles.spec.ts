import { copyFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { runMigrations } from '../../src/gateway/storage/postgres.database.js';
import { PostgresServer, type TestDatabase } from './postgres.js';
import { anAccount, atOnce, openDatabase, random, TestClock } from './store-bed.js';
import { openStore } from '../../src/gateway/storage/open.store.js';

const clock = new TestClock();
const migrated = (database: TestDatabase) =>
  runMigrations(database.settings, database.migrationUriFile, { clock });

describe('the roles of a PostgreSQL database', () => {
  let server: PostgresServer;
  let database: TestDatabase;
  let runtime: pg.Client;
  beforeAll(async () => {
    server = await PostgresServer.start();
    database = await server.createDatabase();
    await migrated(database);
    await database.admin(`create schema other; create table other.secret (content text)`);
    await database.admin(`create table public.elsewhere (content text)`);
    runtime = new pg.Client({ connectionString: database.uri(database.runtime) });
    await runtime.connect();
  });
  afterAll(async () => {
    await runtime.end();
    await server.stop();
  });

  it('S173: give the runtime role no attribute of a superuser, and nothing that it owns', async () => {
    const { rows } = await runtime.query<Record<string, unknown>>(
      `select rolsuper, rolcreaterole, rolcreatedb, rolbypassrls, rolreplication from pg_roles
       where rolname = current_user`,
    );
    expect(Object.values(rows[0]!)).toEqual([false, false, false, false, false]);
    const owned = await runtime.query(
      `select relname from pg_class where relowner = current_user::regrole
       union select nspname from pg_namespace where nspowner = current_user::regrole`,
    );
    expect(owned.rows).toEqual([]);
  });

  it.each([
    ['drop a table', 'drop table sallyport.account'],
    ['change a table', 'alter table sallyport.account add column note text'],
    ['empty a table', 'truncate sallyport.account cascade'],
    ['make a table in our schema', 'create table sallyport.more (content text)'],
    ['make a table in the public schema', 'create table public.more (content text)'],
    ['make a schema', 'create schema more'],
    ['make a role', 'create role more'],
    ['make a database', 'create database more'],
    ['read another schema', 'select * from other.secret'],
    ['read tables of others in the public schema', 'select * from public.elsewhere'],
    ['read passwords', 'select * from pg_authid'],
    ['become the owner', 'set role OWNER'],
    ['change what was migrated', `delete from sallyport.kysely_migration`],
    ['read a file of the server', `select pg_read_file('/etc/passwd')`],
    ['run a program on the server', `copy (select 1) to program 'true'`],
  ])('S173: do not let the runtime role %s', async (_, text) => {
    const query = runtime.query(text.replace('OWNER', database.owner));
    // insufficient_privilege
    await expect(query).rejects.toMatchObject({ code: '42501' });
  });

  it('let a second migration run, which finds nothing to do', async () => {
    expect(await migrated(database)).toEqual({ ran: [], runtimeRoleOwnsSchema: false });
  });

  it('let one of several migrations at the same time do the work', async () => {
    const fresh = await server.createDatabase();
    const all = await atOnce(4, () => migrated(fresh));
    expect(all.flatMap(({ ran }) => ran)).toEqual(['0001-first', '0002-lease-counts']);
  });

  it('may be one: then the gateway owns its tables, and this is said', async () => {
    const one = await server.createDatabase({ oneRole: true });
    expect(await migrated(one)).toMatchObject({ runtimeRoleOwnsSchema: true });
    const { store } = await openDatabase(one);
    expect(await store.createAccount(anAccount())).toBe(true);
    await store.close();
  });

  it('are refused when the runtime role is a superuser or may make roles', async () => {
    const other = await server.createDatabase();
    await other.admin(`alter role ${other.runtime} superuser`);
    await expect(migrated(other)).rejects.toThrow(/has SUPERUSER.*NOSUPERUSER/);
    await other.admin(`alter role ${other.runtime} nosuperuser createrole`);
    await expect(migrated(other)).rejects.toThrow(/has CREATEROLE/);
  });

  it('are refused when the runtime role is a member of the owner', async () => {
    const other = await server.createDatabase();
    await other.admin(`grant ${other.owner} to ${other.runtime}`);
    await expect(migrated(other)).rejects.toThrow(/member of the role that owns/);
  });

  it('are found in a setting of the database where the runtime URI is not mounted', async () => {
    const other = await server.createDatabase();
    const uriFile = join(dirname(other.migrationUriFile), 'not-mounted');
    const settings = { storage: { type: 'PostgreSQL', uriFile } } as const;
    const run = () => runMigrations(settings, other.migrationUriFile, { clock });
    await expect(run()).rejects.toThrow(/sallyport.runtime_role/);
    await other.admin(`alter database ${other.name} set sallyport.runtime_role='${other.runtime}'`);
    expect(await run()).toMatchObject({ runtimeRoleOwnsSchema: false });
    const { store } = await openDatabase(other);
    await store.ping();
    await store.close();
  });

  it('are followed when the URI file names a new password', async () => {
    const other = await server.createDatabase();
    const { uriFile } = other.settings.storage;
    await migrated(other);
    const time = new TestClock();
    const store = await openStore(other.settings, { clock: time, random });
    await store.ping();
    await other.admin(`alter role ${other.runtime} password 'rotated'`);
    const uri = other.uri(other.runtime).replace(/:[0-9a-f]+@/, ':rotated@');
    await copyFile(uriFile, `${uriFile}.before`);
    await writeFile(uriFile, uri);
    await other.admin(
      `select pg_terminate_backend(pid) from pg_stat_activity where usename='${other.runtime}'`,
    );
    await expect(store.ping()).rejects.toMatchObject({ reason: 'unreachable' });
    time.ms += 1_000;
    await store.ping();
    await store.close();
  });
});

describe('a PostgreSQL server with TLS', () => {
  let server: PostgresServer;
  let database: TestDatabase;
  beforeAll(async () => {
    server = await PostgresServer.start({ tls: true });
    database = await server.createDatabase();
    await migrated(database);
  });
  afterAll(() => server.stop());

  it('is spoken to with the certificates of the CA file', async () => {
    const { store } = await openDatabase(database);
    await store.ping();
    await store.close();
  });

  it('is refused when another authority is expected, or another name', async () => {
    const { uriFile } = database.settings.storage;
    const stranger = await PostgresServer.start({ tls: true });
    const attempt = async (file: string, caFile: string) => {
      const storage = { type: 'PostgreSQL', uriFile: file, caFile } as const;
      const store = await openStore({ storage }, { clock, random });
      await store.ping().finally(() => store.close());
    };
    const refused = { name: 'StorageUnavailable', reason: 'unreachable' };
    await expect(attempt(uriFile, stranger.caFile!)).rejects.toMatchObject(refused);
    await stranger.stop();
    const elsewhere = `${uriFile}-elsewhere`;
    const uri = database.uri(database.runtime);
    await writeFile(elsewhere, uri.replace('127.0.0.1', '127.0.0.2'));
    await expect(attempt(elsewhere, server.caFile!)).rejects.toMatchObject({
      ...refused,
      cause: { code: 'ERR_TLS_CERT_ALTNAME_INVALID' },
    });
    await writeFile(elsewhere, uri.replace('127.0.0.1', 'localhost'));
    await attempt(elsewhere, server.caFile!);
  });
});
