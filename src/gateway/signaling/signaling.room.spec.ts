import { describe, expect, it } from '@jest/globals';
import { anAccount, NOON_MS } from '../../../test/identities.js';
import {
  aReplica,
  aToken,
  anEnvelope,
  base64url,
  nameOf,
  prekeyText,
  refusalOf,
} from '../../../test/signaling-bed.js';

const alice = anAccount(10);
const bob = anAccount(20);
const TOKEN = aToken(1);

describe('a device that publishes a prekey', () => {
  it('is found at its token with its binding and that prekey', async () => {
    const { connect, ask } = aReplica();
    const [a, b] = [connect(alice), connect(bob)];
    await ask(b, 'prekey.publish', { prekey: prekeyText(bob) });
    await ask(b, 'rendezvous.listen', { tokens: [TOKEN] });
    expect(await ask(a, 'rendezvous.prekey', { token: TOKEN })).toEqual({
      device: base64url(bob.binding),
      prekey: prekeyText(bob),
      revocations: [],
    });
  });
  it.each([
    ['of another account', prekeyText(alice)],
    ['of another device', prekeyText({ ...bob, deviceId: alice.deviceId })],
    ['that another key signed', prekeyText({ ...bob, deviceSeed: alice.deviceSeed })],
    ['that is not yet valid', prekeyText(bob, { notBeforeMs: NOON_MS + 60_000 })],
    ['that is no longer valid', prekeyText(bob, { notAfterMs: NOON_MS })],
    ['of zeros', 'A'.repeat(219)],
  ])('is refused one %s, and the one before stays', async (_, prekey) => {
    const { connect, ask } = aReplica();
    const b = connect(bob);
    await ask(b, 'prekey.publish', { prekey: prekeyText(bob) });
    expect(refusalOf(await ask(b, 'prekey.publish', { prekey }))).toBe('proof-invalid');
    await ask(b, 'rendezvous.listen', { tokens: [TOKEN] });
    const found = await ask(connect(alice), 'rendezvous.prekey', { token: TOKEN });
    expect(found).toMatchObject({ prekey: prekeyText(bob) });
  });
  it('is absent for who wants to seal something once the prekey has expired', async () => {
    const { connect, ask, time } = aReplica();
    const b = connect(bob);
    await ask(b, 'prekey.publish', { prekey: prekeyText(bob) });
    await ask(b, 'rendezvous.listen', { tokens: [TOKEN] });
    time.nowMs = NOON_MS + 3_600_000;
    const found = await ask(connect(alice), 'rendezvous.prekey', { token: TOKEN });
    expect(refusalOf(found)).toBe('peer-absent');
  });
});

describe('an envelope that is sent to a token', () => {
  it.each([512, 2_048, 8_192])('of %d bytes reaches who listens there, once', async (length) => {
    const { connect, ask } = aReplica();
    const [a, b] = [connect(alice), connect(bob)];
    await ask(b, 'rendezvous.listen', { tokens: [TOKEN] });
    const envelope = anEnvelope(length);
    expect(await ask(a, 'envelope.send', { token: TOKEN, envelope })).toEqual({});
    expect(b.notices).toEqual([{ name: 'envelope.arrived', body: { token: TOKEN, envelope } }]);
    expect(a.notices).toEqual([]);
  });
  it.each([511, 513, 1_024, 8_191])('of %d bytes is refused', async (length) => {
    const { connect, ask } = aReplica();
    const b = connect(bob);
    await ask(b, 'rendezvous.listen', { tokens: [TOKEN] });
    const sent = await ask(b, 'envelope.send', { token: TOKEN, envelope: anEnvelope(length) });
    expect([refusalOf(sent), b.notices]).toEqual(['bad-request', []]);
  });
  it('finds nobody there: the peer is absent, and gets nothing when it listens later', async () => {
    const { connect, ask } = aReplica();
    const [a, b] = [connect(alice), connect(bob)];
    const sent = await ask(a, 'envelope.send', { token: TOKEN, envelope: anEnvelope() });
    await ask(b, 'rendezvous.listen', { tokens: [TOKEN] });
    expect([refusalOf(sent), b.notices]).toEqual(['peer-absent', []]);
  });
  it('finds a connection that takes no more: the peer is absent', async () => {
    const { connect, ask } = aReplica();
    const [a, b] = [connect(alice), connect(bob)];
    await ask(b, 'rendezvous.listen', { tokens: [TOKEN] });
    b.full = true;
    const sent = await ask(a, 'envelope.send', { token: TOKEN, envelope: anEnvelope() });
    expect(refusalOf(sent)).toBe('peer-absent');
  });
  it('finds nobody after the token was taken back, or the connection ended', async () => {
    const { connect, disconnect, ask, state } = aReplica();
    const [a, b] = [connect(alice), connect(bob)];
    const send = async () =>
      refusalOf(await ask(a, 'envelope.send', { token: TOKEN, envelope: anEnvelope() }));
    await ask(b, 'rendezvous.listen', { tokens: [TOKEN] });
    await ask(b, 'rendezvous.forget', { tokens: [TOKEN] });
    expect(await send()).toBe('peer-absent');
    await ask(b, 'rendezvous.listen', { tokens: [TOKEN] });
    disconnect(b);
    expect([await send(), state.table.size, state.listeners.size]).toEqual(['peer-absent', 0, 1]);
  });
});

