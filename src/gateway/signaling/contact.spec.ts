import { describe, expect, it } from '@jest/globals';
import { anAccount, bytesOf, NOON_MS } from '../../../test/identities.js';
import {
  anEnvelope,
  anIntroduction,
  aReplica,
  base64url,
  nameOf,
  prekeyText,
  refusalOf,
} from '../../../test/signaling-bed.js';

const alice = anAccount(10);
const bob = anAccount(20);
const bobs = (device: number) => {
  const other = anAccount(20, {
    deviceId: bytesOf(device, 16),
    ed25519: anAccount(device).keys.ed25519,
  });
  return { ...other, deviceId: bytesOf(device, 16), deviceSeed: bytesOf(device + 1) };
};

describe('an account that is looked for', () => {
  it('is found by its connected devices that have a prekey, each once, the newest connection of it', async () => {
    const { connect, ask } = aReplica();
    const a = connect(alice);
    const laptop = bobs(40);
    const [old, now, other] = [connect(bob), connect(bob), connect(laptop)];
    connect(bobs(50)); // Has published nothing.
    await ask(old, 'prekey.publish', { prekey: prekeyText(bob, { prekeyId: 1 }) });
    await ask(now, 'prekey.publish', { prekey: prekeyText(bob, { prekeyId: 2 }) });
    await ask(other, 'prekey.publish', { prekey: prekeyText(laptop) });
    const { devices } = (await ask(a, 'contact.find', { account: nameOf(bob) })) as {
      devices: { device: string; prekey: string }[];
    };
    expect(devices.map(({ device }) => device).sort()).toEqual(
      [base64url(bob.binding), base64url(laptop.binding)].sort(),
    );
    expect(devices.map(({ prekey }) => prekey)).toContain(prekeyText(bob, { prekeyId: 2 }));
  });
  it('looks the same when it is away as when it does not exist', async () => {
    const { connect, ask } = aReplica();
    const a = connect(alice);
    connect(bob);
    expect(await ask(a, 'contact.find', { account: nameOf(bob) })).toEqual({ devices: [] });
    expect(await ask(a, 'contact.find', { account: nameOf(anAccount(77)) })).toEqual({
      devices: [],
    });
  });
});

describe('a first contact', () => {
  const to = (account: typeof bob) => ({
    account: nameOf(account),
    device: base64url(account.deviceId),
  });

  it('reaches the newest connection of the device', async () => {
    const { connect, ask } = aReplica();
    const [a, old, now] = [connect(alice), connect(bob), connect(bob)];
    const envelope = anIntroduction(alice);
    expect(await ask(a, 'contact.introduce', { ...to(bob), envelope })).toEqual({});
    expect(now.notices).toEqual([{ name: 'contact.introduced', body: { envelope } }]);
    expect(old.notices).toEqual([]);
  });
  it('is refused when it names somebody else than the device that sends it', async () => {
    const { connect, ask } = aReplica();
    const [a, b] = [connect(alice), connect(bob)];
    for (const envelope of [anIntroduction(bob), anEnvelope(), anIntroduction(bobs(40))])
      expect(refusalOf(await ask(a, 'contact.introduce', { ...to(bob), envelope }))).toBe(
        'proof-invalid',
      );
    expect(b.notices).toEqual([]);
  });
  it('finds a device that is away, or takes no more: absent, and nothing is kept for it', async () => {
    const { connect, disconnect, ask } = aReplica();
    const [a, b] = [connect(alice), connect(bob)];
    const envelope = anIntroduction(alice);
    b.full = true;
    expect(refusalOf(await ask(a, 'contact.introduce', { ...to(bob), envelope }))).toBe(
      'peer-absent',
    );
    disconnect(b);
    expect(refusalOf(await ask(a, 'contact.introduce', { ...to(bob), envelope }))).toBe(
      'peer-absent',
    );
    expect(connect(bob).notices).toEqual([]);
  });
  it('is limited per account and hour, presence included; then it is told when to come again', async () => {
    const { connect, ask, time, metrics } = aReplica({ firstContactsPerHour: 3 });
    const [a, b] = [connect(alice), connect(bob)];
    const find = () => ask(a, 'contact.find', { account: nameOf(bob) });
    const introduce = () =>
      ask(a, 'contact.introduce', { ...to(bob), envelope: anIntroduction(alice) });
    for (let n = 0; n < 3; n++)
      expect([await find(), await introduce()]).toEqual([{ devices: [] }, {}]);
    for (const refused of [await find(), await introduce()]) {
      expect(refused).toMatchObject({ refused: 'too-many' });
      expect((refused as { retryAfterSeconds: number }).retryAfterSeconds).toBeGreaterThan(3_599);
    }
    expect(b.notices).toHaveLength(3);
    expect(await metrics.text()).toContain('sallyport_first_contacts_limited_total 2');
    // Another device of the same account has no limit of its own; another account has.
    expect(refusalOf(await ask(connect(alice), 'contact.find', { account: nameOf(bob) }))).toBe(
      'too-many',
    );
    expect(await ask(b, 'contact.find', { account: nameOf(alice) })).toEqual({ devices: [] });
    time.nowMs = NOON_MS + 3_900_000;
    expect(await introduce()).toEqual({});
  });
});
