/*
 * What a release leaves behind in a database, as files: `tsx test/storage/release-database.ts VERSION` writes them to
 * test/releases/VERSION/storage once, when it is released; upgrade.spec.ts migrates them for ever after.
 */
import { execFileSync } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sql } from 'kysely';
import {
  COLUMN_KEYS_FILE,
  type OpenStore,
  openStore,
  SQLITE_FILE,
} from '../../src/gateway/storage/open.store.js';
import type { Store } from '../../src/gateway/store.js';
import { debianTree } from '../debian/packages.js';
import { PostgresServer } from './postgres.js';
import {
  aDevice,
  aFactor,
  aLease,
  anAccount,
  aSession,
  ACCOUNT,
  HOUR,
  NOON,
  openDatabase,
  random,
  TestClock,
} from './store-bed.js';

/** Name of the PostgreSQL dump beside the SQLite file. */
export const DUMP_FILE = 'gateway.sql';

/** At least one row in every table. */
export async function fillTables(store: Store): Promise<void> {
  await store.createAccount(anAccount());
  await store.createAccount(anAccount({ account: 'sp1gone' }));
  await store.putDevice(aDevice({ serial: 2n ** 64n - 1n }), 5);
  await store.addRevocation(ACCOUNT, 'device-9', Uint8Array.of(9));
  await store.createSession(aSession());
  await store.addFactor(aFactor({ counter: 2n ** 63n }), 5);
  await store.addFactor(aFactor({ factor: 'factor-2', kind: 'WebAuthn' }), 5);
  await store.setRecoveryCodes(ACCOUNT, [new Uint8Array(32).fill(1)]);
  const policy = { maxAttempts: 5, windowSeconds: 900, durationSeconds: 1800 };
  await store.countAttempt(ACCOUNT, NOON, policy);
  await store.addInvite({ invite: 'i1', codeHash: Uint8Array.of(1), expiresAt: NOON + HOUR });
  await store.addLease(aLease(), 5, NOON);
  await store.addRevokedLeases([{ jti: 'gone', expiresAt: NOON + HOUR }]);
  await store.raisePolicySerial('uid-1', 7n);
  await store.deleteAccount('sp1gone', { at: NOON, reason: 'Requested' });
  await store.ping();
}

/** What `fillTables` left, as a caller sees it. */
export async function readTables(store: Store): Promise<object> {
  return {
    account: await store.account(ACCOUNT),
    devices: await store.devices(ACCOUNT),
    revocations: await store.revocations(ACCOUNT),
    sessions: await store.sessions(ACCOUNT),
    factors: await store.factors(ACCOUNT),
    recoveryCodes: await store.recoveryCodesLeft(ACCOUNT),
    lockout: await store.lockout(ACCOUNT),
    invites: await store.invites(undefined, 5),
    leases: await store.leases(ACCOUNT, NOON),
    revokedLeases: await store.revokedLeases(NOON),
    olderPolicy: await store.raisePolicySerial('uid-1', 6n),
    deletions: await store.deletions(undefined, 5),
  };
}

async function record(version: string): Promise<void> {
  const target = fileURLToPath(new URL(`../releases/${version}/storage/`, import.meta.url));
  await mkdir(target);
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-release-'));
  const server = await PostgresServer.start();
  try {
    await recordSqlite(folder, target);
    await recordPostgres(server, target);
  } finally {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function recordSqlite(folder: string, target: string): Promise<void> {
  const storage = { type: 'Embedded', directory: folder } as const;
  const store = await openStore({ storage }, { clock: new TestClock(), random });
  await fillTables(store);
  await settle(store);
  for (const name of [SQLITE_FILE, COLUMN_KEYS_FILE])
    await copyFile(join(folder, name), join(target, name));
}

/** All of the log goes into the database file when the last connection ends. */
async function settle(store: OpenStore): Promise<void> {
  await sql`pragma wal_checkpoint(truncate)`.execute(store.database.db);
  await store.close();
}

async function recordPostgres(server: PostgresServer, target: string): Promise<void> {
  const database = await server.createDatabase();
  const columnKeysFile = join(target, COLUMN_KEYS_FILE);
  const { store } = await openDatabase(database, { columnKeysFile });
  await fillTables(store);
  await store.close();
  const { root, env } = debianTree(['postgresql-15']);
  const options = ['--no-owner', '--no-privileges', '--inserts', '--schema=sallyport'];
  const dump = execFileSync(
    join(root, 'usr/lib/postgresql/15/bin/pg_dump'),
    [...options, database.uri(database.owner)],
    { env, encoding: 'utf8' },
  );
  // Commands of psql are no SQL, and the versions of the day are no news.
  const lines = dump.split('\n').filter((line) => !/^(\\|-- Dumped)/.test(line));
  await writeFile(join(target, DUMP_FILE), lines.join('\n'));
}

const [, program, version] = process.argv;
if (program === fileURLToPath(import.meta.url)) await record(version ?? '');
