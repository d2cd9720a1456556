import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import {
  aKey,
  aLeaseRequest,
  keySet,
  LeaseBed,
  NOON,
} from '../../../test/processes/gateway-leases-bed.js';
import { isAuditEvent } from '../../audit/record.js';
import { judgeLease } from '../../protocol/lease/judge.js';
import { openLease } from '../../protocol/lease/lease.js';
import { nodeBackend } from '../../crypto/node.backend.js';
import type { RequestContext } from '../caller.js';

type Issued = { lease: string; jti: string; expiresAt: number };

const ask = async (bed: LeaseBed, request = aLeaseRequest(), as = bed.connect()) =>
  bed.room.handlers['lease.issue']!(request, { ...as, now: bed.nowMs });
const issued = async (bed: LeaseBed, as?: RequestContext) =>
  (await ask(bed, aLeaseRequest(), as as ReturnType<LeaseBed['connect']>)) as Issued;
const actions = (bed: LeaseBed) => bed.audit.map(({ action }) => action);

/** A gateway with one live relay. */
const aBed = () => {
  const bed = new LeaseBed();
  return { bed, relay: bed.relay() };
};

describe('a lease', () => {
  it('is what a relay accepts: closed claims, the lifetime of the settings, the key of the gateway', async () => {
    const { bed } = aBed();
    const request = aLeaseRequest({ role: 'server' });
    const answer = (await ask(bed, request)) as Issued;
    const key = bed.keys!.all[0]!;
    const opened = openLease(
      Buffer.from(answer.lease),
      () => key,
      (publicKey, message, signature) => nodeBackend.ed25519Verify(publicKey, message, signature),
    );
    if (typeof opened === 'string') throw new Error(opened);
    expect(opened.claims).toEqual({
      v: 1,
      jti: answer.jti,
      sid: request.sid,
      rid: 'edge/eu/0',
      role: 'server',
      cpk: request.cpk,
      profile: 'Standard',
      iat: NOON / 1_000,
      nbf: NOON / 1_000,
      exp: NOON / 1_000 + 600,
      slimit: 10_000_000,
      hlimit: 10_000_000,
    });
    expect(answer.expiresAt).toBe(NOON + 600_000);
    const at = { nowMs: bed.nowMs, skewSeconds: 30, relayId: 'edge/eu/0', profile: 'Standard' };
    expect(
      judgeLease(opened.claims, { ...at, sid: request.sid, role: 'server', key }),
    ).toBeUndefined();
  });

  it('ends with the session at the gateway and with the key when these end first', async () => {
    const { bed } = aBed();
    const as = bed.connect('sp1a', { endsAt: NOON + 5_500 });
    expect((await issued(bed, as)).expiresAt).toBe(NOON + 5_000);
    bed.keys = keySet({ ...aKey(), notAfterMs: NOON + 90_000 });
    bed.relay();
    const { bed: other } = aBed();
    other.keys = keySet({ ...aKey(), notAfterMs: NOON + 90_000 });
    other.relay(1);
    await other.pass(1_000);
    const answer = await ask(other, aLeaseRequest({ rid: 'edge/eu/1' }));
    expect((answer as Issued).expiresAt).toBe(NOON + 90_000);
  });

  it.each([
    [
      'of another session key',
      (r: ReturnType<typeof aLeaseRequest>) => ({ ...r, spk: aLeaseRequest().spk }),
    ],
    ['for another relay', (r: ReturnType<typeof aLeaseRequest>) => ({ ...r, rid: 'edge/eu/1' })],
    [
      'for the other role',
      (r: ReturnType<typeof aLeaseRequest>) => ({ ...r, role: 'server' as const }),
    ],
    [
      'for another lease key',
      (r: ReturnType<typeof aLeaseRequest>) => ({ ...r, cpk: aLeaseRequest().cpk }),
    ],
    [
      'of another session id',
      (r: ReturnType<typeof aLeaseRequest>) => ({ ...r, sid: aLeaseRequest().sid }),
    ],
    [
      'by a key to which the session does not belong',
      () => aLeaseRequest({ sid: randomBytes(16) }),
    ],
    ['at another gateway', () => aLeaseRequest({ gateway: 'edge/other' })],
  ])('is refused with a signature %s', async (_, change) => {
    const { bed } = aBed();
    bed.relay(1);
    expect(await ask(bed, change(aLeaseRequest()))).toEqual({ refused: 'proof-invalid' });
    expect(bed.store.rows).toEqual([]);
  });

  it('T3: is not obtained by a third account for a session of which it saw everything that is on the wire', async () => {
    const { bed } = aBed();
    const { lease } = await issued(bed, bed.connect('sp1a'));
    const payload = Buffer.from(lease.split('.')[2]!, 'base64url').subarray(0, -64).toString();
    const { sid, cpk } = JSON.parse(payload) as { sid: string; cpk: string };
    const own = aLeaseRequest();
    const tries = [
      aLeaseRequest({ sid: Buffer.from(sid, 'base64url') }), // signed by a key of its own
      { ...own, sid }, // its own signature over another session
      { ...own, sid, spk: cpk }, // the one public key that the wire shows
      { ...own, sid, spk: cpk, cpk },
    ];
    for (const request of tries)
      expect(await ask(bed, request, bed.connect('sp1third'))).toEqual({
        refused: 'proof-invalid',
      });
    expect(bed.store.rows).toHaveLength(1);
  });

  it('is refused for a key of small order', async () => {
    const { bed } = aBed();
    const cpk = Buffer.alloc(32).toString('base64url');
    expect(await ask(bed, { ...aLeaseRequest(), cpk })).toEqual({ refused: 'bad-request' });
  });

  it('T19: is refused at a relay that drains, is silent or is unknown, and at once', async () => {
    const { bed, relay } = aBed();
    expect(await ask(bed)).toHaveProperty('lease');
    relay.beat({ draining: true });
    expect(await ask(bed)).toEqual({ refused: 'no-relay' });
    expect(await ask(bed, aLeaseRequest({ rid: 'edge/eu/1' }))).toEqual({ refused: 'no-relay' });
    expect(bed.room.handlers['relay.find']!({ rid: 'edge/eu/0' }, bed.connect())).toEqual({
      refused: 'no-relay',
    });
    const choose = () => bed.room.handlers['relay.choose']!({ avoid: [] }, bed.connect());
    expect(choose()).toEqual({ refused: 'no-relay' });
    relay.beat();
    expect(choose()).toEqual({
      rid: 'edge/eu/0',
      region: 'europe',
      address: '192.0.2.1',
      port: 3478,
    });
  });

  it('is refused beyond the quota of the account, and says when to ask again; others have their own', async () => {
    const { bed } = aBed();
    bed.maxLeases = 2;
    await ask(bed);
    await bed.pass(1_000);
    await ask(bed);
    expect(await ask(bed)).toEqual({ refused: 'quota-reached', retryAfterSeconds: 599 });
    expect(await ask(bed, aLeaseRequest(), bed.connect('sp1b'))).toHaveProperty('lease');
    expect(
      await bed.count('sallyport_leases_requested_total{outcome="failure",reason="quota-reached"}'),
    ).toBe(1);
  });

  it('T5: is refused when the session ended while it was being issued, and is not kept', async () => {
    const { bed } = aBed();
    bed.store.ended.add('session of sp1a');
    expect(await ask(bed)).toEqual({ refused: 'forbidden' });
    expect(bed.store.rows).toEqual([]);
  });

  it('is refused while there is no key that can sign', async () => {
    const { bed } = aBed();
    bed.keys = undefined;
    await bed.pass(1_000);
    expect(await ask(bed)).toEqual({ refused: 'unavailable' });
    expect(bed.room.problems()).toEqual(['the lease keys were not read yet']);
  });

  it('is not issued when the store does not answer', async () => {
    const { bed } = aBed();
    bed.store.down = true;
    await expect(ask(bed)).rejects.toThrow('the database is not available: unreachable');
  });

  it('that is given back is worth nothing at the relay, makes room in the quota, and is on no record', async () => {
    const { bed, relay } = aBed();
    bed.maxLeases = 1;
    const { jti } = await issued(bed);
    const giveBack = (account: string) =>
      bed.room.handlers['lease.return']!({ jti }, bed.connect(account));
    expect(await giveBack('sp1b')).toEqual({ refused: 'not-found' });
    expect(await giveBack('sp1a')).toEqual({});
    expect(relay.revocations).toEqual([jti]);
    expect(await ask(bed)).toHaveProperty('lease');
    expect(actions(bed)).toEqual(['relay.register']);
  });
});

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

  it('is given out when the process ends', async () => {
    const { bed } = aBed();
    await ask(bed);
    await bed.room.stop?.();
    expect(bed.audit.at(-1)).toMatchObject({ action: 'lease.issue', count: 1 });
  });
});

/** Key id in the footer of a lease. */
const kidOf = ({ lease }: Issued): string =>
  (JSON.parse(Buffer.from(lease.split('.')[3]!, 'base64url').toString()) as { kid: string }).kid;
