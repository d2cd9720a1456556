/*
 * The tables of the gateway, the same in SQLite and PostgreSQL. This is the closed list of what it keeps: a column that
 * is not here cannot be written. Bytes are BLOB or bytea, numbers 64-bit integers, times Unix milliseconds.
 *
 * `Unsigned` columns hold an unsigned 64-bit number less 2^63, because both databases compare signed ones: the order
 * stays, and no serial that somebody signs is out of range.
 */
import type { Generated } from 'kysely';
import type { AccountState, DeletionRow, DeviceState, FactorRow } from '../store.js';

/** An unsigned 64-bit number less 2^63. */
type Unsigned = bigint;

interface AccountTable {
  account: string;
  identity: Uint8Array;
  state: AccountState;
  registered_on: bigint;
}

interface DeviceTable {
  account: string;
  device: string;
  binding: Uint8Array;
  serial: Unsigned;
  state: DeviceState;
  enrolled_on: bigint;
}

/** Stays when its account goes: a revoked device never comes back. */
interface RevocationTable {
  account: string;
  device: string;
  revocation: Uint8Array;
}

interface SessionTable {
  session: string;
  account: string;
  device: string;
  /** Null once it has ended. */
  token_hash: Uint8Array | null;
  began_at: bigint;
  ends_at: bigint;
  last_used_at: bigint;
  second_factor_at: bigint | null;
  /** Null while it lives. What has ended is kept as long as the retention of sessions says, and nobody sees it. */
  ended_at: bigint | null;
}

interface FactorTable {
  account: string;
  factor: string;
  kind: FactorRow['kind'];
  label: string;
  enrolled_on: bigint;
  /** TOTP: sealed (column-key.ts). WebAuthn: as it is; it holds nothing secret. */
  secret: Uint8Array;
  counter: Unsigned;
}

interface RecoveryCodeTable {
  account: string;
  hash: Uint8Array;
}

interface LockoutTable {
  account: string;
  failures: bigint;
  window_began_at: bigint;
  locked_until: bigint | null;
}

interface InviteTable {
  invite: string;
  code_hash: Uint8Array;
  expires_at: bigint;
}

interface LeaseTable {
  jti: string;
  account: string;
  device: string;
  session: string;
  kid: string;
  expires_at: bigint;
}

interface RevokedLeaseTable {
  jti: string;
  expires_at: bigint;
}

interface LeaseCountTable {
  account: string;
  /** Its beginning. */
  hour: bigint;
  leases: bigint;
}

/** One row: the policy of one gateway. */
interface PolicySerialTable {
  one: bigint;
  uid: string;
  serial: Unsigned;
}

interface DeletionTable {
  id: Generated<bigint>;
  class: DeletionRow['class'];
  count: bigint;
  at: bigint;
  reason: DeletionRow['reason'];
}

/** One row that `ping` writes. */
interface ProbeTable {
  one: bigint;
  beats: bigint;
}

/** Written by the migrator. */
interface MigrationTable {
  name: string;
}

/** All tables by their names. */
export interface Tables {
  kysely_migration: MigrationTable;
  account: AccountTable;
  device: DeviceTable;
  revocation: RevocationTable;
  session: SessionTable;
  factor: FactorTable;
  recovery_code: RecoveryCodeTable;
  lockout: LockoutTable;
  invite: InviteTable;
  lease: LeaseTable;
  revoked_lease: RevokedLeaseTable;
  lease_count: LeaseCountTable;
  policy_serial: PolicySerialTable;
  deletion: DeletionTable;
  probe: ProbeTable;
}

/** Names of the tables with rows of the gateway, for grants and for tests that look at all of them. */
export const TABLE_NAMES = [
  'account',
  'device',
  'revocation',
  'session',
  'factor',
  'recovery_code',
  'lockout',
  'invite',
  'lease',
  'revoked_lease',
  'lease_count',
  'policy_serial',
  'deletion',
  'probe',
] as const satisfies readonly (keyof Tables)[];

/** Schema of the tables in PostgreSQL; the runtime role needs no other. */
export const SCHEMA = 'sallyport';
