import { describe, expect, it } from '@jest/globals';
import { aBed, issued } from '../../../test/processes/gateway-lease-requests.js';
import { LeaseBed, NOON } from '../../../test/processes/gateway-leases-bed.js';

describe('a revocation', () => {
  it('T4: reaches every relay and every replica at once, and relays that register later', async () => {
    const { bed, relay } = aBed();
    const { jti } = await issued(bed);
    const other = bed.relay(1);
    const administrator = bed.connect('sp1admin', { administrator: true });
    const revoke = bed.room.handlers['admin.lease.revoke']!;
    expect(await revoke({ account: 'sp1a', jti }, administrator)).toEqual({});
    expect([relay.revocations, other.revocations]).toEqual([[jti], [jti]]);
    expect(bed.told).toContainEqual({ type: 'leases-revoked', jti: [jti], kids: [] });
    relay.leave();
    expect(bed.relay().heard[0]).toEqual({ type: 'welcome', revoked: [jti], kids: [] });
    expect(await revoke({ account: 'sp1a', jti }, administrator)).toEqual({ refused: 'not-found' });
  });

  it('T4: is told to relays after a restart of the gateway, from the store, and forgotten within the longest life of a lease', async () => {
    const { bed } = aBed();
    const { jti, expiresAt } = await issued(bed);
    await bed.room.endLeases({ account: 'sp1a' });
    const restarted = new LeaseBed();
    restarted.store.revoked = bed.store.revoked;
    const early = restarted.relay();
    await restarted.pass(1_000);
    expect(early.revocations).toEqual([jti]);
    expect(restarted.relay(1).heard[0]).toMatchObject({ revoked: [jti] });
    expect(expiresAt - NOON).toBeLessThan(3_600_000);
    restarted.nowMs += 3_600_000;
    await restarted.pass(1_000);
    early.leave();
    expect(restarted.relay().heard[0]).toMatchObject({ revoked: [] });
  });

  it('of another replica reaches the relays that are registered here', async () => {
    const { bed, relay } = aBed();
    await bed.room.onBus?.({ type: 'leases-revoked', jti: ['j'.repeat(22)], kids: [] }, 'there');
    expect(relay.revocations).toEqual(['j'.repeat(22)]);
    // Once is enough.
    await bed.room.onBus?.({ type: 'leases-revoked', jti: ['j'.repeat(22)], kids: [] }, 'there');
    expect(relay.revocations).toHaveLength(1);
  });

  it('that the bus lost is found in the store within ten seconds', async () => {
    const { bed, relay } = aBed();
    await bed.pass(2_000, () => relay.beat());
    bed.store.revoked.push({ jti: 'k'.repeat(22), expiresAt: NOON + 600_000 });
    await bed.pass(10_000, () => relay.beat());
    expect(relay.revocations).toEqual(['k'.repeat(22)]);
  });

  it('reaches relays although the store does not answer, and says that it does not', async () => {
    const { bed, relay } = aBed();
    const { jti } = await issued(bed);
    const rows = bed.store.rows;
    bed.store.down = true;
    await expect(bed.room.revokeLeases(rows)).rejects.toThrow('not available');
    expect(relay.revocations).toEqual([jti]);
    relay.leave();
    expect(bed.relay().heard[0]).toMatchObject({ revoked: [jti] });
  });

  it('of everything that an account has ends each lease, with a record that names it and no account', async () => {
    const { bed, relay } = aBed();
    const all = [await issued(bed), await issued(bed)].map(({ jti }) => jti).sort();
    await issued(bed, bed.connect('sp1b'));
    expect(await bed.room.endLeases({ account: 'sp1a' })).toBe(2);
    expect([...relay.revocations].sort()).toEqual(all);
    const records = bed.audit.filter(({ action }) => action === 'lease.revoke');
    expect(records.map(({ resource }) => resource?.name).sort()).toEqual(
      all.map((jti) => `jti:${jti}`),
    );
    expect(JSON.stringify(records)).not.toContain('sp1a');
    expect(bed.store.rows).toHaveLength(1);
  });

  it('of more leases than one message names comes in several', async () => {
    const { bed, relay } = aBed();
    const jti = Array.from({ length: 2_500 }, (_, i) => String(i).padStart(22, 'A'));
    await bed.room.onBus?.({ type: 'leases-revoked', jti, kids: [] }, 'there');
    const sizes = relay.heard.flatMap((each) => (each.type === 'revoke' ? [each.jti.length] : []));
    expect(sizes).toEqual([1_000, 1_000, 500]);
    relay.leave();
    const again = bed.relay();
    expect(again.heard.map((each) => each.type)).toEqual(['welcome', 'revoke', 'revoke', 'ack']);
  });
});
