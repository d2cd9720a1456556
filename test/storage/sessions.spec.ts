import { describe, expect, it } from '@jest/globals';
import type { OpenStore } from '../../src/gateway/storage/open.store.js';
import { storeForEach } from './each-store.js';
import {
  aDevice,
  aLease,
  anAccount,
  aSession,
  ACCOUNT,
  atOnce,
  BEDS,
  HOUR,
  NOON,
  SECOND,
} from './store-bed.js';

const HASH = new Uint8Array(32).fill(1);

describe.each(BEDS)('sessions and leases in %s', (_, start) => {
  let store: OpenStore;
  storeForEach(start, async (opened) => {
    store = opened;
    await store.createAccount(anAccount());
    await store.putDevice(aDevice(), 5);
  });

  const session = (name: string, device = 'device-1') =>
    store.createSession(aSession({ session: `session-${name}`, device }));

  it('are found by the hash of their token', async () => {
    const row = aSession({ tokenHash: HASH, secondFactorAt: NOON });
    await store.createSession(row);
    expect(await store.sessionByToken(HASH)).toStrictEqual(row);
    expect(await store.sessionByToken(new Uint8Array(32))).toBeUndefined();
  });

  it('are not begun by a locked account or a revoked device', async () => {
    await store.setAccountState(ACCOUNT, ['Active'], 'Locked');
    await expect(session('1')).rejects.toMatchObject({ name: 'AccountUnusable' });
    await store.setAccountState(ACCOUNT, ['Locked'], 'Active');
    await store.addRevocation(ACCOUNT, 'device-1', Uint8Array.of(1));
    await expect(session('1')).rejects.toMatchObject({ name: 'AccountUnusable' });
    expect(await store.sessions(ACCOUNT)).toEqual([]);
  });

  it('leave none behind when a device is revoked while sessions begin', async () => {
    await Promise.all([
      ...Array.from({ length: 10 }, (_, at) => session(`${at}`).catch(() => undefined)),
      store
        .addRevocation(ACCOUNT, 'device-1', Uint8Array.of(1))
        .then(() => store.endSessions({ account: ACCOUNT, device: 'device-1' })),
    ]);
    expect(await store.sessions(ACCOUNT)).toEqual([]);
  });

  it('note their use at most every ten seconds, and never backwards', async () => {
    await session('1');
    const used = async () => (await store.sessions(ACCOUNT))[0]!.lastUsedAt - NOON;
    await store.touchSession('session-1', NOON + 9 * SECOND);
    expect(await used()).toBe(0);
    await store.touchSession('session-1', NOON + 10 * SECOND);
    await store.touchSession('session-1', NOON);
    expect(await used()).toBe(10 * SECOND);
  });

  it('note the use of many at once, each at its own time, and nothing of one that has ended', async () => {
    for (const number of ['1', '2', '3']) await session(number);
    await store.endSessions({ account: ACCOUNT, session: 'session-3' });
    await store.touchSessions([
      ['session-2', NOON + 20 * SECOND],
      ['session-3', NOON + 20 * SECOND],
      ['session-1', NOON + 10 * SECOND],
    ]);
    const used = (await store.sessions(ACCOUNT)).map((row) => [row.session, row.lastUsedAt - NOON]);
    expect(used).toEqual([
      ['session-1', 10 * SECOND],
      ['session-2', 20 * SECOND],
    ]);
  });

  it('remember when a second factor was proven', async () => {
    await session('1');
    await store.setSecondFactor('session-1', NOON + 5);
    expect((await store.sessions(ACCOUNT))[0]!.secondFactorAt).toBe(NOON + 5);
  });

  it.each([
    ['one session', { session: 'session-1' }, ['session-1'], ['jti-1']],
    ['one device', { device: 'device-1' }, ['session-1', 'session-2'], ['jti-1', 'jti-2']],
    ['the account', {}, ['session-1', 'session-2', 'session-3'], ['jti-1', 'jti-2', 'jti-3']],
  ])(
    'end for %s, with their leases, which are revoked from then on',
    async (_, of, ended, jtis) => {
      await store.putDevice(aDevice({ device: 'device-2' }), 5);
      for (const [name, device] of Object.entries({
        1: 'device-1',
        2: 'device-1',
        3: 'device-2',
      })) {
        await session(name, device);
        const lease = aLease({ jti: `jti-${name}`, session: `session-${name}`, device });
        await store.addLease(lease, 5, NOON);
      }
      const { sessions, leases } = await store.endSessions({ account: ACCOUNT, ...of });
      expect(sessions).toEqual(ended);
      expect(leases.map(({ jti }) => jti).sort()).toEqual(jtis);
      expect(await store.revokedLeases(NOON)).toEqual(jtis);
      expect(await store.sessions(ACCOUNT)).toHaveLength(3 - ended.length);
      expect(await store.leases(ACCOUNT, NOON)).toHaveLength(3 - ended.length);
    },
  );

  it('are not seen once they ended, by nobody', async () => {
    await store.createSession(aSession({ tokenHash: HASH }));
    await store.endSessions({ account: ACCOUNT });
    expect(await store.sessionByToken(HASH)).toBeUndefined();
    expect(await store.endSessions({ account: ACCOUNT })).toEqual({ sessions: [], leases: [] });
  });

  it('expire to the millisecond at their end, and after silence', async () => {
    await store.createSession(aSession({ session: 'session-1', endsAt: NOON + HOUR }));
    await store.createSession(aSession({ session: 'session-2', lastUsedAt: NOON - 1 }));
    expect(await store.expireSessions(NOON + HOUR - 1, NOON - 1, 10)).toBe(0);
    expect(await store.expireSessions(NOON + HOUR - 1, NOON, 10)).toBe(1);
    expect(await store.expireSessions(NOON + HOUR, NOON, 10)).toBe(1);
  });

  it('expire in batches that are no larger than asked for', async () => {
    for (const name of '12345') await session(name);
    const expire = () => store.expireSessions(NOON + 13 * HOUR, NOON, 2);
    expect([await expire(), await expire(), await expire(), await expire()]).toEqual([2, 2, 1, 0]);
  });

  it('hold at most so many live leases, however many are asked for at the same time', async () => {
    const added = await atOnce(20, (at) => store.addLease(aLease({ jti: `j${at}` }), 4, NOON));
    expect(added.filter(Boolean)).toHaveLength(4);
    const later = NOON + 600 * SECOND;
    expect(await store.leases(ACCOUNT, later)).toEqual([]);
    const fresh = aLease({ jti: 'fresh', expiresAt: later + 1 });
    expect(await store.addLease(fresh, 4, later)).toBe(true);
  });

  it.each([
    ['jti', { jti: 'jti-1' }, ['jti-1']],
    ['key', { kid: 'kid-2' }, ['jti-2', 'jti-3']],
    ['session', { session: 'session-2' }, ['jti-3']],
  ])('give up the leases of one %s, once', async (_, of, taken) => {
    await store.addLease(aLease(), 5, NOON);
    await store.addLease(aLease({ jti: 'jti-2', kid: 'kid-2' }), 5, NOON);
    await store.addLease(aLease({ jti: 'jti-3', kid: 'kid-2', session: 'session-2' }), 5, NOON);
    const both = await atOnce(2, () => store.takeLeases(of, NOON));
    expect(
      both
        .flat()
        .map(({ jti }) => jti)
        .sort(),
    ).toEqual(taken);
    // A relay that registers now must hear of them, whether or not their taker lived to tell.
    expect(await store.revokedLeases(NOON)).toEqual(taken);
    await expect(store.takeLeases({}, NOON)).rejects.toThrow(TypeError);
  });

  it('forget leases and revocations of leases at their expiry', async () => {
    await store.addLease(aLease(), 5, NOON);
    await store.addRevokedLeases([{ jti: 'gone', expiresAt: NOON + SECOND }]);
    await store.addRevokedLeases([{ jti: 'gone', expiresAt: NOON + SECOND }]);
    expect(await store.revokedLeases(NOON)).toEqual(['gone']);
    expect(await store.revokedLeases(NOON + SECOND)).toEqual([]);
    expect(await store.expireLeases(NOON + 600 * SECOND - 1)).toBe(0);
    expect(await store.expireLeases(NOON + 600 * SECOND)).toBe(1);
  });

  it('count the leases of an hour once it is over, each once, whoever asks and whatever has ended', async () => {
    await store.createAccount(anAccount({ account: 'sp1a' }));
    const give = (account: string, jti: string, now: number) =>
      store.addLease(aLease({ account, jti, expiresAt: now + SECOND }), 5, now);
    await give('sp1a', 'a', NOON);
    for (const jti of ['b', 'c']) await give(ACCOUNT, jti, NOON + HOUR - 1);
    await give(ACCOUNT, 'd', NOON + HOUR);
    expect(await store.addLease(aLease({ jti: 'e' }), 0, NOON)).toBe(false);
    await store.expireLeases(NOON + 2 * HOUR);
    expect(await store.takeLeaseCounts(NOON)).toEqual([]);
    const taken = await atOnce(5, () => store.takeLeaseCounts(NOON + HOUR));
    expect(taken.filter((rows) => rows.length > 0)).toEqual([
      [
        { account: 'sp1a', count: 1 },
        { account: ACCOUNT, count: 2 },
      ],
    ]);
    expect(await store.takeLeaseCounts(NOON + 2 * HOUR)).toEqual([{ account: ACCOUNT, count: 1 }]);
  });
});
