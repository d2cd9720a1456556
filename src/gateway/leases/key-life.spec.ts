import { describe, expect, it } from '@jest/globals';
import {
  actions,
  aBed,
  ask,
  issued,
  kidOf,
} from '../../../test/processes/gateway-lease-requests.js';
import { aKey, keySet, LeaseBed, NOON } from '../../../test/processes/gateway-leases-bed.js';

describe('a lease key', () => {
  const older = aKey({ notBeforeMs: NOON - 90_000_000 });
  const newer = aKey({ publishedAtMs: NOON, notBeforeMs: NOON });

  it('S22: that follows another signs once every relay has it, with a record of the rotation', async () => {
    const bed = new LeaseBed();
    bed.keys = keySet(older);
    const relay = bed.relay();
    await bed.pass(1_000);
    const endpoint = bed.connect();
    bed.keys = keySet(newer, { ...older, state: 'retired', notAfterMs: NOON + 1_800_000 });
    await bed.pass(1_000);
    expect(kidOf(await issued(bed))).toBe(older.kid);
    expect(endpoint.notices).toEqual(['keys.changed']);
    expect(actions(bed)).not.toContain('lease-key.rotate');
    relay.beat({ kids: [older.kid, newer.kid] });
    await bed.pass(1_000);
    expect(kidOf(await issued(bed))).toBe(newer.kid);
    expect(bed.audit.find(({ action }) => action === 'lease-key.rotate')).toMatchObject({
      outcome: 'success',
      chg: { before: `kid:${older.kid}`, after: `kid:${newer.kid}` },
    });
  });

  it('S33: that is revoked ends everything that it signed within a second, everywhere', async () => {
    const bed = new LeaseBed();
    const next = aKey({ state: 'next', publishedAtMs: NOON - 3_600_000 });
    bed.keys = keySet(older, next);
    const relay = bed.relay();
    await bed.pass(1_000);
    const { jti } = await issued(bed);
    bed.keys = keySet({ ...older, state: 'revoked' }, { ...next, state: 'current' });
    await bed.pass(1_000);
    expect(relay.revocations).toEqual([older.kid, jti]);
    expect(bed.told).toContainEqual({ type: 'leases-revoked', jti: [], kids: [older.kid] });
    expect(bed.store.rows).toEqual([]);
    expect(actions(bed)).toEqual(expect.arrayContaining(['lease-key.revoke', 'lease-key.rotate']));
    expect(kidOf(await issued(bed))).toBe(next.kid);
    relay.leave();
    expect(bed.relay().heard[0]).toMatchObject({ kids: [older.kid] });
    expect(bed.room.leaseKeys().map(({ kid }) => kid)).toEqual([next.kid]);
  });

  it('S33: whose leases the store could not give up at once are given up when it answers', async () => {
    const bed = new LeaseBed();
    bed.keys = keySet(older);
    bed.relay();
    await issued(bed);
    bed.store.down = true;
    bed.keys = keySet({ ...older, state: 'revoked' }, newer);
    await bed.pass(3_000);
    expect(bed.store.rows).toHaveLength(1);
    const [row] = bed.store.rows;
    bed.store.down = false;
    await bed.pass(1_000);
    expect(bed.store.rows).toEqual([]);
    // The store is asked once, not every second from then on.
    bed.store.rows = [row!];
    await bed.pass(1_000);
    expect(bed.store.rows).toEqual([row]);
  });

  it('that another replica says is revoked signs nothing here from then on', async () => {
    const { bed, relay } = aBed();
    const { kid } = bed.keys!.all[0]!;
    await bed.room.onBus?.({ type: 'leases-revoked', jti: [], kids: [kid] }, 'there');
    expect(relay.revocations).toEqual([kid]);
    expect(await ask(bed)).toEqual({ refused: 'unavailable' });
  });
});
