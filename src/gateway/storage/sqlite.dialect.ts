/*
 * Kysely on node:sqlite: one connection, used by one query or transaction at a time. Transactions take the write lock at
 * their beginning, so that none fails halfway because another process writes.
 */
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';

/** Queries of this program; a statement is prepared once. */
const MAX_PREPARED = 256;

/** How the database is opened. */
export interface SqliteSettings {
  readonly file: string;
  /** How long another process may hold the lock, in milliseconds. This process does nothing else meanwhile. */
  readonly busyTimeoutMs: number;
  /** Bounds the file, for tests of a full disk. */
  readonly maxPages?: number;
  /** Only reads; for tests and for looking at a copy. */
  readonly readOnly?: boolean;
}

/** SQLite runs DDL inside transactions, so a migration that is interrupted leaves nothing behind. */
class TransactionalAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

/** A dialect for one database file, which is created if it is not there. */
export function sqliteDialect(settings: SqliteSettings): Dialect {
  return {
    createAdapter: () => new TransactionalAdapter(),
    createDriver: () => new SqliteDriver(settings),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
}

class SqliteDriver implements Driver {
  #connection: SqliteConnection | undefined;

  constructor(readonly settings: SqliteSettings) {}

  async init(): Promise<void> {
    this.#connection = new SqliteConnection(openDatabase(this.settings));
    await Promise.resolve();
  }

  acquireConnection(): Promise<DatabaseConnection> {
    // Kysely calls `init` first.
    if (this.#connection === undefined) throw new Error('the database is not open');
    return Promise.resolve(this.#connection);
  }

  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'));
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('commit'));
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    // A full disk and some I/O errors have rolled back already.
    if (this.#connection?.inTransaction === true)
      await connection.executeQuery(CompiledQuery.raw('rollback'));
  }

  releaseConnection(): Promise<void> {
    return Promise.resolve();
  }

  destroy(): Promise<void> {
    this.#connection?.close();
    return Promise.resolve();
  }
}

/**
 * What is answered is durable (`synchronous=full` syncs the log at each commit), and deleted content is overwritten.
 * Foreign keys are not checked unless a connection asks for it.
 */
function openDatabase({ file, busyTimeoutMs, maxPages, readOnly = false }: SqliteSettings) {
  const database = new DatabaseSync(file, { timeout: busyTimeoutMs, readOnly });
  if (!readOnly) database.exec('pragma journal_mode=wal');
  database.exec('pragma synchronous=full; pragma foreign_keys=on; pragma secure_delete=on');
  if (maxPages !== undefined) database.exec(`pragma max_page_count=${maxPages}`);
  return database;
}

interface Prepared {
  readonly statement: StatementSync;
  readonly givesRows: boolean;
}

class SqliteConnection implements DatabaseConnection {
  readonly #prepared = new Map<string, Prepared>();

  constructor(private readonly database: DatabaseSync) {}

  get inTransaction(): boolean {
    return this.database.isTransaction;
  }

  async executeQuery<Row>({ sql, parameters }: CompiledQuery): Promise<QueryResult<Row>> {
    await Promise.resolve();
    const { statement, givesRows } = this.#prepare(sql);
    // Kysely's parameters are what this program gave: texts, bytes, bigints and null.
    const values = parameters as (string | bigint | Uint8Array | null)[];
    // The row type is the query's; only the database could tell otherwise.
    if (givesRows) return { rows: statement.all(...values) as Row[] };
    return { rows: [], numAffectedRows: BigInt(statement.run(...values).changes) };
  }

  async *streamQuery<Row>(): AsyncIterableIterator<QueryResult<Row>> {
    await Promise.resolve();
    throw new Error('rows are read in pages, not streamed');
  }

  close(): void {
    this.#prepared.clear();
    this.database.close();
  }

  #prepare(sql: string): Prepared {
    const known = this.#prepared.get(sql);
    if (known !== undefined) return known;
    const statement = this.database.prepare(sql);
    statement.setReadBigInts(true);
    const prepared = { statement, givesRows: statement.columns().length > 0 };
    if (this.#prepared.size >= MAX_PREPARED) this.#prepared.clear();
    this.#prepared.set(sql, prepared);
    return prepared;
  }
}
