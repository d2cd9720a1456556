/*
 * What the gateway keeps, and nothing else: the closed list of docs/privacy.md in code. Two stores implement it with the
 * same tables (SQLite, PostgreSQL). Accounts are named by their fingerprint; nothing here holds a peer, an address, a
 * name, a session id of two endpoints, or an exact time of a connection. Times are Unix milliseconds; days and hours
 * are times at the beginning of one (UTC).
 *
 * Every method is one transaction and throws StorageUnavailable when the database does not answer in time; then nothing
 * of it happened (unless only the answer to the commit was lost: every method may be repeated). What a method has
 * answered is durable. A row of an account that is not there throws AccountUnusable.
 */

/** Waiting for approval, in use, or locked by an administrator. */
export type AccountState = 'Pending' | 'Active' | 'Locked';
/** Waiting for approval, in use, or revoked for ever. */
export type DeviceState = 'Pending' | 'Active' | 'Revoked';

/** An account. */
export interface AccountRow {
  /** `sp1...` */
  readonly account: string;
  /** The 32-byte identity key, from which the fingerprint follows. */
  readonly identity: Uint8Array;
  readonly state: AccountState;
  readonly registeredOn: number;
}

/** A device of an account. */
export interface DeviceRow {
  readonly account: string;
  /** 16 bytes as base64url. */
  readonly device: string;
  /** The whole device binding, as its identity key signed it. */
  readonly binding: Uint8Array;
  /** Serial of that binding; a lower one is never taken again. */
  readonly serial: bigint;
  readonly state: DeviceState;
  readonly enrolledOn: number;
}

/** A session of a device at this gateway. The token itself is never stored. */
export interface SessionRow {
  /** 16 random bytes as base64url: names it to its owner and to administrators. */
  readonly session: string;
  readonly account: string;
  readonly device: string;
  /** SHA-256 of the token. */
  readonly tokenHash: Uint8Array;
  /** To the hour. */
  readonly beganAt: number;
  /** Ends then at the latest. */
  readonly endsAt: number;
  /** Ends when nothing was heard since then for the idle time; written at most once in 10 s per session. */
  readonly lastUsedAt: number;
  /** When a second factor was proven in it; absent: never. */
  readonly secondFactorAt?: number;
}

/** A second factor. */
export interface FactorRow {
  readonly factor: string;
  readonly account: string;
  readonly kind: 'WebAuthn' | 'TOTP';
  readonly label: string;
  readonly enrolledOn: number;
  /**
   * TOTP: the secret; the store seals it with the column key and opens it again. WebAuthn: credential id, public key, transports, as the module of
   * second factors encodes them.
   */
  readonly secret: Uint8Array;
  /** TOTP: the last step that was used. WebAuthn: the signature counter. Only grows. */
  readonly counter: bigint;
}

/** What failures of the second factor did to an account. */
export interface LockoutRow {
  readonly failures: number;
  /** Locked until then; absent: not locked. */
  readonly lockedUntil?: number;
}

/** How failures lock. */
export interface LockoutPolicy {
  readonly maxAttempts: number;
  readonly windowSeconds: number;
  readonly durationSeconds: number;
}

/** A single-use code with which one account gets in. */
export interface InviteRow {
  readonly invite: string;
  /** SHA-256 of the code. */
  readonly codeHash: Uint8Array;
  readonly expiresAt: number;
}

/** A lease that has not expired. Its row goes at its expiry. */
export interface LeaseRow {
  readonly account: string;
  readonly device: string;
  /** Of the session that asked for it: ends with it. */
  readonly session: string;
  readonly jti: string;
  /** Key id that signed it. */
  readonly kid: string;
  readonly expiresAt: number;
}

/** How many leases an account was given within an hour, at all replicas. Goes with the hour. */
export interface LeaseCountRow {
  readonly account: string;
  readonly count: number;
}

/** One page of a list, in a stable order. */
export interface Page<Row> {
  readonly rows: readonly Row[];
  /** Give it back to go on; absent: this was the last page. */
  readonly next?: string;
}

