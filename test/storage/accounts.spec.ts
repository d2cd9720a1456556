import { describe, expect, it } from '@jest/globals';
import type { OpenStore } from '../../src/gateway/storage/open.store.js';
import { storeForEach } from './each-store.js';
import {
  aDevice,
  aFactor,
  aLease,
  anAccount,
  aSession,
  ACCOUNT,
  atOnce,
  BEDS,
  HOUR,
  NOON,
} from './store-bed.js';

describe.each(BEDS)('accounts and devices in %s', (_, start) => {
  let store: OpenStore;
  storeForEach(start, async (opened) => {
    store = opened;
    await store.createAccount(anAccount());
  });

  it('are read as they were written, as plain bytes and numbers', async () => {
    await store.putDevice(aDevice({ serial: 2n ** 64n - 1n }), 5);
    const account = await store.account(ACCOUNT);
    expect(account).toStrictEqual(anAccount());
    expect(await store.device(ACCOUNT, 'device-1')).toStrictEqual(
      aDevice({ serial: 2n ** 64n - 1n }),
    );
    expect(await store.account('sp1nobody')).toBeUndefined();
  });

  it('are created once, however many ask at the same time', async () => {
    const created = await atOnce(20, () => store.createAccount(anAccount({ account: 'sp1new' })));
    expect(created.filter(Boolean)).toHaveLength(1);
  });

  it('change their state only from the states that are named', async () => {
    expect(await store.setAccountState(ACCOUNT, ['Pending'], 'Locked')).toBe(false);
    expect(await store.setAccountState(ACCOUNT, ['Pending', 'Active'], 'Locked')).toBe(true);
    expect((await store.account(ACCOUNT))?.state).toBe('Locked');
  });

  it('are listed in pages that neither repeat nor miss one', async () => {
    for (const name of ['sp1b', 'sp1c', 'sp1d', 'sp1e'])
      await store.createAccount(anAccount({ account: name }));
    const first = await store.accounts(undefined, 3);
    const second = await store.accounts(first.next, 3);
    expect(first.rows.map(({ account }) => account)).toEqual([ACCOUNT, 'sp1b', 'sp1c']);
    expect(second.rows.map(({ account }) => account)).toEqual(['sp1d', 'sp1e']);
    expect(second.next).toBeUndefined();
    expect(await store.accounts(first.next, 2)).toEqual(second);
  });

  it('have at most so many devices, however many enrol at the same time', async () => {
    const put = await atOnce(20, (at) => store.putDevice(aDevice({ device: `device-${at}` }), 3));
    expect(put.filter(Boolean)).toHaveLength(3);
    expect(await store.devices(ACCOUNT)).toHaveLength(3);
  });

  it('make room for another device when one is revoked', async () => {
    await store.putDevice(aDevice(), 1);
    expect(await store.putDevice(aDevice({ device: 'device-2' }), 1)).toBe(false);
    await store.addRevocation(ACCOUNT, 'device-1', Uint8Array.of(1));
    expect(await store.putDevice(aDevice({ device: 'device-2' }), 1)).toBe(true);
  });

  it('take a binding of the same device only with a higher serial, and keep its state', async () => {
    await store.putDevice(aDevice({ serial: 5n }), 1);
    const renewed = aDevice({ serial: 6n, binding: Uint8Array.of(9), state: 'Pending' });
    expect(await store.putDevice(aDevice({ serial: 5n, binding: Uint8Array.of(9) }), 1)).toBe(
      false,
    );
    expect(await store.putDevice(renewed, 1)).toBe(true);
    expect(await store.device(ACCOUNT, 'device-1')).toEqual({ ...renewed, state: 'Active' });
  });

  it('never take a revoked device again, also when its revocation came first', async () => {
    await store.putDevice(aDevice(), 5);
    expect(await store.addRevocation(ACCOUNT, 'device-1', Uint8Array.of(1))).toBe(true);
    expect(await store.addRevocation(ACCOUNT, 'device-1', Uint8Array.of(2))).toBe(false);
    await store.addRevocation(ACCOUNT, 'device-2', Uint8Array.of(3));
    expect(await store.putDevice(aDevice({ serial: 9n }), 5)).toBe(false);
    expect(await store.putDevice(aDevice({ device: 'device-2' }), 5)).toBe(false);
    expect((await store.device(ACCOUNT, 'device-1'))?.state).toBe('Revoked');
    expect(await store.revocations(ACCOUNT)).toEqual([Uint8Array.of(1), Uint8Array.of(3)]);
  });

  it('list devices that wait for approval, over all accounts', async () => {
    await store.createAccount(anAccount({ account: 'sp1b' }));
    await store.putDevice(aDevice({ state: 'Pending' }), 5);
    await store.putDevice(aDevice({ account: 'sp1b', state: 'Pending' }), 5);
    await store.putDevice(aDevice({ account: 'sp1b', device: 'device-2', state: 'Active' }), 5);
    const first = await store.pendingDevices(undefined, 1);
    const second = await store.pendingDevices(first.next, 1);
    const names = [...first.rows, ...second.rows].map((row) => `${row.account} ${row.device}`);
    expect(names).toEqual([`${ACCOUNT} device-1`, 'sp1b device-1']);
    expect(await store.setDeviceState('sp1b', 'device-1', ['Pending'], 'Active')).toBe(true);
  });

  it('go with everything of them but revocations, and the ledger counts what went', async () => {
    await store.putDevice(aDevice(), 5);
    await store.createSession(aSession());
    await store.addFactor(aFactor(), 5);
    await store.setRecoveryCodes(ACCOUNT, [Uint8Array.of(1)]);
    await store.addLease(aLease(), 5, NOON);
    await store.addRevocation(ACCOUNT, 'device-2', Uint8Array.of(1));
    const entry = { at: NOON - (NOON % HOUR), reason: 'Requested' } as const;
    expect(await store.deleteAccount(ACCOUNT, entry)).toBe(true);
    expect(await store.deleteAccount(ACCOUNT, entry)).toBe(false);
    expect(await store.devices(ACCOUNT)).toEqual([]);
    expect(await store.sessions(ACCOUNT)).toEqual([]);
    expect(await store.factors(ACCOUNT)).toEqual([]);
    expect(await store.recoveryCodesLeft(ACCOUNT)).toBe(0);
    expect(await store.leases(ACCOUNT, NOON)).toEqual([]);
    expect(await store.revocations(ACCOUNT)).toHaveLength(1);
    expect((await store.deletions(undefined, 10)).rows).toEqual([
      { ...entry, class: 'account', count: 1 },
      { ...entry, class: 'device', count: 1 },
      { ...entry, class: 'session', count: 1 },
    ]);
  });

  it('must be there for what belongs to them', async () => {
    const account = 'sp1nobody';
    const policy = { maxAttempts: 5, windowSeconds: 900, durationSeconds: 1800 };
    const refused = { name: 'AccountUnusable' };
    await expect(store.putDevice(aDevice({ account }), 5)).rejects.toMatchObject(refused);
    await expect(store.createSession(aSession({ account }))).rejects.toMatchObject(refused);
    await expect(store.addFactor(aFactor({ account }), 5)).rejects.toMatchObject(refused);
    await expect(store.addLease(aLease({ account }), 5, NOON)).rejects.toMatchObject(refused);
    await expect(store.countAttempt(account, NOON, policy)).rejects.toMatchObject(refused);
  });
});
