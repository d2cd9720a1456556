import { describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import type { OpenStore } from '../../src/gateway/storage/open.store.js';
import { storeForEach } from './each-store.js';
import { aFactor, anAccount, ACCOUNT, atOnce, BEDS, NOON, SECOND } from './store-bed.js';

const POLICY = { maxAttempts: 5, windowSeconds: 900, durationSeconds: 1800 };
const code = (at: number) => new Uint8Array(32).fill(at);

describe.each(BEDS)('second factors in %s', (_, start) => {
  let store: OpenStore;
  storeForEach(start, async (opened) => {
    store = opened;
    await store.createAccount(anAccount());
  });

  it('count exactly 100 attempts of 100 at the same time, and let 5 proofs be looked at', async () => {
    const answers = await atOnce(100, () => store.countAttempt(ACCOUNT, NOON, POLICY));
    const counts = answers.map(({ failures }) => failures).sort((a, b) => a - b);
    expect(counts).toEqual(Array.from({ length: 100 }, (_, at) => at + 1));
    const open = answers.filter(({ lockedUntil }) => lockedUntil === undefined);
    expect(open.map(({ failures }) => failures).sort()).toEqual([1, 2, 3, 4, 5]);
    expect(await store.lockout(ACCOUNT)).toEqual({
      failures: 100,
      lockedUntil: NOON + 1800 * SECOND,
    });
  });

  it('are locked by the fifth attempt and not by the fourth', async () => {
    for (let at = 1; at <= 4; at += 1) await store.countAttempt(ACCOUNT, NOON, POLICY);
    expect(await store.lockout(ACCOUNT)).toEqual({ failures: 4 });
    expect(await store.countAttempt(ACCOUNT, NOON, POLICY)).toEqual({ failures: 5 });
    expect((await store.lockout(ACCOUNT)).lockedUntil).toBe(NOON + 1800 * SECOND);
    await store.clearLockout(ACCOUNT);
    expect(await store.lockout(ACCOUNT)).toEqual({ failures: 0 });
  });

  it('let one code count once, however many bring it at the same time', async () => {
    await store.addFactor(aFactor(), 5);
    const raised = await atOnce(20, () => store.raiseCounter(ACCOUNT, 'factor-1', 7n));
    expect(raised.filter(Boolean)).toHaveLength(1);
    expect(await store.raiseCounter(ACCOUNT, 'factor-1', 6n)).toBe(false);
    expect(await store.raiseCounter(ACCOUNT, 'factor-1', 2n ** 64n - 1n)).toBe(true);
    await store.setRecoveryCodes(ACCOUNT, [code(1), code(2)]);
    const used = await atOnce(20, () => store.useRecoveryCode(ACCOUNT, code(1)));
    expect(used.filter(Boolean)).toHaveLength(1);
    expect(await store.recoveryCodesLeft(ACCOUNT)).toBe(1);
  });

  it('replace all recovery codes at once', async () => {
    await store.setRecoveryCodes(ACCOUNT, [code(1), code(2)]);
    await store.setRecoveryCodes(ACCOUNT, [code(3)]);
    expect(await store.useRecoveryCode(ACCOUNT, code(1))).toBe(false);
    expect(await store.useRecoveryCode(ACCOUNT, code(3))).toBe(true);
  });

  it('are bounded in number, and go one by one or all at once', async () => {
    const added = await atOnce(10, (at) => store.addFactor(aFactor({ factor: `f${at}` }), 3));
    expect(added.filter(Boolean)).toHaveLength(3);
    const [first] = await store.factors(ACCOUNT);
    expect(await store.removeFactor(ACCOUNT, first!.factor)).toBe(true);
    expect(await store.removeFactor(ACCOUNT, first!.factor)).toBe(false);
    await store.setRecoveryCodes(ACCOUNT, [code(1)]);
    await store.resetFactors(ACCOUNT);
    expect(await store.factors(ACCOUNT)).toEqual([]);
    expect(await store.recoveryCodesLeft(ACCOUNT)).toBe(0);
  });

  it('keep a TOTP secret sealed in its column, bound to its row, and give it back', async () => {
    await store.addFactor(aFactor(), 5);
    await store.addFactor(aFactor({ factor: 'factor-2', kind: 'WebAuthn' }), 5);
    expect(await store.factors(ACCOUNT)).toStrictEqual([
      aFactor(),
      aFactor({ factor: 'factor-2', kind: 'WebAuthn' }),
    ]);
    const { db } = store.database;
    const column = async (name: string) =>
      db.selectFrom('factor').select('secret').where('factor', '=', name).executeTakeFirstOrThrow();
    const { secret } = await column('factor-1');
    expect(Buffer.from(secret).includes(Buffer.from(aFactor().secret))).toBe(false);
    const moved = {
      ...({ account: ACCOUNT, kind: 'TOTP', label: '', factor: 'factor-3' } as const),
    };
    await db
      .insertInto('factor')
      .values({ ...moved, enrolled_on: 0n, counter: 0n, secret })
      .execute();
    await expect(store.factors(ACCOUNT)).rejects.toMatchObject({ reason: 'failed' });
  });

  it('take a policy serial that is not lower, of one resource only', async () => {
    expect(await store.policyUid()).toBeUndefined();
    expect(await store.raisePolicySerial('uid-1', 2n ** 63n)).toBe(true);
    expect(await store.raisePolicySerial('uid-1', 2n ** 63n)).toBe(true);
    expect(await store.raisePolicySerial('uid-1', 5n)).toBe(false);
    expect(await store.raisePolicySerial('uid-2', 2n ** 64n - 1n)).toBe(false);
    expect(await store.policyUid()).toBe('uid-1');
  });

  it('list the ledger in pages, in its order', async () => {
    const rows = ['account', 'device', 'session'] as const;
    for (const name of rows)
      await store.addDeletion({ class: name, count: 2, at: NOON, reason: 'Requested' });
    const first = await store.deletions(undefined, 2);
    const second = await store.deletions(first.next, 2);
    expect([...first.rows, ...second.rows].map((row) => row.class)).toEqual(rows);
    expect((await store.deletions('not a cursor', 5)).rows).toHaveLength(3);
  });

  it('answer a ping with a write', async () => {
    await store.ping();
    await store.ping();
    const { rows } = await sql<{ beats: bigint }>`select beats from ${
      store.database.kind === 'sqlite' ? sql.table('probe') : sql.table('sallyport.probe')
    }`.execute(store.database.db);
    expect(rows).toEqual([{ beats: 2n }]);
  });
});
