import { connect as connectTcp } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  type RelayFolder,
  type RelayProcess,
  TestAuthority,
  readyRelay,
} from './relay-shell-bed.js';
import { TlsEndpoint } from './relay-tls-endpoint.js';
import { aSession, forward, hello, TestGateway } from './relay-udp-bed.js';
import { pause, until } from './relay-udp-endpoint.js';

const authority = new TestAuthority();
const gateway = new TestGateway();
const ended = (reason: string) =>
  `sallyport_relay_fallback_connections_ended_total{reason="${reason}"}`;

describe('the TLS fallback among clients that mean no good', () => {
  let folder: RelayFolder;
  let relay: RelayProcess;
  const open = (from?: string) => TlsEndpoint.open(relay.fallbackPort, authority.certificate, from);
  beforeAll(async () => {
    ({ folder, relay } = await readyRelay(authority, [gateway.key()]));
  });
  afterAll(async () => {
    await relay.kill();
    await folder.remove();
  });

  it('ends what does not finish its handshake, and what proves no lease in time, and nothing else', async () => {
    const silent = connectTcp(relay.fallbackPort, '127.0.0.1');
    const isGone = new Promise<void>((resolve) =>
      silent.once('close', () => {
        resolve();
      }),
    );
    silent.on('error', () => undefined);
    const idle = await open();
    const busy = await open();
    const honest = await open();
    const sid = aSession();
    expect((await honest.prove(gateway.lease(sid, 'client')))[2]).toBe(0x25);
    await isGone;
    expect(await relay.metric(ended('handshake'))).toBe(1);
    const since = Date.now();
    while (!(idle.isClosed && busy.isClosed) && Date.now() - since < 60_000) {
      // Asking for cookies again and again proves nothing.
      if (!busy.isClosed) busy.send(hello(aSession()));
      await pause(500);
    }
    expect([idle.isClosed, busy.isClosed, honest.isClosed]).toEqual([true, true, false]);
    expect(await relay.metric(ended('unproven'))).toBe(2);
    honest.close();
  });

  it('drops for a reader that does not read, and holds no more than a little for it', async () => {
    const sid = aSession();
    const [slow, fast] = [await open(), await open()];
    await slow.prove(gateway.lease(sid, 'client'));
    await fast.prove(gateway.lease(sid, 'server'));
    slow.socket.pause();
    const before = await relay.metric('process_resident_memory_bytes');
    const dropped = () => relay.metric('sallyport_relay_fallback_drops_total');
    const frame = forward(sid, Buffer.alloc(1_200));
    for (let i = 0; i < 400 && (await dropped()) === 0; i++) {
      for (let j = 0; j < 100; j++) fast.send(frame);
      await pause(10);
    }
    expect(await dropped()).toBeGreaterThan(0);
    const after = await relay.metric('process_resident_memory_bytes');
    expect(after! - before!).toBeLessThan(64 << 20);
    slow.close();
    fast.close();
  });

  it('T11: lets the oldest connection without a proof give way when it is full, never one with a proof', async () => {
    await folder.writeSettings((settings) => ({
      ...settings,
      capacity: { ...settings.capacity, maxSessions: 8 },
    }));
    const honest = await open();
    expect((await honest.prove(gateway.lease(aSession(), 'client')))[2]).toBe(0x25);
    // The file is looked at once a second; two connections may stand for each session.
    await pause(3_000);
    const idle = Array.from({ length: 20 }, () => {
      const socket = connectTcp(relay.fallbackPort, '127.0.0.1');
      return socket.on('error', () => undefined);
    });
    await pause(500);
    expect(idle.filter((socket) => !socket.closed)).toHaveLength(15);
    const newcomer = await open();
    expect((await newcomer.prove(gateway.lease(aSession(), 'client')))[2]).toBe(0x25);
    expect(honest.isClosed).toBe(false);
    for (const socket of idle) socket.destroy();
    newcomer.close();
    honest.close();
  });

  it('takes up a lower limit of connections per address without a restart, for each address apart', async () => {
    await folder.writeSettings((settings) => ({
      ...settings,
      rateLimits: { ...settings.rateLimits, fallbackConnectionsPerAddressPerMinute: 2 },
    }));
    const refused = () => relay.metric(ended('address-limit'));
    const since = Date.now();
    while ((await refused()) === 0 && Date.now() - since < 30_000)
      await open().then(
        (endpoint) => {
          endpoint.close();
        },
        () => undefined,
      );
    expect(await refused()).toBeGreaterThan(0);
    await expect(open()).rejects.toThrow();
    const neighbour = await open('127.0.0.2');
    expect((await neighbour.prove(gateway.lease(aSession(), 'client')))[2]).toBe(0x25);
    neighbour.close();
    await until('it is closed', () => neighbour.isClosed);
  });
});
