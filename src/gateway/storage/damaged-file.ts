/*
 * A file that stands where the database should be and is none: nothing gets better by starting again, so a person is told.
 */
import { ActionableError } from '../../runtime/errors.js';

/** Primary result codes of SQLite (sqlite3.h): SQLITE_CORRUPT and SQLITE_NOTADB. */
const DAMAGED: readonly unknown[] = [11, 26];

/** What to tell when SQLite could not be opened because the file is damaged or none of its own; undefined for other errors. */
export function damageOf(error: unknown, file: string): ActionableError | undefined {
  const { cause } = error as { readonly cause?: { readonly errcode?: unknown } };
  const { errcode } = cause ?? {};
  if (typeof errcode !== 'number' || !DAMAGED.includes(errcode & 0xff)) return undefined;
  return new ActionableError(
    'ERR_STATE',
    `${file} is damaged, or no database of a gateway.`,
    'Put a backup in its place; without one move it away with its -wal and -shm: all accounts register anew then.',
    { cause: error },
  );
}
