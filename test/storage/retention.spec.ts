import { describe, expect, it } from '@jest/globals';
import type { AuditEvent } from '../../src/audit/record.js';
import { isAuditEvent } from '../../src/audit/record.js';
import type { RetentionSettings } from '../../src/gateway/retention-rule.js';
import type { RoomContext } from '../../src/gateway/rooms.js';
import type { OpenStore } from '../../src/gateway/storage/open.store.js';
import { RetentionRoom } from '../../src/gateway/storage/retention.room.js';
import { SILENT_LOGGER } from '../../src/runtime/log.js';
import { storeForEach } from './each-store.js';
import {
  aDevice,
  aLease,
  anAccount,
  aSession,
  ACCOUNT,
  BEDS,
  DAY,
  HOUR,
  NOON,
  TestClock,
} from './store-bed.js';

const SECONDS_OF_A_DAY = DAY / 1000;
const OPEN: RetentionSettings = {
  deletion: 'Enabled',
  secureDeletion: { cryptographicErasure: true, receipts: true },
  classes: {},
  legalHolds: [],
};
/** Midnight: what is of this day was registered then. */
const TODAY = NOON - (NOON % DAY);

/** The room over `store`, with what it told others. */
class RetentionBed {
  readonly clock = new TestClock();
  readonly audit: AuditEvent[] = [];
  readonly told: string[] = [];
  readonly revoked: string[] = [];
  retention = OPEN;
  readonly room: RetentionRoom;

  constructor(store: OpenStore) {
    // Only what the room uses of its context.
    const context = {
      store,
      clock: this.clock,
      log: SILENT_LOGGER,
      audit: { emit: (event: AuditEvent) => this.audit.push(event) },
      bus: { tell: ({ type }: { type: string }) => this.told.push(type) },
      connections: { of: () => [], ofSession: () => [] },
      settings: () => ({
        gateway: { namespace: 'chat', name: 'edge', uid: 'u-1' },
        retention: this.retention,
        authentication: {
          sessions: { idleTimeoutSeconds: 1800 },
          lockout: { windowSeconds: 900 },
        },
      }),
    } as unknown as RoomContext;
    const leasesEnded = (leases: readonly { jti: string }[]) => {
      this.revoked.push(...leases.map(({ jti }) => jti));
      return Promise.resolve();
    };
    this.room = new RetentionRoom(context, { store, leasesEnded });
  }

  async at(now: number): Promise<void> {
    this.clock.ms = now;
    await this.room.run(now);
  }
}

