import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import {
  actions,
  aBed,
  ask,
  issued,
  type Issued,
} from '../../../test/processes/gateway-lease-requests.js';
import { aKey, aLeaseRequest, keySet, NOON } from '../../../test/processes/gateway-leases-bed.js';
import { judgeLease } from '../../protocol/lease/judge.js';
import { openLease } from '../../protocol/lease/lease.js';
import { nodeBackend } from '../../crypto/node.backend.js';

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
