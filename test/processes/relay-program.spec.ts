import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { aSession, forward, TestGateway } from './relay-udp-bed.js';
import { Endpoint, until } from './relay-udp-endpoint.js';
import {
  directoryGateway,
  POOL_IDENTITY,
  type RelayFolder,
  type RelayProcess,
  TestAuthority,
  readyRelay,
} from './relay-shell-bed.js';
import { TlsEndpoint } from './relay-tls-endpoint.js';

const authority = new TestAuthority();
const PROVED = 0x25;
/** What a frame of admission was answered with: type, and for REFUSED its code. */
const answerOf = (frame: Buffer): string =>
  frame[2] === PROVED ? 'proved' : `refused ${frame[37]!}`;

describe('a relay that is started from files as the operator writes them', () => {
  const gateway = new TestGateway();
  const next = new TestGateway();
  let folder: RelayFolder;
  let relay: RelayProcess;
  beforeAll(async () => {
    ({ folder, relay } = await readyRelay(authority, [gateway.key()]));
  });
  afterAll(async () => {
    await relay.kill();
    await folder.remove();
  });

  it('S12, S67: lets one side on UDP and the other on TLS exchange the very same bytes, both ways', async () => {
    const sid = aSession();
    const udp = await Endpoint.open(relay.port);
    const tls = await TlsEndpoint.open(relay.fallbackPort, authority.certificate);
    expect(tls.socket.getProtocol()).toBe('TLSv1.3');
    expect(answerOf(await udp.prove(gateway.lease(sid, 'client')))).toBe('proved');
    expect(answerOf(await tls.prove(gateway.lease(sid, 'server')))).toBe('proved');
    for (let i = 0; i < 200; i++) {
      const there = forward(sid, Buffer.alloc(1 + ((i * 37) % 1_200), i));
      const back = forward(sid, Buffer.alloc(1 + ((i * 53) % 1_200), i), i);
      udp.send(there);
      expect((await tls.next()).equals(there)).toBe(true);
      tls.send(back);
      expect((await udp.next()).equals(back)).toBe(true);
    }
    udp.close();
    tls.close();
  });

  it('takes the same leases on TLS, and refuses the same ones', async () => {
    const tls = await TlsEndpoint.open(relay.fallbackPort, authority.certificate);
    const stranger = new TestGateway('edge/other');
    expect(answerOf(await tls.prove(stranger.lease(aSession(), 'client')))).toBe('refused 8');
    tls.close();
  });

  it('ends a connection on which something comes that is no frame, and counts it', async () => {
    const tls = await TlsEndpoint.open(relay.fallbackPort, authority.certificate);
    tls.socket.write(Buffer.from('GET / HTTP/1.1\r\n\r\n'));
    await until('the connection ends', () => tls.isClosed);
    const series = 'sallyport_relay_fallback_connections_ended_total{reason="frame-too-long"}';
    expect(await relay.metric(series)).toBe(1);
  });

  it('refuses a client that offers nothing newer than TLS 1.2', async () => {
    const { connect } = await import('node:tls');
    const socket = connect({
      port: relay.fallbackPort,
      host: '127.0.0.1',
      ca: authority.certificate,
      maxVersion: 'TLSv1.2',
    });
    const error = await new Promise<Error & { code?: string }>((resolve) =>
      socket.once('error', resolve),
    );
    expect(error.code).toMatch(/PROTOCOL_VERSION/);
  });

  it('takes a new lease key up and lets an old one go, without a restart', async () => {
    const { pid } = relay.child;
    const udp = await Endpoint.open(relay.port);
    expect(answerOf(await udp.prove(next.lease(aSession(), 'client')))).toBe('refused 8');
    await folder.writeDirectory([directoryGateway('edge/main', [next.key()])]);
    const series = `sallyport_relay_lease_key_not_after_timestamp_seconds{gateway="edge/main",kid="${next.kid}"}`;
    const end = Date.now() + 20_000;
    while ((await relay.metric(series)) === undefined && Date.now() < end);
    expect(answerOf(await udp.prove(next.lease(aSession(), 'client')))).toBe('proved');
    expect(answerOf(await udp.prove(gateway.lease(aSession(), 'client')))).toBe('refused 8');
    expect(relay.child.pid).toBe(pid);
    expect(relay.child.exitCode).toBeNull();
    udp.close();
  });

  it('refuses leases of a key before its time and after it', async () => {
    const [early, late] = [new TestGateway('edge/early'), new TestGateway('edge/late')];
    const now = Date.now();
    await folder.writeDirectory([
      directoryGateway('edge/main', [next.key()]),
      directoryGateway('edge/early', [early.key({ notBeforeMs: now + 3_600_000 })]),
      directoryGateway('edge/late', [late.key({ notAfterMs: now - 3_600_000 })]),
    ]);
    await relay.said('"gateways":3');
    const udp = await Endpoint.open(relay.port);
    expect(answerOf(await udp.prove(early.lease(aSession(), 'client')))).toBe('refused 9');
    expect(answerOf(await udp.prove(late.lease(aSession(), 'client')))).toBe('refused 9');
    udp.close();
  });

  it('S25: keeps its keys when the directory goes bad, and says so', async () => {
    const wrongId = { ...directoryGateway('edge/main', [gateway.key({ kid: next.kid })]) };
    await folder.writeDirectory([wrongId]);
    const body = await relay.answers(200, /^ready\ngateways: kept/);
    expect(body).toMatch(/does not have the id of its key/);
    const udp = await Endpoint.open(relay.port);
    expect(answerOf(await udp.prove(next.lease(aSession(), 'client')))).toBe('proved');
    udp.close();
    expect(relay.stdout).toMatch(/"action":"gateways.load","outcome":"failure"/);
  });

  it('takes a new leaf up for new connections and keeps those that stand', async () => {
    const before = await TlsEndpoint.open(relay.fallbackPort, authority.certificate);
    const fresh = new TestAuthority('fresh');
    await folder.writeLeaf(fresh.leaf(POOL_IDENTITY));
    const end = Date.now() + 20_000;
    let after: TlsEndpoint | undefined;
    while (!after && Date.now() < end)
      after = await TlsEndpoint.open(relay.fallbackPort, fresh.certificate).catch(() => undefined);
    expect(after).toBeDefined();
    expect(answerOf(await before.prove(next.lease(aSession(), 'client')))).toBe('proved');
    before.close();
    after?.close();
    // A leaf of another pool is not taken over.
    await folder.writeLeaf(fresh.leaf(POOL_IDENTITY.replace('/eu', '/us')));
    expect(await relay.answers(200, /tls: kept/)).toMatch(/does not name this pool/);
  });

  it('T35: shows metrics that name no address and no session', async () => {
    const { status, body } = await relay.page('/metrics');
    expect(status).toBe(200);
    const lines = body.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    for (const line of lines)
      expect(line).toMatch(/^[a-z_0-9]+(\{([a-z_]+="[^"\n]*",?)*\})? (-?[0-9.e+-]+|NaN|\+Inf)$/);
    const ours = lines.filter((line) => line.startsWith('sallyport_'));
    expect(ours.length).toBeGreaterThan(80);
    expect(ours.join('\n')).not.toMatch(/127\.0\.0\.1|localhost/);
    expect(body).toContain('sallyport_relay_gro_segments_bucket{le="+Inf"}');
    expect(await relay.metric('sallyport_relay_socket_info{socket="koffi",reason=""}')).toBe(1);
    expect(await relay.metric('sallyport_crypto_backend_info{backend="node"}')).toBe(1);
    expect(relay.stderr).toMatch(/"crypto":\{"backend":"node","openssl":"\d/);
    expect(
      await relay.metric(
        'sallyport_handshakes_total{outcome="success",reason="opened",suite="Standard"}',
      ),
    ).toBeGreaterThan(3);
  });

  it('T35: has at most twelve values of each reason', async () => {
    const { body } = await relay.page('/metrics');
    const reasons = new Map<string, Set<string>>();
    for (const [, name = '', reason = ''] of body.matchAll(
      /^(sallyport_\w+)\{[^\n]*reason="([^"]*)"/gm,
    ))
      reasons.set(name, (reasons.get(name) ?? new Set()).add(reason));
    expect(reasons.size).toBeGreaterThan(4);
    expect([...reasons].filter(([, values]) => values.size > 12)).toEqual([]);
    expect(await relay.metric('sallyport_relay_drops_total{reason="address-denied"}')).toBe(0);
  });

  it('writes no lease, session or address to its log or its audit trail', () => {
    const text = relay.stderr + relay.stdout;
    expect(text).not.toMatch(/127\.0\.0\.1|v4\.public|PRIVATE KEY/);
    for (const line of relay.stdout.trim().split('\n'))
      expect(() => JSON.parse(line) as unknown).not.toThrow();
  });
});
