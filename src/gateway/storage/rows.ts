/*
 * Rows of the tables and the rows that callers see: plain Uint8Array, numbers for times, absent for null.
 */
import type { Selectable } from 'kysely';
import type {
  AccountRow,
  DeletionRow,
  DeviceRow,
  FactorRow,
  InviteRow,
  LeaseRow,
  LockoutRow,
  Page,
  SessionRow,
} from '../store.js';
import type { Tables } from './tables.js';

type Row<Name extends keyof Tables> = Selectable<Tables[Name]>;

const HALF = 1n << 63n;

/** An unsigned 64-bit number as its column holds it. @throws RangeError for another number. */
export function toUnsignedColumn(value: bigint): bigint {
  if (value < 0n || value >= HALF << 1n) throw new RangeError('not an unsigned 64-bit number');
  return value - HALF;
}

/** The unsigned 64-bit number of its column. */
export const fromUnsignedColumn = (column: bigint): bigint => column + HALF;

/** A copy that is nothing but a Uint8Array; drivers give their own kinds. */
export const bytes = (column: Uint8Array): Uint8Array => Uint8Array.from(column);

/** A time or a count as columns hold it. @throws RangeError if it is not whole. */
export const integer = (value: number): bigint => BigInt(value);

/** Account as its caller sees it. */
export const accountRow = (row: Row<'account'>): AccountRow => ({
  account: row.account,
  identity: bytes(row.identity),
  state: row.state,
  registeredOn: Number(row.registered_on),
});

/** Device as its caller sees it. */
export const deviceRow = (row: Row<'device'>): DeviceRow => ({
  account: row.account,
  device: row.device,
  binding: bytes(row.binding),
  serial: fromUnsignedColumn(row.serial),
  state: row.state,
  enrolledOn: Number(row.enrolled_on),
});

/** A session that lives as its caller sees it. */
export const sessionRow = (
  row: Row<'session'> & { readonly token_hash: Uint8Array },
): SessionRow => ({
  session: row.session,
  account: row.account,
  device: row.device,
  tokenHash: bytes(row.token_hash),
  beganAt: Number(row.began_at),
  endsAt: Number(row.ends_at),
  lastUsedAt: Number(row.last_used_at),
  ...(row.second_factor_at === null ? {} : { secondFactorAt: Number(row.second_factor_at) }),
});

/** Factor as its caller sees it; `secret` is what the column key opened. */
export const factorRow = (row: Row<'factor'>, secret: Uint8Array): FactorRow => ({
  factor: row.factor,
  account: row.account,
  kind: row.kind,
  label: row.label,
  enrolledOn: Number(row.enrolled_on),
  secret,
  counter: fromUnsignedColumn(row.counter),
});

/** Lockout as its caller sees it. */
export const lockoutRow = (
  row: Pick<Row<'lockout'>, 'failures' | 'locked_until'> | undefined,
): LockoutRow => ({
  failures: Number(row?.failures ?? 0),
  ...(row === undefined || row.locked_until === null
    ? {}
    : { lockedUntil: Number(row.locked_until) }),
});

/** Invite as its caller sees it. */
export const inviteRow = (row: Row<'invite'>): InviteRow => ({
  invite: row.invite,
  codeHash: bytes(row.code_hash),
  expiresAt: Number(row.expires_at),
});

/** Lease as its caller sees it. */
export const leaseRow = (row: Row<'lease'>): LeaseRow => ({
  account: row.account,
  device: row.device,
  session: row.session,
  jti: row.jti,
  kid: row.kid,
  expiresAt: Number(row.expires_at),
});

/** Line of the ledger as its caller sees it. */
export const deletionRow = (row: Row<'deletion'>): DeletionRow => ({
  class: row.class,
  count: Number(row.count),
  at: Number(row.at),
  reason: row.reason,
});

/** A page of `rows`, which were asked for with one more than `limit` to see whether there is another. */
export function page<From, To>(
  rows: readonly From[],
  limit: number,
  { key, map }: { readonly key: (row: From) => string; readonly map: (row: From) => To },
): Page<To> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const next = rows.length > limit && last !== undefined ? { next: key(last) } : {};
  return { rows: shown.map(map), ...next };
}