/** That something was deleted, without saying what it was: the deletion ledger. */
export interface DeletionRow {
  readonly class: 'account' | 'device' | 'session' | 'signalingMetadata' | 'backup';
  readonly count: number;
  /** To the hour. */
  readonly at: number;
  readonly reason: 'AtMost' | 'Requested' | 'AdministratorRequested';
}

/** The database did not answer in time, is full, or takes no writes. Nothing of the call happened. */
export class StorageUnavailable extends Error {
  override readonly name = 'StorageUnavailable';
  /** `timeout`, `unreachable`, `full`, `read-only`, `failed`: a metric label. */
  readonly reason: StorageReason;

  constructor(reason: StorageReason, options?: ErrorOptions) {
    super(`the database is not available: ${reason}`, options);
    this.reason = reason;
  }
}

/**
 * The account was deleted or locked, or the device revoked, while the call was under way; nothing of it happened. A
 * caller that looked before the call refuses as if it had seen it then.
 */
export class AccountUnusable extends Error {
  override readonly name = 'AccountUnusable';

  constructor() {
    super('the account or the device may not be used any more');
  }
}

/** Why the database is not available. A closed list: each is a metric label. */
export const STORAGE_REASONS = ['timeout', 'unreachable', 'full', 'read-only', 'failed'] as const;
export type StorageReason = (typeof STORAGE_REASONS)[number];

/** Accounts and their devices. */
export interface AccountStore {
  account(account: string): Promise<AccountRow | undefined>;
  /** False when it exists already; then nothing changes. */
  createAccount(row: AccountRow): Promise<boolean>;
  /**
   * Uses an invite up and lets the account in with it, both or neither: makes it, or ends its waiting. `invite-invalid`:
   * unknown, used or expired; `changed`: the account does not wait (any more), and the invite is as it was.
   */
  admitInvited(
    row: Omit<AccountRow, 'state'>,
    codeHash: Uint8Array,
    now: number,
  ): Promise<'admitted' | 'invite-invalid' | 'changed'>;
  /** Compare and set; false when it is not in `from`. */
  setAccountState(
    account: string,
    from: readonly AccountState[],
    to: AccountState,
  ): Promise<boolean>;
  accounts(after: string | undefined, limit: number): Promise<Page<AccountRow>>;
  /** Deletes the account and everything of it but revocations, and writes the ledger. False: there is none. */
  deleteAccount(account: string, entry: Pick<DeletionRow, 'at' | 'reason'>): Promise<boolean>;
  devices(account: string): Promise<readonly DeviceRow[]>;
  device(account: string, device: string): Promise<DeviceRow | undefined>;
  /**
   * Inserts, or replaces the binding of the same device by one with a higher serial; its state then stays as it is.
   * False: the limit of devices that are not revoked is reached, the serial is not higher, or the device is revoked.
   */
  putDevice(row: DeviceRow, maxDevices: number): Promise<boolean>;
  setDeviceState(
    account: string,
    device: string,
    from: readonly DeviceState[],
    to: DeviceState,
  ): Promise<boolean>;
  pendingDevices(after: string | undefined, limit: number): Promise<Page<DeviceRow>>;
  /** Keeps a signed revocation for ever and revokes the device. False: it was known. */
  addRevocation(account: string, device: string, revocation: Uint8Array): Promise<boolean>;
  revocations(account: string): Promise<readonly Uint8Array[]>;
}

/** Sessions. */
export interface SessionStore {
  /** Throws AccountUnusable when the account is locked or gone, or the device revoked. */
  createSession(row: SessionRow): Promise<void>;
  sessionByToken(tokenHash: Uint8Array): Promise<SessionRow | undefined>;
  sessions(account: string): Promise<readonly SessionRow[]>;
  /** Which of these have not ended. */
  liveSessions(sessions: readonly string[]): Promise<readonly string[]>;
  touchSession(session: string, at: number): Promise<void>;
  /** The same for many at once: sessions and when each was used. */
  touchSessions(uses: readonly (readonly [session: string, at: number])[]): Promise<void>;
  setSecondFactor(session: string, at: number): Promise<void>;
  /**
   * Ends sessions and gives their handles and the leases that end with them: of one session, one device, or the whole
   * account. These leases are among `revokedLeases` from then on.
   */
  endSessions(of: {
    readonly account: string;
    readonly device?: string;
    readonly session?: string;
  }): Promise<{
    readonly sessions: readonly string[];
    readonly leases: readonly LeaseRow[];
  }>;
  /** Ends sessions that ended before `now` or are idle since `idleBefore`; gives how many. At most `limit`. */
  expireSessions(now: number, idleBefore: number, limit: number): Promise<number>;
}