describe('two connections that want one token', () => {
  it('get it once: the second one is refused, and all of what it asked for', async () => {
    const { connect, ask } = aReplica();
    const [a, b] = [connect(alice), connect(bob)];
    await ask(b, 'rendezvous.listen', { tokens: [TOKEN] });
    const asked = await ask(a, 'rendezvous.listen', { tokens: [aToken(2), TOKEN] });
    expect(refusalOf(asked)).toBe('token-taken');
    await ask(b, 'envelope.send', { token: TOKEN, envelope: anEnvelope() });
    const other = await ask(b, 'envelope.send', { token: aToken(2), envelope: anEnvelope() });
    expect([a.notices.length, b.notices.length, refusalOf(other)]).toEqual([0, 1, 'peer-absent']);
  });
  it('T26: are an older and a newer one of a device: the newer one takes it, and keeps it when the older one closes', async () => {
    const { connect, disconnect, ask } = aReplica();
    const [a, older] = [connect(alice), connect(bob)];
    await ask(older, 'rendezvous.listen', { tokens: [TOKEN] });
    const newer = connect(bob);
    expect(await ask(newer, 'rendezvous.listen', { tokens: [TOKEN] })).toEqual({});
    expect(refusalOf(await ask(older, 'rendezvous.listen', { tokens: [TOKEN] }))).toBe(
      'token-taken',
    );
    disconnect(older);
    expect(await ask(a, 'envelope.send', { token: TOKEN, envelope: anEnvelope() })).toEqual({});
    expect([older.notices.length, newer.notices.length]).toEqual([0, 1]);
  });
});

describe('a connection whose device has connected to another replica', () => {
  const elsewhere = (connection: string) => ({
    type: 'connected' as const,
    account: nameOf(bob),
    device: base64url(bob.deviceId),
    connection,
  });

  it('T26: still gets what is addressed to it, until the newer one registers its tokens', async () => {
    const { room, connect, ask, time } = aReplica();
    const [a, b] = [connect(alice), connect(bob)];
    await ask(b, 'rendezvous.listen', { tokens: [TOKEN] });
    const wanted = { type: 'tokens', tokens: [TOKEN] } as const;
    expect(await room.onBus?.(wanted, 'r')).toEqual({ taken: [TOKEN] });
    time.nowMs += 6_000;
    await room.onBus?.(elsewhere('newer'), 'r');
    expect(await ask(a, 'envelope.send', { token: TOKEN, envelope: anEnvelope() })).toEqual({});
    expect(await room.onBus?.(wanted, 'r')).toBeUndefined();
    const sent = await ask(a, 'envelope.send', { token: TOKEN, envelope: anEnvelope() });
    expect([refusalOf(sent), b.notices.length]).toEqual(['peer-absent', 1]);
  });
  it('T26: keeps its tokens when both began at the same time and it is the one that stays', async () => {
    const { room, connect, ask } = aReplica();
    const b = connect(bob, 'm');
    await ask(b, 'rendezvous.listen', { tokens: [TOKEN] });
    await room.onBus?.(elsewhere('a'), 'r');
    const wanted = { type: 'tokens', tokens: [TOKEN] } as const;
    expect(await room.onBus?.(wanted, 'r')).toEqual({ taken: [TOKEN] });
    await room.onBus?.(elsewhere('z'), 'r');
    expect(await room.onBus?.(wanted, 'r')).toBeUndefined();
  });
});