describe.each(BEDS)('retention in %s', (_, start) => {
  let store: OpenStore;
  let retention: RetentionBed;
  const another = storeForEach(start, async (opened) => {
    store = opened;
    retention = new RetentionBed(store);
    await store.createAccount(anAccount());
    await store.putDevice(aDevice(), 5);
  });

  const records = async () => {
    const query = store.database.db.selectFrom('session').select((e) => e.fn.countAll().as('n'));
    return Number((await query.executeTakeFirst())?.n);
  };
  const ledger = async () =>
    (await store.deletions(undefined, 50)).rows.map((row) => `${row.class} ${row.count}`);

  it('deletes nothing that no policy speaks of', async () => {
    await retention.at(NOON + 10_000 * DAY);
    expect(await store.account(ACCOUNT)).toBeDefined();
    expect(await store.devices(ACCOUNT)).toHaveLength(1);
    expect(await ledger()).toEqual([]);
  });

  it('deletes an account at its age and not a millisecond before, with its line and receipt', async () => {
    retention.retention = { ...OPEN, classes: { account: { atMostSeconds: SECONDS_OF_A_DAY } } };
    await retention.at(TODAY + DAY - 1);
    expect(await store.account(ACCOUNT)).toBeDefined();
    await retention.at(TODAY + DAY);
    expect(await store.account(ACCOUNT)).toBeUndefined();
    expect(await ledger()).toEqual(['account 1', 'device 1']);
    expect(retention.audit.map(({ action, reason }) => [action, reason])).toEqual([
      ['retention.delete', 'AccountAtMost'],
    ]);
    expect(retention.audit.every((event) => isAuditEvent(event))).toBe(true);
    expect(retention.told).toContain('account-changed');
  });

  it('ends sessions and leases of what it deletes', async () => {
    retention.retention = { ...OPEN, classes: { device: { atMostSeconds: SECONDS_OF_A_DAY } } };
    const now = TODAY + DAY;
    await store.createSession(aSession({ endsAt: now + HOUR, lastUsedAt: now }));
    await store.addLease(aLease({ expiresAt: now + HOUR }), 5, now);
    await retention.at(now);
    expect(await store.devices(ACCOUNT)).toEqual([]);
    expect(await store.sessions(ACCOUNT)).toEqual([]);
    expect(retention.revoked).toEqual(['jti-1']);
    expect(await store.revokedLeases(now)).toEqual(['jti-1']);
    expect(retention.told).toEqual(['sessions-ended', 'account-changed']);
  });

  it.each([
    ['a legal hold', { legalHolds: [{ until: '2036-01-01T00:00:00Z', reason: 'Case 1' }] }],
    ['a contradiction of policies', { deletion: 'Suspended' as const }],
  ])('deletes nothing during %s, and all that is overdue after it', async (_, hold) => {
    const classes = { account: { atMostSeconds: 60 }, session: { atMostSeconds: 60 } };
    await store.createSession(aSession());
    retention.retention = { ...OPEN, classes, ...hold };
    await retention.at(NOON + 100 * DAY);
    expect(await store.account(ACCOUNT)).toBeDefined();
    // It expired, so it is no session any more; its record is held.
    expect(await store.sessions(ACCOUNT)).toEqual([]);
    expect(await records()).toBe(1);
    retention.retention = { ...OPEN, classes };
    await retention.at(NOON + 100 * DAY);
    expect(await store.account(ACCOUNT)).toBeUndefined();
    expect(await records()).toBe(0);
    const actions = retention.audit.map(({ action, reason }) => `${action} ${reason}`);
    expect(actions[0]).toMatch(/^retention.hold (LegalHold|Suspended)$/);
    expect(actions[1]).toBe('retention.hold HoldEnded');
  });

  it('keeps the record of a session that ended until it may go, without its token', async () => {
    retention.retention = {
      ...OPEN,
      classes: { session: { atLeastSeconds: SECONDS_OF_A_DAY } },
    };
    await store.createSession(aSession());
    await store.endSessions({ account: ACCOUNT });
    await retention.at(NOON + DAY - 1);
    const [row] = await store.database.db.selectFrom('session').selectAll().execute();
    expect(row).toMatchObject({ token_hash: null, ended_at: BigInt(NOON) });
    await retention.at(NOON + DAY);
    expect(await records()).toBe(0);
    expect(await ledger()).toEqual(['session 1']);
  });

  it('ends a living session at the age that a policy allows', async () => {
    retention.retention = { ...OPEN, classes: { session: { atMostSeconds: 3600 } } };
    await store.createSession(aSession({ lastUsedAt: NOON + HOUR }));
    await retention.at(NOON + HOUR - 1);
    expect(await store.sessions(ACCOUNT)).toHaveLength(1);
    await retention.at(NOON + HOUR);
    expect(await store.sessions(ACCOUNT)).toEqual([]);
    expect(await records()).toBe(0);
    expect(retention.told).toEqual(['sessions-ended']);
  });

  it('adds up what it deletes in one hour, in batches', async () => {
    for (let at = 0; at < 120; at += 1) {
      const session = `session-${at}`;
      await store.createSession(aSession({ session, tokenHash: new Uint8Array(32).fill(at) }));
    }
    await store.endSessions({ account: ACCOUNT });
    await retention.at(NOON);
    await store.createSession(aSession());
    await store.endSessions({ account: ACCOUNT });
    await retention.at(NOON + HOUR - 1);
    expect(await ledger()).toEqual(['session 121']);
  });

  it('expires idle sessions, invites and lockouts, whatever is held', async () => {
    retention.retention = { ...OPEN, deletion: 'Suspended' };
    await store.createSession(aSession());
    const policy = { maxAttempts: 1, windowSeconds: 900, durationSeconds: 1800 };
    await store.countAttempt(ACCOUNT, NOON, policy);
    await store.addInvite({ invite: 'i1', codeHash: Uint8Array.of(1), expiresAt: NOON + HOUR });
    await retention.at(NOON + 1_800_000 - 1);
    expect(await store.sessions(ACCOUNT)).toHaveLength(1);
    expect((await store.lockout(ACCOUNT)).failures).toBe(1);
    await retention.at(NOON + HOUR);
    expect(await store.sessions(ACCOUNT)).toEqual([]);
    expect(await store.lockout(ACCOUNT)).toEqual({ failures: 0 });
    expect((await store.invites(undefined, 5)).rows).toEqual([]);
  });

  it('runs once a minute', async () => {
    retention.retention = { ...OPEN, classes: { account: { atMostSeconds: 60 } } };
    await retention.room.tick(TODAY);
    retention.clock.ms += 59_999;
    await retention.room.tick(NOON + DAY);
    expect(await store.account(ACCOUNT)).toBeDefined();
    retention.clock.ms += 1;
    await retention.room.tick(NOON + DAY);
    expect(await store.account(ACCOUNT)).toBeUndefined();
  });

  it('waits for the next minute when the database is away', async () => {
    const closed = await another();
    await closed.close();
    await expect(new RetentionBed(closed).room.tick(NOON)).resolves.toBeUndefined();
  });

  it('S92: ends the waiting of a device and of an account after thirty days, on record; who was approved stays', async () => {
    await store.putDevice(aDevice({ device: 'device-2', state: 'Pending' }), 5);
    await store.createAccount(anAccount({ account: 'sp1waits', state: 'Pending' }));
    await retention.at(TODAY + 30 * DAY - 1);
    expect(await store.devices(ACCOUNT)).toHaveLength(2);
    expect(await store.account('sp1waits')).toBeDefined();
    await retention.at(TODAY + 30 * DAY);
    expect((await store.devices(ACCOUNT)).map(({ device }) => device)).toEqual(['device-1']);
    expect(await store.account('sp1waits')).toBeUndefined();
    expect(await ledger()).toEqual(['account 1', 'device 1']);
    const records = retention.audit.map(({ action, reason }) => [action, reason]);
    expect(records).toEqual([
      ['account.expire', 'NotApproved'],
      ['device.expire', 'NotApproved'],
    ]);
    expect(retention.audit.every(isAuditEvent)).toBe(true);
  });

  it('S92: ends no waiting while a legal hold stands, nor before the time that must pass', async () => {
    await store.putDevice(aDevice({ device: 'device-2', state: 'Pending' }), 5);
    const until = new Date(TODAY + 100 * DAY).toISOString();
    retention.retention = { ...OPEN, legalHolds: [{ until, reason: 'a case' }] };
    await retention.at(TODAY + 99 * DAY);
    retention.retention = {
      ...OPEN,
      classes: { device: { atLeastSeconds: 200 * SECONDS_OF_A_DAY } },
    };
    await retention.at(TODAY + 199 * DAY);
    expect(await store.devices(ACCOUNT)).toHaveLength(2);
    await retention.at(TODAY + 200 * DAY);
    expect(await store.devices(ACCOUNT)).toHaveLength(1);
  });
});
