/*
 * Connections to PostgreSQL. The URI file is looked at again while the program runs: after a rotation of the password
 * the next call uses the new one, and connections with the old one end when they come back.
 */
import type { PostgresPool, PostgresPoolClient } from 'kysely';
import pg from 'pg';
import type { Clock } from '../../runtime/clock.js';
import { readSmallFile } from '../../runtime/small.file.js';
import { type DatabaseAddress, readDatabaseUri } from './database-uri.js';

/** Per replica. Transactions are short: a login makes about ten. */
const MAX_CONNECTIONS = 10;
/** How often the URI file is looked at, in milliseconds. */
const LOOK_EVERY_MS = 1_000;
/** OID of int8 (pg_type.dat). */
const INT8 = 20;
/** The server gives up before the caller's deadline, and says why. */
const SERVER_MARGIN_MS = 200;
/** The driver gives up after the caller's deadline, and the connection is not used again. */
const DRIVER_MARGIN_MS = 500;

/** What connections are made with. */
export interface PoolSettings {
  readonly uriFile: string;
  readonly caFile?: string;
  /** The most that a call waits, in milliseconds. */
  readonly deadlineMs: number;
  readonly clock: Clock;
}

/** Reads the URI in `file`. @throws ActionableError when it is absent or not right */
export async function readUriFile(file: string): Promise<DatabaseAddress> {
  const { text } = await readSmallFile(file, {
    what: 'file with the database URI',
    hint: 'It comes from the Secret that spec.storage.postgresql names, key uri.',
  });
  return readDatabaseUri(text);
}

/** A pool that follows its URI file. */
export class FollowingPool implements PostgresPool {
  readonly options = {};
  #pool: pg.Pool;
  #address: string;
  #lookedAtMs: number;

  private constructor(
    private readonly settings: PoolSettings,
    address: DatabaseAddress,
    ca: string | undefined,
  ) {
    this.#address = JSON.stringify({ address, ca });
    this.#pool = createPool(settings, address, ca);
    this.#lookedAtMs = settings.clock.monotonicMs();
  }

  /** @throws ActionableError when a file is absent or not right; the database need not be there */
  static async open(settings: PoolSettings): Promise<FollowingPool> {
    const { address, ca } = await filesOf(settings);
    return new FollowingPool(settings, address, ca);
  }

  async connect(): Promise<PostgresPoolClient> {
    await this.#follow();
    return pooledClient(await this.#pool.connect());
  }

  async end(): Promise<void> {
    await this.#pool.end();
  }

  async #follow(): Promise<void> {
    const nowMs = this.settings.clock.monotonicMs();
    if (nowMs - this.#lookedAtMs < LOOK_EVERY_MS) return;
    this.#lookedAtMs = nowMs;
    // A file that is being replaced, or is wrong, changes nothing: what works goes on.
    const files = await filesOf(this.settings).catch(() => undefined);
    if (files === undefined || JSON.stringify(files) === this.#address) return;
    const before = this.#pool;
    this.#address = JSON.stringify(files);
    this.#pool = createPool(this.settings, files.address, files.ca);
    before.end().catch(() => undefined);
  }
}

async function filesOf({ uriFile, caFile }: PoolSettings) {
  const address = await readUriFile(uriFile);
  const ca =
    caFile === undefined
      ? undefined
      : (
          await readSmallFile(caFile, {
            what: 'file with the certificates of the database',
            hint: 'It comes from the Secret that spec.storage.postgresql.caSecretRef names.',
          })
        ).text;
  return { address, ca };
}

function createPool(
  { deadlineMs }: PoolSettings,
  { host, port, database, role, password, isLoopback }: DatabaseAddress,
  ca: string | undefined,
): pg.Pool {
  const pool = new pg.Pool({
    ...{ host, port, database, user: role, password },
    ssl: isLoopback && ca === undefined ? false : tlsOptions(ca),
    max: MAX_CONNECTIONS,
    connectionTimeoutMillis: deadlineMs,
    statement_timeout: Math.max(1, deadlineMs - SERVER_MARGIN_MS),
    query_timeout: deadlineMs + DRIVER_MARGIN_MS,
    idle_in_transaction_session_timeout: 2 * deadlineMs,
    keepAlive: true,
    application_name: 'sallyport-gateway',
    types: { getTypeParser },
  });
  // A connection that ends while nobody uses it is replaced; one that is used fails its query.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}

/** TLS 1.3 or 1.2 with a certificate that chains to `ca` (else to the public authorities) and names the host. */
function tlsOptions(ca: string | undefined) {
  const trust = ca === undefined ? {} : { ca };
  return { minVersion: 'TLSv1.2', rejectUnauthorized: true, ...trust } as const;
}

const parseInt8 = (text: string): bigint => BigInt(text);

/** Eight-byte integers are bigints, as SQLite gives them; the driver's own choice is texts. */
const getTypeParser = ((oid: number, format?: 'text' | 'binary') =>
  // The driver's type does not know that it asks for texts alone here.
  oid === INT8
    ? parseInt8
    : (pg.types.getTypeParser as (oid: number, format?: string) => unknown)(
        oid,
        format,
      )) as typeof pg.types.getTypeParser;

/**
 * A connection on loan. After an error that the server did not send (a lost or silent connection) it is used for
 * nothing more, not even a rollback, and is closed when it comes back: else its late answers would meet other queries.
 */
function pooledClient(client: pg.PoolClient): PostgresPoolClient {
  let broken: Error | undefined;
  const query = async (sql: string, parameters: readonly unknown[]) => {
    if (broken !== undefined) throw broken;
    try {
      return await client.query(sql, [...parameters]);
    } catch (error) {
      if (!(error instanceof pg.DatabaseError)) broken = error as Error; // The driver throws nothing else.
      throw error;
    }
  };
  const release = (destroy = false) => {
    client.release(destroy || broken !== undefined);
  };
  // Of the two forms of `query`, rows that are streamed are never asked for.
  return { query, release } as unknown as PostgresPoolClient;
}
