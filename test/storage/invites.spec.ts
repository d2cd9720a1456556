import { describe, expect, it } from '@jest/globals';
import type { OpenStore } from '../../src/gateway/storage/open.store.js';
import { storeForEach } from './each-store.js';
import { anAccount, ACCOUNT, atOnce, BEDS, HOUR, NOON } from './store-bed.js';

const code = (at: number) => new Uint8Array(32).fill(at);
const newcomer = (account = 'sp1new') => {
  const { identity, registeredOn } = anAccount();
  return { account, identity, registeredOn };
};

describe.each(BEDS)('invites in %s', (_, start) => {
  let store: OpenStore;
  storeForEach(start, async (opened) => {
    store = opened;
    for (const at of [1, 2, 3])
      await store.addInvite({ invite: `i${at}`, codeHash: code(at), expiresAt: NOON + HOUR });
  });

  it('let one of many accounts in, and no other is made', async () => {
    const admitted = await atOnce(10, (at) =>
      store.admitInvited(newcomer(`sp1new${at}`), code(1), NOON),
    );
    expect(admitted.filter((what) => what === 'admitted')).toHaveLength(1);
    expect(admitted.filter((what) => what === 'invite-invalid')).toHaveLength(9);
    const { rows } = await store.accounts(undefined, 20);
    expect(rows.map(({ state }) => state)).toEqual(['Active']);
  });

  it('let nobody in after their end, or when they were revoked', async () => {
    expect(await store.admitInvited(newcomer(), code(2), NOON + HOUR)).toBe('invite-invalid');
    expect(await store.revokeInvite('i2')).toBe(true);
    expect(await store.admitInvited(newcomer(), code(2), NOON)).toBe('invite-invalid');
    expect(await store.account('sp1new')).toBeUndefined();
    const { rows } = await store.invites(undefined, 5);
    expect(rows.map(({ invite }) => invite)).toEqual(['i1', 'i3']);
  });

  it('end the waiting of an account', async () => {
    await store.createAccount(anAccount({ state: 'Pending' }));
    expect(await store.admitInvited(newcomer(ACCOUNT), code(1), NOON)).toBe('admitted');
    expect((await store.account(ACCOUNT))?.state).toBe('Active');
  });

  it.each(['Active', 'Locked'] as const)('stay when the account is %s', async (state) => {
    await store.createAccount(anAccount({ state }));
    expect(await store.admitInvited(newcomer(ACCOUNT), code(1), NOON)).toBe('changed');
    expect((await store.account(ACCOUNT))?.state).toBe(state);
    expect((await store.invites(undefined, 5)).rows).toHaveLength(3);
  });

  it('stay when the account cannot be made: both happen or neither', async () => {
    const refused = { ...newcomer(), identity: null as unknown as Uint8Array }; // What a database refuses.
    await expect(store.admitInvited(refused, code(1), NOON)).rejects.toMatchObject({
      name: 'StorageUnavailable',
    });
    expect((await store.invites(undefined, 5)).rows).toHaveLength(3);
    expect(await store.admitInvited(newcomer(), code(1), NOON)).toBe('admitted');
  });
});