/** Second factors, recovery codes, and lockout. Each `use` counts once, however many ask at the same time. */
export interface FactorStore {
  factors(account: string): Promise<readonly FactorRow[]>;
  addFactor(row: FactorRow, maxFactors: number): Promise<boolean>;
  removeFactor(account: string, factor: string): Promise<boolean>;
  resetFactors(account: string): Promise<void>;
  /** Raises the counter of a factor to `to`; false when it is not lower than `to` now (used before, or a clone). */
  raiseCounter(account: string, factor: string, to: bigint): Promise<boolean>;
  /** Replaces all recovery codes of an account by these hashes. */
  setRecoveryCodes(account: string, hashes: readonly Uint8Array[]): Promise<void>;
  recoveryCodesLeft(account: string): Promise<number>;
  useRecoveryCode(account: string, hash: Uint8Array): Promise<boolean>;
  lockout(account: string): Promise<LockoutRow>;
  /**
   * Counts one attempt BEFORE its proof is looked at, atomically: 100 at the same time count as 100. Gives the state
   * after it; `lockedUntil` in the future means that the proof must not be looked at. The attempt that reaches
   * `maxAttempts` locks all that come after it, as `lockout` tells at once; its own answer has no `lockedUntil`, so
   * that its proof may still be looked at, and `clearLockout` undoes the lock if it holds.
   */
  countAttempt(account: string, now: number, policy: LockoutPolicy): Promise<LockoutRow>;
  /** After a proof that held, or by an administrator. */
  clearLockout(account: string): Promise<void>;
}

/** Invites, live leases, policy serials, the ledger. */
export interface LedgerStore {
  addInvite(row: InviteRow): Promise<void>;
  invites(after: string | undefined, limit: number): Promise<Page<InviteRow>>;
  revokeInvite(invite: string): Promise<boolean>;
  /** False when the account has `max` leases that have not expired; atomic. Otherwise it counts for the hour as well. */
  addLease(row: LeaseRow, max: number, now: number): Promise<boolean>;
  leases(account: string, now: number): Promise<readonly LeaseRow[]>;
  /**
   * Removes leases and gives those that were there: of an account, a session, one jti, or all that `kid` signed. They
   * are among `revokedLeases` from then on.
   */
  takeLeases(
    of: Partial<Pick<LeaseRow, 'account' | 'session' | 'jti' | 'kid'>>,
    now: number,
  ): Promise<readonly LeaseRow[]>;
  /** `jti` of leases that were revoked and have not expired, for relays that register. */
  revokedLeases(now: number): Promise<readonly string[]>;
  addRevokedLeases(rows: readonly Pick<LeaseRow, 'jti' | 'expiresAt'>[]): Promise<void>;
  expireLeases(now: number): Promise<number>;
  /**
   * Takes counts of leases of hours that began before `hour`, in the order of the accounts: each is given once, to one
   * replica. At most a thousand accounts; empty when there are no more.
   */
  takeLeaseCounts(hour: number): Promise<readonly LeaseCountRow[]>;
  /** Takes a policy serial if it is not lower than the highest one of this UID; false: it is lower, or another UID. */
  raisePolicySerial(uid: string, serial: bigint): Promise<boolean>;
  /** UID of the gateway whose policy this database has taken; undefined before the first. */
  policyUid(): Promise<string | undefined>;
  addDeletion(row: DeletionRow): Promise<void>;
  deletions(after: string | undefined, limit: number): Promise<Page<DeletionRow>>;
}

/** All of it. */
export interface Store extends AccountStore, SessionStore, FactorStore, LedgerStore {
  /** Answers when the database takes a write now. */
  ping(): Promise<void>;
  close(): Promise<void>;
}
