import { describe, expect, it } from '@jest/globals';
import {
  aConfiguration,
  aSession,
  bye,
  forward,
  prove,
  TestGateway,
} from '../../../test/processes/relay-udp-bed.js';
import { PROVED, refusedWith, Still } from '../../../test/processes/relay-udp-still.js';

const CLIENT = '198.51.100.7 40000';
const SERVER = '198.51.100.8 50000';
const STRANGER = '192.0.2.66 6666';

/** A relay with one session whose two slots are held. */
function anOpenSession(changes: Parameters<typeof aConfiguration>[1] = {}) {
  const gateway = new TestGateway();
  const still = new Still(aConfiguration([gateway.key()], changes));
  const sid = aSession();
  const client = gateway.lease(sid, 'client');
  const server = gateway.lease(sid, 'server');
  expect(still.prove(CLIENT, client)).toBe(PROVED);
  expect(still.prove(SERVER, server)).toBe(PROVED);
  return { gateway, still, sid, client, server };
}

describe('a session with both holders', () => {
  it('S5: forwards payload and flags byte for byte, both ways', () => {
    const { still, sid } = anOpenSession();
    for (const length of [0, 1, 8, 1_232 - 20, 1_480]) {
      const frame = forward(sid, new Uint8Array(length).fill(0xa5), 0x5a);
      expect(still.receive(CLIENT, frame)).toEqual([{ bytes: new Uint8Array(frame), to: SERVER }]);
      expect(still.receive(SERVER, frame)).toEqual([{ bytes: new Uint8Array(frame), to: CLIENT }]);
    }
  });

  it('T3: a captured PROVE moves nothing from another port, and the victim goes on', () => {
    const { still, sid, gateway } = anOpenSession();
    const lease = gateway.lease(sid, 'client', { iat: Math.floor(still.unixMs / 1_000) + 1 });
    const captured = prove(lease, still.cookie(CLIENT, sid), 2n);
    expect(still.receive(STRANGER, captured)).toEqual([]);
    expect(still.answerTo(CLIENT, captured)).toBe(PROVED);
    expect(still.receive(STRANGER, captured)).toEqual([]);
    // With a cookie of his own he has no signature over it.
    const own = prove(lease, still.cookie(STRANGER, sid), 3n);
    own.set(captured.subarray(-64), own.length - 64);
    expect(still.answerTo(STRANGER, own)).toBe(refusedWith(14));
    expect(still.receive(SERVER, forward(sid, Uint8Array.of(1)))[0]?.to).toBe(CLIENT);
    expect(still.statistics.drops.cookie).toBe(2);
  });

  it('T4: a lease is refused after BYE, after a revocation and at another relay', () => {
    const { still, sid, client, server, gateway } = anOpenSession();
    expect(still.receive(CLIENT, bye(client, 2n))).toEqual([]);
    expect(still.prove(CLIENT, client, 3n)).toBe(refusedWith(5));
    still.relay.revoke(gateway.name, [server.claims.jti], []);
    expect(still.statistics.values.sessions).toBe(0);
    expect(still.prove(SERVER, server, 3n)).toBe(refusedWith(5));
    const elsewhere = gateway.lease(sid, 'client', { rid: 'edge/eu/1' });
    expect(still.prove(CLIENT, elsewhere)).toBe(refusedWith(3));
  });

  it('T4: another gateway revokes nothing of this one', () => {
    const { still, client, gateway } = anOpenSession();
    still.relay.revoke('edge/other', [client.claims.jti], [gateway.kid]);
    expect(still.statistics.values.sessions).toBe(1);
    expect(still.prove(CLIENT, client, 2n)).toBe(PROVED);
  });

  it('T4: a restarted relay takes no cookie and no proof of before', () => {
    const { still, client, gateway } = anOpenSession();
    const captured = prove(client, still.cookie(CLIENT, client.sid), 2n);
    const restarted = new Still(aConfiguration([gateway.key()]));
    expect(restarted.receive(CLIENT, captured)).toEqual([]);
    expect(restarted.statistics.drops.cookie).toBe(1);
  });

  it('T5: ends at exp; version 1 RENEW is counted and never answered', () => {
    const { still, sid, client } = anOpenSession();
    const renew = Uint8Array.of(0x57, 1, 4, 0, ...sid);
    const left = client.claims.exp * 1_000 - still.unixMs;
    for (let passed = 0; passed < left - 1_000; passed += 10_000) {
      still.pass(Math.min(10_000, left - 1_000 - passed));
      expect(still.receive(CLIENT, renew)).toEqual([]);
      expect(still.receive(CLIENT, forward(sid, Uint8Array.of(1)))).toHaveLength(1);
    }
    still.pass(1_000);
    expect(still.receive(CLIENT, forward(sid, Uint8Array.of(1)))).toEqual([]);
    expect(still.prove(CLIENT, client, 9n)).toBe(refusedWith(1));
    expect(still.statistics.drops['v1-renew']).toBeGreaterThan(10);
    still.pass(500);
    expect(still.statistics.values.sessions).toBe(0);
  });

  it('T9: keeps no window, so forged sequences change nothing for the holders', () => {
    const { still, sid } = anOpenSession();
    const numbered = (seq: bigint) => {
      const payload = Buffer.alloc(24);
      payload.writeBigUInt64BE(seq);
      return forward(sid, payload);
    };
    const seqs = [2n ** 64n - 1n, 0n, 2n ** 63n, 5n, 4n, 132n, 133n, 2n ** 53n + 1n, 1n];
    for (const seq of seqs) expect(still.receive(STRANGER, numbered(seq))).toEqual([]);
    for (const seq of seqs)
      expect(still.receive(CLIENT, numbered(seq))).toEqual([
        { bytes: new Uint8Array(numbered(seq)), to: SERVER },
      ]);
    expect(still.statistics.drops['wrong-address']).toBe(seqs.length);
  });

  it('T13: FORWARD from a new address redirects nothing; a new proof does, and its replay does not undo it', () => {
    const { still, sid, client } = anOpenSession();
    const moved = '198.51.100.7 40001';
    const old = prove(client, still.cookie(CLIENT, sid), 2n);
    expect(still.receive(moved, forward(sid, Uint8Array.of(1)))).toEqual([]);
    expect(still.receive(SERVER, forward(sid, Uint8Array.of(1)))[0]?.to).toBe(CLIENT);
    expect(still.prove(moved, client, 3n)).toBe(PROVED);
    expect(still.receive(SERVER, forward(sid, Uint8Array.of(1)))[0]?.to).toBe(moved);
    // Replayed with the old address forged: the cookie still holds, the sequence does not.
    expect(still.receive(CLIENT, old)).toEqual([]);
    expect(still.receive(SERVER, forward(sid, Uint8Array.of(1)))[0]?.to).toBe(moved);
    expect(still.statistics.drops.sequence).toBe(1);
    expect(still.statistics.handshakes.rebound).toBe(1);
  });

  it('answers the same proof from the same address again and changes nothing', () => {
    const { still, client, sid } = anOpenSession();
    const again = prove(client, still.cookie(CLIENT, sid), 1n);
    expect(still.answerTo(CLIENT, again)).toBe(PROVED);
    expect(still.statistics.handshakes.repeated).toBe(1);
  });

  it('T14: a holder of one session is nobody in another', () => {
    const { still, gateway } = anOpenSession();
    const other = aSession();
    const [from, to] = ['198.51.100.9 1', '198.51.100.10 2'];
    still.prove(from, gateway.lease(other, 'client'));
    still.prove(to, gateway.lease(other, 'server'));
    expect(still.receive(CLIENT, forward(other, Uint8Array.of(1)))).toEqual([]);
    expect(still.receive(from, forward(other, Uint8Array.of(1)))[0]?.to).toBe(to);
    expect(still.statistics.drops['wrong-address']).toBe(1);
  });

  it('T15: no lease is taken in the other role, and no key or id in both slots', () => {
    const { still, gateway } = anOpenSession();
    const sid = aSession();
    const client = gateway.lease(sid, 'client');
    expect(still.prove(CLIENT, { ...client, role: 'server' })).toBe(refusedWith(12));
    expect(still.prove(CLIENT, client)).toBe(PROVED);
    const sameKey = gateway.lease(sid, 'server', {}, client.keys);
    expect(still.prove(SERVER, sameKey)).toBe(refusedWith(17));
    const sameId = gateway.lease(sid, 'server', { jti: client.claims.jti });
    expect(still.prove(SERVER, sameId)).toBe(refusedWith(17));
  });

  it('gives a slot to the lease with the later iat and refuses the older one from then on', () => {
    const { still, sid, client, gateway } = anOpenSession();
    const later = gateway.lease(sid, 'client', { iat: client.claims.iat + 5 });
    const same = gateway.lease(sid, 'client', { iat: client.claims.iat });
    expect(still.prove(STRANGER, same)).toBe(refusedWith(4));
    expect(still.prove('198.51.100.7 40002', later)).toBe(PROVED);
    expect(still.prove(CLIENT, client, 2n)).toBe(refusedWith(15));
    expect(still.prove(CLIENT, same, 2n)).toBe(refusedWith(15));
    expect(still.statistics.handshakes.banned).toBe(0);
    still.relay.revoke(gateway.name, [client.claims.jti], []);
    expect(still.prove(CLIENT, client, 3n)).toBe(refusedWith(5));
  });

  it('refuses a lease that another gateway signed for the same session', () => {
    const { still, sid, gateway } = anOpenSession();
    const other = new TestGateway('edge/other');
    still.relay.configure(aConfiguration([gateway.key(), other.key()]));
    const lease = other.lease(sid, 'client', { iat: Math.floor(Date.now() / 1_000) + 10 });
    expect(still.prove(STRANGER, lease)).toBe(refusedWith(16));
  });

  it('ends what a key signed when the key leaves the directory', () => {
    const { still } = anOpenSession();
    still.relay.configure(aConfiguration([new TestGateway('edge/next').key()]));
    expect(still.statistics.values).toMatchObject({ sessions: 0, leases_revoked: 2 });
  });

  it('takes BYE from the slot alone, once, and with a newer sequence', () => {
    const { still, client, sid } = anOpenSession();
    still.receive(STRANGER, bye(client, 5n));
    still.receive(CLIENT, bye(client, 1n));
    still.receive(CLIENT, forward(sid, Uint8Array.of(1)));
    expect(still.statistics.values.byes_taken).toBe(0);
    still.receive(CLIENT, bye(client, 5n));
    still.receive(CLIENT, bye(client, 5n));
    expect(still.statistics.values).toMatchObject({ byes_taken: 1, sessions_half_open: 1 });
    expect(still.receive(SERVER, forward(sid, Uint8Array.of(1)))).toEqual([]);
  });

  it('T18: takes an IPv4-mapped peer for the same as the plain one', () => {
    const { still, sid } = anOpenSession();
    expect(still.receive('::ffff:198.51.100.7 40000', forward(sid, Uint8Array.of(1)))).toHaveLength(
      1,
    );
  });

  it('T18: forwards bursts to one peer as they came and looks at each segment', () => {
    const { still, sid } = anOpenSession();
    const good = forward(sid, new Uint8Array(80).fill(1));
    const foreign = forward(aSession(), new Uint8Array(80).fill(2));
    const short = forward(sid, new Uint8Array(10).fill(3));
    const burst = Buffer.concat([good, good, foreign, good, short]);
    const sent = still.receive(CLIENT, burst, 100);
    expect(sent.map(({ bytes }) => bytes)).toEqual(
      [good, good, good, short].map((b) => new Uint8Array(b)),
    );
    expect(still.statistics.drops['no-session']).toBe(1);
    expect(still.statistics.values.forwarded_packets).toBe(4);
  });
});

