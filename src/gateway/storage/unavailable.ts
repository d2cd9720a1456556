/*
 * What an error of a database driver says about the database: one of the closed reasons. Judged by codes, never by the
 * text of a message.
 */
import type { StorageReason } from '../store.js';

/** Primary result codes of SQLite (sqlite3.h); an extended code has its primary one in the low byte. */
const SQLITE_REASONS: Readonly<Record<number, StorageReason>> = {
  5: 'timeout', // SQLITE_BUSY: another process held the lock for too long.
  6: 'timeout', // SQLITE_LOCKED
  8: 'read-only', // SQLITE_READONLY
  13: 'full', // SQLITE_FULL: the disk, or the bound of the file.
  14: 'unreachable', // SQLITE_CANTOPEN
};

/** SQLSTATE codes of PostgreSQL (PostgreSQL 15, appendix A), or their first two characters. */
const SQLSTATE_REASONS: Readonly<Record<string, StorageReason>> = {
  '57014': 'timeout', // query_canceled: the statement timeout
  '55P03': 'timeout', // lock_not_available
  '25006': 'read-only', // read_only_sql_transaction: a standby
  '53100': 'full', // disk_full
  '53300': 'unreachable', // too_many_connections
  '57': 'unreachable', // Shut down, crashed, or starting up.
  '08': 'unreachable', // The connection failed.
  '28': 'unreachable', // It does not let us in.
  '3D': 'unreachable', // There is no such database.
};

/** Codes of Node's sockets and name resolution, like EPIPE, which has the length of an SQLSTATE. */
const SOCKET_CODE = /^E[A-Z]+$/;
const SQLSTATE = /^[0-9A-Z]{5}$/;

/** Foreign key violations: what the row belongs to is gone. */
const FOREIGN_KEY: readonly unknown[] = ['23503', 787];

interface DriverError {
  readonly code?: unknown;
  /** Extended result code; SQLite only. */
  readonly errcode?: unknown;
}

/** Why the database did not do it. */
export function reasonOf(error: unknown): StorageReason {
  const { code, errcode } = asDriverError(error);
  if (typeof errcode === 'number') return SQLITE_REASONS[errcode & 0xff] ?? 'failed';
  // The driver of PostgreSQL gives no code to a connection that ended or never came about.
  if (code === undefined) return 'unreachable';
  if (typeof code !== 'string') return 'failed';
  if (SQLSTATE.test(code) && !SOCKET_CODE.test(code))
    return SQLSTATE_REASONS[code] ?? SQLSTATE_REASONS[code.slice(0, 2)] ?? 'failed';
  // Our own codes begin so; all others are those of sockets, name resolution and certificates.
  return code.startsWith('ERR_SETTING') ? 'failed' : 'unreachable';
}

/** Whether a row was refused because its account is not there. */
export function isOrphan(error: unknown): boolean {
  const { code, errcode } = asDriverError(error);
  return FOREIGN_KEY.includes(errcode ?? code);
}

function asDriverError(error: unknown): DriverError {
  return typeof error === 'object' && error !== null ? error : {};
}
