import { execFileSync } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { openStore, type OpenStore, SQLITE_FILE } from '../../src/gateway/storage/open.store.js';
import { PostgresServer, type TestDatabase } from './postgres.js';
import { anAccount, ACCOUNT, openDatabase, random, TestClock } from './store-bed.js';

const clock = new TestClock();
const unavailable = (reason: string) => ({ name: 'StorageUnavailable', reason });

/** Creates accounts until one is refused; gives how many were acknowledged, and the refusal. */
async function fill(store: OpenStore): Promise<{ acknowledged: number; refused: unknown }> {
  // Random, because PostgreSQL compresses what it can.
  const identity = random(100_000);
  for (let at = 0; at < 1_000; at += 1)
    try {
      await store.createAccount(anAccount({ account: `sp1full${at}`, identity }));
    } catch (refused) {
      return { acknowledged: at, refused };
    }
  throw new Error('the database never became full');
}

async function countAccounts(store: OpenStore): Promise<number> {
  const query = store.database.db.selectFrom('account').select((e) => e.fn.countAll().as('n'));
  return Number((await query.executeTakeFirst())?.n);
}

describe('a PostgreSQL database in trouble', () => {
  let server: PostgresServer;
  let database: TestDatabase;
  let store: OpenStore;
  beforeAll(async () => {
    server = await PostgresServer.start();
    database = await server.createDatabase();
    ({ store } = await openDatabase(database, { deadlineMs: 2_000 }));
    await store.createAccount(anAccount());
  });
  afterAll(async () => {
    await store.close();
    await server.stop();
  });

  it('says that it is unreachable while it is down, and serves again after that', async () => {
    await server.kill();
    await expect(store.ping()).rejects.toMatchObject(unavailable('unreachable'));
    await expect(store.account(ACCOUNT)).rejects.toMatchObject(unavailable('unreachable'));
    await server.restart();
    await store.ping();
    expect(await store.account(ACCOUNT)).toBeDefined();
  });

  it('says that it is too slow at the deadline, and does not do later what it refused', async () => {
    await store.ping();
    server.pause();
    const began = performance.now();
    const late = store.createAccount(anAccount({ account: 'sp1late' }));
    await expect(late).rejects.toMatchObject(unavailable('timeout'));
    // The server begins with what the driver still waits for.
    server.resume();
    expect(performance.now() - began).toBeGreaterThanOrEqual(1_900);
    for (let beat = 0; beat < 20; beat += 1) await store.ping();
    expect(await store.account('sp1late')).toBeUndefined();
  });

  it('says that it is too slow when another transaction holds a row', async () => {
    const holding = database.admin(
      `begin; select * from sallyport.account for update; select pg_sleep(4); commit`,
    );
    await waitForSleep(database);
    const policy = { maxAttempts: 5, windowSeconds: 900, durationSeconds: 1800 };
    const waiting = store.countAttempt(ACCOUNT, clock.ms, policy);
    await expect(waiting).rejects.toMatchObject(unavailable('timeout'));
    await holding;
    expect(await store.lockout(ACCOUNT)).toEqual({ failures: 0 });
  });

  it('says that it is full, keeps what it acknowledged, and takes writes when there is room', async () => {
    const path = await server.smallTablespace('small', 18);
    const small = await server.createDatabase({ tablespace: 'small' });
    const ballast = join(path, 'ballast');
    await writeFile(ballast, random(6_000_000));
    const { store: full } = await openDatabase(small);
    const { acknowledged, refused } = await fill(full);
    expect(refused).toMatchObject(unavailable('full'));
    await rm(ballast);
    expect(await countAccounts(full)).toBe(acknowledged);
    expect(await full.createAccount(anAccount())).toBe(true);
    await full.close();
  });

  it('says that it is read-only, and still reads', async () => {
    const standby = await server.createDatabase();
    const { store: written } = await openDatabase(standby);
    await written.createAccount(anAccount());
    await written.close();
    await standby.admin(`alter database ${standby.name} set default_transaction_read_only = on`);
    const read = await openStore(standby.settings, { clock, random });
    await expect(read.ping()).rejects.toMatchObject(unavailable('read-only'));
    expect(await read.account(ACCOUNT)).toBeDefined();
    await read.close();
  });

  it('says so while it was not migrated', async () => {
    const empty = await server.createDatabase();
    const early = await openStore(empty.settings, { clock, random });
    await expect(early.ping()).rejects.toMatchObject(unavailable('failed'));
    await early.close();
  });

  it('takes no part of a call that fails halfway', async () => {
    await expect(
      store.database.write(async (writes) => {
        await writes.deleteFrom('account').execute();
        throw new RangeError('a mistake of the caller');
      }),
    ).rejects.toThrow(RangeError);
    expect(await store.account(ACCOUNT)).toBeDefined();
  });
});

