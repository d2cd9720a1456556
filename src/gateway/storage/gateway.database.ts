/*
 * Reads and writes with a deadline. A write is one transaction; after its deadline it is never committed. Only when the
 * answer to the commit itself is lost, nobody knows: so every write of the stores may be repeated.
 */
import type { Kysely, Transaction } from 'kysely';
import { AccountUnusable, StorageUnavailable } from '../store.js';
import type { DatabaseKind } from './migrations.js';
import type { Tables } from './tables.js';
import { NO_COUNTS, type StoreCounts } from './storage-metrics.js';
import { isOrphan, reasonOf } from './unavailable.js';

/** The most that a call waits, in milliseconds: a login must be refused before its endpoint gives up. */
export const DEADLINE_MS = 3_000;

/** A query or a transaction. */
export type Queries = Kysely<Tables>;

/** A transaction. */
export type Writes = Transaction<Tables>;

/** One database of a gateway, of either kind. */
export class GatewayDatabase {
  constructor(
    readonly kind: DatabaseKind,
    readonly db: Queries,
    readonly deadlineMs: number = DEADLINE_MS,
    private readonly counts: Pick<StoreCounts, 'unavailable'> = NO_COUNTS,
  ) {}

  /** Runs queries that change nothing. @throws StorageUnavailable */
  async read<T>(work: (db: Queries) => Promise<T>): Promise<T> {
    return this.#within(() => work(this.db));
  }

  /** Runs `work` as one transaction. @throws StorageUnavailable, AccountUnusable; then nothing of it happened */
  async write<T>(work: (writes: Writes) => Promise<T>): Promise<T> {
    return this.#within((isLate) =>
      this.db.transaction().execute(async (writes) => {
        const result = await work(writes);
        // Its caller was told that nothing happened.
        if (isLate()) throw new StorageUnavailable('timeout');
        return result;
      }),
    );
  }

  async close(): Promise<void> {
    await this.db.destroy();
  }

  /**
   * Locks the row of an account until the end of the transaction, so that what counts things of one account counts
   * right. Undefined when there is no such account. SQLite has one writer at a time anyway.
   */
  async lockAccount(writes: Writes, account: string) {
    const query = writes.selectFrom('account').select('state').where('account', '=', account);
    const locked = this.kind === 'postgresql' ? query.forNoKeyUpdate() : query;
    return (await locked.executeTakeFirst())?.state;
  }

  async #within<T>(work: (isLate: () => boolean) => Promise<T>): Promise<T> {
    let late = false;
    const running = work(() => late);
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        late = true;
        reject(new StorageUnavailable('timeout'));
      }, this.deadlineMs);
    });
    try {
      return await Promise.race([running, deadline]);
    } catch (error) {
      // What comes of it later is told to nobody.
      running.catch(() => undefined);
      const refusal = translated(error);
      if (refusal instanceof StorageUnavailable) this.counts.unavailable(refusal.reason);
      throw refusal;
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Errors of ours and mistakes of callers pass; a driver's error becomes its reason. */
function translated(error: unknown): unknown {
  if (error instanceof StorageUnavailable || error instanceof AccountUnusable) return error;
  if (error instanceof RangeError || error instanceof TypeError) return error;
  if (isOrphan(error)) return new AccountUnusable();
  return new StorageUnavailable(reasonOf(error), { cause: error });
}