describe('a relay that drains', () => {
  it('T19: tells both holders, goes on forwarding and takes no new lease', () => {
    const { still, sid, gateway, client } = anOpenSession();
    const rebindCookie = still.cookie('198.51.100.7 40009', sid);
    still.sent.length = 0;
    still.relay.drain(still.unixMs + 120_000);
    for (let i = 0; i < 100; i++) still.pass(100);
    const moves = still.sent.filter(({ bytes }) => bytes[2] === 0x23);
    expect(moves.map(({ to }) => to)).toEqual([CLIENT, SERVER, CLIENT, SERVER, CLIENT, SERVER]);
    expect(still.receive(CLIENT, forward(sid, Uint8Array.of(1)))[0]?.to).toBe(SERVER);
    expect(still.prove(STRANGER, gateway.lease(aSession(), 'client'))).toBe(refusedWith(18));
    // Who holds a slot may still move with its NAT.
    expect(still.answerTo('198.51.100.7 40009', prove(client, rebindCookie, 7n))).toBe(PROVED);
  });

  it('T19: an address that is used again gets nothing of the session before', () => {
    const { still, sid, client, server, gateway } = anOpenSession();
    still.receive(CLIENT, bye(client, 2n));
    still.receive(SERVER, bye(server, 2n));
    const next = aSession();
    still.prove(CLIENT, gateway.lease(next, 'client'));
    still.prove(STRANGER, gateway.lease(next, 'server'));
    expect(still.receive(SERVER, forward(sid, Uint8Array.of(1)))).toEqual([]);
    expect(still.receive(SERVER, forward(next, Uint8Array.of(1)))).toEqual([]);
  });
});

describe('a relay without lease keys', () => {
  it('gives cookies and takes no lease', () => {
    const still = new Still(aConfiguration([]));
    const lease = new TestGateway().lease(aSession(), 'client');
    expect(still.prove(CLIENT, lease)).toBe(refusedWith(8));
  });
});
