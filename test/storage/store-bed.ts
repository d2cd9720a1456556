/*
 * The same store on both databases: each test gets one of its own. Rows have defaults, so that a test shows what it is
 * about.
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type OpenStore,
  openStore,
  type StoreOptions,
} from '../../src/gateway/storage/open.store.js';
import { createColumnKeys } from '../../src/gateway/storage/column-keys.file.js';
import { runMigrations } from '../../src/gateway/storage/postgres.database.js';
import type {
  AccountRow,
  DeviceRow,
  FactorRow,
  LeaseRow,
  SessionRow,
} from '../../src/gateway/store.js';
import { SCHEMA, TABLE_NAMES } from '../../src/gateway/storage/tables.js';
import { PostgresServer, type TestDatabase } from './postgres.js';

/** Noon of a day; all tests live around it. */
export const NOON = Date.parse('2026-03-01T12:00:00Z');
export const SECOND = 1_000;
export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;

/** Random bytes, as the gateway has them. */
export const random = (count: number): Uint8Array => Uint8Array.from(randomBytes(count));

/** Time that a test moves. */
export class TestClock {
  constructor(public ms = NOON) {}
  readonly now = () => new Date(this.ms);
  readonly monotonicMs = () => this.ms;
}

/** Where stores of one kind come from. */
export interface StoreBed {
  open(options?: Partial<StoreOptions>): Promise<OpenStore>;
  stop(): Promise<void>;
}

/** A new SQLite database for each store. */
export async function sqliteBed(): Promise<StoreBed> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-sqlite-'));
  let count = 0;
  return {
    open: (options) => {
      count += 1;
      const storage = { type: 'Embedded', directory: join(folder, String(count)) } as const;
      return openStore({ storage }, { clock: new TestClock(), random, ...options });
    },
    stop: () => rm(folder, { recursive: true, force: true }),
  };
}

/** One PostgreSQL database, which each store finds empty: a new one takes a second on a busy machine. */
export async function postgresBed({ oneRole = false } = {}): Promise<StoreBed> {
  const server = await PostgresServer.start();
  const database = await server.createDatabase({ oneRole });
  const tables = TABLE_NAMES.map((name) => `${SCHEMA}.${name}`).join();
  return {
    open: async (options) => {
      const { store } = await openDatabase(database, options);
      await database.admin(`truncate ${tables} restart identity`);
      return store;
    },
    stop: () => server.stop(),
  };
}

/** Migrates `database` and opens it as the gateway does. */
export async function openDatabase(database: TestDatabase, options: Partial<StoreOptions> = {}) {
  const clock = new TestClock();
  await runMigrations(database.settings, database.migrationUriFile, { clock });
  const columnKeysFile = join(database.migrationUriFile, '..', 'column-keys.json');
  await createColumnKeys(columnKeysFile, random);
  const store = await openStore(database.settings, { clock, random, columnKeysFile, ...options });
  return { store, clock };
}

/** Both kinds, for `describe.each`. */
export const BEDS = [
  ['SQLite', () => sqliteBed()],
  ['PostgreSQL', () => postgresBed()],
] as const;

/** Name of the first account of a test. */
export const ACCOUNT = 'sp1account';

export const anAccount = (row: Partial<AccountRow> = {}): AccountRow => ({
  account: ACCOUNT,
  identity: new Uint8Array(32).fill(7),
  state: 'Active',
  registeredOn: NOON - (NOON % DAY),
  ...row,
});

export const aDevice = (row: Partial<DeviceRow> = {}): DeviceRow => ({
  account: ACCOUNT,
  device: 'device-1',
  binding: Uint8Array.of(1, 2, 3),
  serial: 1n,
  state: 'Active',
  enrolledOn: NOON - (NOON % DAY),
  ...row,
});

export const aSession = (row: Partial<SessionRow> = {}): SessionRow => ({
  session: 'session-1',
  account: ACCOUNT,
  device: 'device-1',
  tokenHash: new Uint8Array(32).fill((row.session ?? 'session-1').charCodeAt(8)),
  beganAt: NOON,
  endsAt: NOON + 12 * HOUR,
  lastUsedAt: NOON,
  ...row,
});

export const aFactor = (row: Partial<FactorRow> = {}): FactorRow => ({
  factor: 'factor-1',
  account: ACCOUNT,
  kind: 'TOTP',
  label: 'phone',
  enrolledOn: NOON - (NOON % DAY),
  secret: new TextEncoder().encode('twenty bytes of seed'),
  counter: 0n,
  ...row,
});

export const aLease = (row: Partial<LeaseRow> = {}): LeaseRow => ({
  account: ACCOUNT,
  device: 'device-1',
  session: 'session-1',
  jti: 'jti-1',
  kid: 'kid-1',
  expiresAt: NOON + 600 * SECOND,
  ...row,
});

/** `count` calls at the same time. */
export const atOnce = <T>(count: number, call: (at: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, at) => call(at)));
