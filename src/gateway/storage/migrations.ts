/*
 * The migrations, oldest first, for both databases. A migration is never changed once it was released, and only adds:
 * a release that contracts comes after one that no longer reads what goes, so that the release before it still works
 * on the new tables.
 */
import { type ColumnDataType, type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** The kinds of databases. */
export type DatabaseKind = 'sqlite' | 'postgresql';

/** The migrations for one kind of database, by the names under which they are recorded. */
export function migrationsFor(kind: DatabaseKind): Readonly<Record<string, Migration>> {
  return {
    '0001-first': { up: (db) => first(db, kind) },
    '0002-lease-counts': { up: (db) => createTable(db, kind, 'lease_count', LEASE_COUNT) },
  };
}

/** The name of the newest migration: a database without it is too old for this release. */
export const NEWEST_MIGRATION = '0002-lease-counts';

interface ColumnTypes {
  readonly text: ColumnDataType;
  readonly bytes: ColumnDataType;
  readonly integer: ColumnDataType;
}

const COLUMN_TYPES: Readonly<Record<DatabaseKind, ColumnTypes>> = {
  sqlite: { text: 'text', bytes: 'blob', integer: 'integer' },
  postgresql: { text: 'text', bytes: 'bytea', integer: 'bigint' },
};

// Migrations see a database whose tables are not typed yet.
type Untyped = Kysely<unknown>;

/** A table to build: `name?` may be null. */
interface TableOf {
  readonly columns: Readonly<Record<string, keyof ColumnTypes>>;
  readonly key: readonly string[];
  /** A row goes with its account. */
  readonly ofAccount?: true;
}

const FIRST_TABLES: Readonly<Record<string, TableOf>> = {
  account: {
    columns: { account: 'text', identity: 'bytes', state: 'text', registered_on: 'integer' },
    key: ['account'],
  },
  device: {
    columns: {
      account: 'text',
      device: 'text',
      binding: 'bytes',
      serial: 'integer',
      state: 'text',
      enrolled_on: 'integer',
    },
    key: ['account', 'device'],
    ofAccount: true,
  },
  revocation: {
    columns: { account: 'text', device: 'text', revocation: 'bytes' },
    key: ['account', 'device'],
  },
  session: {
    columns: {
      session: 'text',
      account: 'text',
      device: 'text',
      'token_hash?': 'bytes',
      began_at: 'integer',
      ends_at: 'integer',
      last_used_at: 'integer',
      'second_factor_at?': 'integer',
      'ended_at?': 'integer',
    },
    key: ['session'],
    ofAccount: true,
  },
  factor: {
    columns: {
      account: 'text',
      factor: 'text',
      kind: 'text',
      label: 'text',
      enrolled_on: 'integer',
      secret: 'bytes',
      counter: 'integer',
    },
    key: ['account', 'factor'],
    ofAccount: true,
  },
  recovery_code: {
    columns: { account: 'text', hash: 'bytes' },
    key: ['account', 'hash'],
    ofAccount: true,
  },
  lockout: {
    columns: {
      account: 'text',
      failures: 'integer',
      window_began_at: 'integer',
      'locked_until?': 'integer',
    },
    key: ['account'],
    ofAccount: true,
  },
  invite: {
    columns: { invite: 'text', code_hash: 'bytes', expires_at: 'integer' },
    key: ['invite'],
  },
  lease: {
    columns: {
      jti: 'text',
      account: 'text',
      device: 'text',
      session: 'text',
      kid: 'text',
      expires_at: 'integer',
    },
    key: ['jti'],
    ofAccount: true,
  },
  revoked_lease: { columns: { jti: 'text', expires_at: 'integer' }, key: ['jti'] },
  policy_serial: { columns: { one: 'integer', uid: 'text', serial: 'integer' }, key: ['one'] },
  probe: { columns: { one: 'integer', beats: 'integer' }, key: ['one'] },
};

const LEASE_COUNT: TableOf = {
  columns: { account: 'text', hour: 'integer', leases: 'integer' },
  key: ['account', 'hour'],
  ofAccount: true,
};

const FIRST_INDEXES: readonly (readonly [string, readonly string[], 'unique'?])[] = [
  ['device', ['state', 'account', 'device']],
  ['session', ['token_hash'], 'unique'],
  ['session', ['account', 'device']],
  ['session', ['ended_at', 'ends_at']],
  ['invite', ['code_hash'], 'unique'],
  ['lease', ['account', 'expires_at']],
  ['lease', ['session']],
  ['lease', ['kid']],
  ['lease', ['expires_at']],
  ['revoked_lease', ['expires_at']],
];

async function first(db: Untyped, kind: DatabaseKind): Promise<void> {
  for (const [name, table] of Object.entries(FIRST_TABLES))
    await createTable(db, kind, name, table);
  await createLedger(db, kind);
  for (const [table, columns, unique] of FIRST_INDEXES) {
    const index = db.schema.createIndex(`${table}_by_${columns.join('_')}`).on(table);
    const builder = index.columns([...columns]);
    await (unique === undefined ? builder : builder.unique()).execute();
  }
}

async function createTable(
  db: Untyped,
  kind: DatabaseKind,
  name: string,
  { columns, key, ofAccount }: TableOf,
): Promise<void> {
  let table = db.schema.createTable(name);
  for (const [column, type] of Object.entries(columns)) {
    const mayBeNull = column.endsWith('?');
    table = table.addColumn(column.replace('?', ''), COLUMN_TYPES[kind][type], (definition) =>
      mayBeNull ? definition : definition.notNull(),
    );
  }
  // The builder's type knows no columns here.
  table = table.addPrimaryKeyConstraint(`${name}_key`, [...key] as never[]);
  if (ofAccount === true)
    table = table.addForeignKeyConstraint(
      `${name}_of_account`,
      ['account'] as never[],
      'account',
      ['account'],
      (constraint) => constraint.onDelete('cascade'),
    );
  await (kind === 'sqlite' ? table.modifyEnd(sql`strict`) : table).execute();
}

/** The ledger counts its rows itself, so that they have an order. */
async function createLedger(db: Untyped, kind: DatabaseKind): Promise<void> {
  const { text, integer } = COLUMN_TYPES[kind];
  const table = db.schema
    .createTable('deletion')
    .addColumn('id', integer, (id) =>
      kind === 'sqlite'
        ? id.primaryKey().autoIncrement()
        : id.primaryKey().generatedAlwaysAsIdentity(),
    )
    .addColumn('class', text, (column) => column.notNull())
    .addColumn('count', integer, (column) => column.notNull())
    .addColumn('at', integer, (column) => column.notNull())
    .addColumn('reason', text, (column) => column.notNull());
  await (kind === 'sqlite' ? table.modifyEnd(sql`strict`) : table).execute();
}