/** The other transaction holds its rows as soon as it sleeps. */
async function waitForSleep(database: TestDatabase): Promise<void> {
  for (let look = 0; look < 500; look += 1) {
    const sleeping = `select 1 from pg_stat_activity where wait_event = 'PgSleep'`;
    if ((await database.admin(sleeping)).rowCount === 1) return;
  }
  throw new Error('the other transaction never slept');
}

describe('an SQLite database in trouble', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sallyport-sqlite-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  const open = (name: string, options = {}) =>
    openStore(
      { storage: { type: 'Embedded', directory: join(folder, name) } },
      { clock, random, ...options },
    );

  it('says that it is full, keeps what it acknowledged, and takes writes when there is room', async () => {
    const store = await open('bound', { maxPages: 200 });
    const { acknowledged, refused } = await fill(store);
    expect(refused).toMatchObject(unavailable('full'));
    expect(await countAccounts(store)).toBe(acknowledged);
    await store.deleteAccount('sp1full0', { at: 0, reason: 'Requested' });
    expect(await store.createAccount(anAccount())).toBe(true);
    await store.close();
  });

  it('says that the disk is full where the file system is', async () => {
    const path = join(folder, 'disk');
    execFileSync('mkdir', [path]);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', path]);
    try {
      const store = await open('disk');
      const { acknowledged, refused } = await fill(store);
      expect(refused).toMatchObject(unavailable('full'));
      expect(acknowledged).toBeGreaterThan(0);
      expect(await countAccounts(store)).toBe(acknowledged);
      await store.close();
    } finally {
      execFileSync('umount', [path]);
    }
  });

  it('says that it is too slow while another process holds the lock, and serves after that', async () => {
    const store = await open('locked', { deadlineMs: 300 });
    const other = new DatabaseSync(join(folder, 'locked', SQLITE_FILE));
    other.exec('begin immediate');
    await expect(store.createAccount(anAccount())).rejects.toMatchObject(unavailable('timeout'));
    other.exec('rollback');
    other.close();
    expect(await store.createAccount(anAccount())).toBe(true);
    await store.close();
  });

  it('says that it is read-only, and still reads', async () => {
    const store = await open('query-only');
    await store.createAccount(anAccount());
    await sql`pragma query_only=on`.execute(store.database.db);
    await expect(store.ping()).rejects.toMatchObject(unavailable('read-only'));
    expect(await store.account(ACCOUNT)).toBeDefined();
    await store.close();
  });

  it('does not start on a read-only file system', async () => {
    const path = join(folder, 'read-only');
    await (await open('read-only')).close();
    execFileSync('mount', ['--bind', path, path]);
    try {
      execFileSync('mount', ['-o', 'remount,ro,bind', path]);
      await expect(open('read-only')).rejects.toThrow(/cannot be made.*read-only file system/);
    } finally {
      execFileSync('umount', [path]);
    }
  });

  it('does not start with a file of column keys that everybody may read', async () => {
    await (await open('keys')).close();
    await chmod(join(folder, 'keys', 'column-keys.json'), 0o604);
    await expect(open('keys')).rejects.toThrow(/may be read by everybody.*chmod 600/);
  });
});
