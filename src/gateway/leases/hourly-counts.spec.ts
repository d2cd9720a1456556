import { describe, expect, it } from '@jest/globals';
import { actions, aBed, ask, issued } from '../../../test/processes/gateway-lease-requests.js';
import { LeaseBed } from '../../../test/processes/gateway-leases-bed.js';
import { isAuditEvent } from '../../audit/record.js';

describe('what is on record of leases', () => {
  it('is a count per account and hour, in no order that means something, closed and without a lease', async () => {
    const { bed } = aBed();
    const given: string[] = [];
    for (const account of ['sp1z', 'sp1a', 'sp1z'])
      given.push((await issued(bed, bed.connect(account))).jti);
    await bed.pass(1_000);
    expect(actions(bed)).toEqual(['relay.register']);
    bed.nowMs += 3_600_000;
    await bed.pass(1_000);
    const counts = bed.audit.filter(({ action }) => action === 'lease.issue');
    expect(counts).toMatchObject([
      { actor: { kind: 'account', subject: 'sp1a' }, count: 1 },
      { actor: { kind: 'account', subject: 'sp1z' }, count: 2 },
    ]);
    expect(bed.audit.every(isAuditEvent)).toBe(true);
    for (const jti of given) expect(JSON.stringify(bed.audit)).not.toContain(jti);
  });

  it('outlives a crash: another process puts on record what the one before it had counted', async () => {
    const { bed } = aBed();
    await ask(bed);
    const after = new LeaseBed();
    after.store.counts = bed.store.counts;
    after.nowMs += 3_600_000;
    await after.pass(1_000);
    expect(after.audit.at(-1)).toMatchObject({ action: 'lease.issue', count: 1 });
    const other = new LeaseBed();
    other.store.counts = after.store.counts;
    other.nowMs += 3_600_000;
    await other.pass(1_000);
    expect(actions(other)).toEqual([]);
  });

  it('waits while the store does not answer', async () => {
    const { bed } = aBed();
    await ask(bed);
    bed.nowMs += 3_600_000;
    bed.store.down = true;
    await bed.pass(1_000);
    expect(actions(bed)).not.toContain('lease.issue');
    bed.store.down = false;
    await bed.pass(1_000);
    expect(actions(bed)).toContain('lease.issue');
  });
});