describe('a connection that registers tokens', () => {
  it('gets 4,096 and no more', async () => {
    const { connect, ask, state } = aReplica();
    const b = connect(bob);
    const batch = (n: number) => Array.from({ length: 256 }, (_, at) => aToken(n * 256 + at));
    for (let n = 0; n < 16; n++)
      expect(await ask(b, 'rendezvous.listen', { tokens: batch(n) })).toEqual({});
    const more = await ask(b, 'rendezvous.listen', { tokens: [aToken(5_000)] });
    expect([refusalOf(more), state.table.size]).toEqual(['quota-reached', 4_096]);
  });
  it('is refused a second text of the same 16 bytes', async () => {
    const { connect, ask } = aReplica();
    const twin = `${TOKEN.slice(0, -1)}${TOKEN.endsWith('w') ? 'x' : 'B'}`;
    expect(Buffer.from(twin, 'base64url')).toEqual(Buffer.from(TOKEN, 'base64url'));
    const asked = await ask(connect(bob), 'rendezvous.listen', { tokens: [twin] });
    expect(refusalOf(asked)).toBe('bad-request');
  });
});

describe('an endpoint that reports handshakes', () => {
  const series = (outcome: string, reason: string) =>
    `sallyport_handshakes_total{outcome="${outcome}",reason="${reason}",suite="Noise_XX_25519_ChaChaPoly_BLAKE2s"}`;

  it('S28: is counted by reason; every series is there before, at 0', async () => {
    const { connect, ask, metrics } = aReplica();
    expect(await metrics.text()).toContain(`${series('failure', 'stranger')} 0`);
    const counts = [
      { outcome: 'succeeded', count: 40 },
      { outcome: 'stranger', count: 2 },
    ] as const;
    expect(await ask(connect(bob), 'handshakes.report', { counts: [...counts] })).toEqual({});
    expect(await metrics.text()).toContain(`${series('success', 'none')} 40`);
    expect(await metrics.text()).toContain(`${series('failure', 'stranger')} 2`);
  });
  it('S28: cannot flood the numbers: beyond a thousand it is refused, and nothing of that report counts', async () => {
    const { connect, ask, metrics } = aReplica();
    const b = connect(bob);
    const report = (count: number) =>
      ask(b, 'handshakes.report', { counts: [{ outcome: 'other', count }] });
    expect(await report(1_000)).toEqual({});
    expect(await report(10)).toEqual({ refused: 'too-many', retryAfterSeconds: 10 });
    const two = [
      { outcome: 'other', count: 1_000 } as const,
      { outcome: 'expired', count: 1 } as const,
    ];
    expect(await ask(b, 'handshakes.report', { counts: two })).toEqual({
      refused: 'quota-reached',
    });
    expect(await metrics.text()).toContain(`${series('failure', 'other')} 1000`);
    expect(await metrics.text()).toContain(`${series('failure', 'expired')} 0`);
  });
});

describe('a request of a connection that has ended meanwhile', () => {
  it('leaves nothing behind', async () => {
    const { connect, disconnect, ask, state } = aReplica();
    const b = connect(bob);
    disconnect(b);
    expect(refusalOf(await ask(b, 'rendezvous.listen', { tokens: [TOKEN] }))).toBe('unavailable');
    expect(refusalOf(await ask(b, 'prekey.publish', { prekey: prekeyText(bob) }))).toBe(
      'unavailable',
    );
    expect([state.table.size, state.listeners.size]).toEqual([0, 0]);
  });
});
