import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { FALLBACK_KIND } from '../../src/relay/packet/fallback-port.js';
import { FallbackLink } from '../../src/relay/packet/fallback.link.js';
import type { PacketThread } from '../../src/relay/packet/packet.thread.js';
import {
  aConfiguration,
  aSession,
  bye,
  forward,
  hello,
  prove,
  TestGateway,
} from './relay-udp-bed.js';
import { Endpoint, startRelay, until } from './relay-udp-endpoint.js';

const gateway = new TestGateway();
const isForward = (bytes: Uint8Array) => bytes[2] === 0x10;

describe.each(['koffi', 'dgram'] as const)('the packet worker with %s', (kind) => {
  let relay: PacketThread;
  const open: Endpoint[] = [];
  const endpoint = async (address?: string) => {
    const made = await Endpoint.open(relay.ports[0]!, address);
    open.push(made);
    return made;
  };
  /** Two endpoints that hold the slots of one session. */
  const aPair = async () => {
    const sid = aSession();
    const [a, b] = [await endpoint(), await endpoint()];
    const [client, server] = [gateway.lease(sid, 'client'), gateway.lease(sid, 'server')];
    expect((await a.prove(client))[2]).toBe(0x25);
    expect((await b.prove(server))[2]).toBe(0x25);
    return { sid, a, b, client, server };
  };

  beforeAll(async () => {
    relay = await startRelay(kind, aConfiguration([gateway.key()]));
  });
  afterAll(async () => {
    for (const each of open) each.close();
    await relay.stop();
  });

  it('S12: two holders prove themselves and exchange datagrams', async () => {
    const { sid, a, b } = await aPair();
    expect(relay.socket).toBe(kind);
    for (const length of [0, 1, 100, 1_212, 1_480]) {
      const frame = forward(sid, randomBytes(length), 0x77);
      a.send(frame);
      expect(await b.next()).toEqual(frame);
      b.send(frame);
      expect(await a.next()).toEqual(frame);
    }
  });

  it('S5: delivers 2,000 datagrams of mixed sizes whole', async () => {
    const { sid, a, b } = await aPair();
    const frames = Array.from({ length: 2_000 }, (_, i) => forward(sid, randomBytes(i % 1_213)));
    for (const [i, frame] of frames.entries()) {
      a.send(frame);
      if (i % 50 === 49) await until('50 more', () => b.received.length > i);
    }
    expect(b.received.map((bytes) => bytes.toString('hex'))).toEqual(
      frames.map((bytes) => Buffer.from(bytes).toString('hex')),
    );
  });

  it('T3: a captured proof raced from another port moves nothing', async () => {
    const { sid, a, b, client } = await aPair();
    const thief = await endpoint();
    const captured = prove(client, await a.cookie(sid), 2n);
    thief.send(captured);
    a.send(captured);
    thief.send(captured);
    expect((await a.next())[2]).toBe(0x25);
    const frame = forward(sid, randomBytes(100));
    b.send(frame);
    expect(await a.next()).toEqual(frame);
    expect(await thief.hearsNothing()).toBe(true);
  });

  it('T13: only a new proof moves a slot to a new port', async () => {
    const { sid, a, b, client } = await aPair();
    const moved = await endpoint();
    const frame = forward(sid, randomBytes(100));
    moved.send(frame);
    expect(await b.hearsNothing()).toBe(true);
    expect((await moved.prove(client, 2n))[2]).toBe(0x25);
    b.send(frame);
    expect(await moved.next(isForward)).toEqual(frame);
    expect(await a.hearsNothing()).toBe(true);
  });

  it('T4: a lease is worthless after BYE', async () => {
    const { a, client } = await aPair();
    a.send(bye(client, 2n));
    const answer = await a.prove(client, 3n);
    expect([answer[2], answer[37]]).toEqual([0x26, 5]);
  });

  it('T5: version 1 presentations and renewals hear nothing', async () => {
    const { a, sid, client } = await aPair();
    const present = Buffer.concat([
      Uint8Array.of(0x57, 1, 1, 0),
      sid,
      Uint8Array.of(0, client.token.length >> 8, client.token.length & 0xff),
      client.token,
    ]);
    const before = relay.statistics().drops;
    a.send(present);
    a.send(Buffer.concat([Uint8Array.of(0x57, 1, 4, 0), sid]));
    expect(await a.hearsNothing()).toBe(true);
    const { drops } = relay.statistics();
    expect(drops['v1-present'] - before['v1-present']).toBe(1);
    expect(drops['v1-renew'] - before['v1-renew']).toBe(1);
  });

  it('carries a session between UDP and a TCP connection of the fallback thread', async () => {
    const attachment = relay.attachFallback();
    const link = FallbackLink.forTlsThread(attachment);
    const frames: Buffer[] = [];
    link.listen(({ body }) => frames.push(Buffer.from(body)));
    const next = async () => {
      await until('a frame on TCP', () => frames.length > 0);
      return frames.shift()!;
    };
    const send = (frame: Uint8Array) => {
      link.add(FALLBACK_KIND.frame, 1, frame);
      link.flush();
    };
    link.add(FALLBACK_KIND.open, 1, Buffer.concat([ip('127.0.0.1'), Uint8Array.of(0x30, 0x39)]));
    const sid = aSession();
    const udp = await endpoint();
    const [client, server] = [gateway.lease(sid, 'client'), gateway.lease(sid, 'server')];
    expect((await udp.prove(client))[2]).toBe(0x25);
    send(hello(sid));
    send(prove(server, await next(), 1n));
    expect((await next())[2]).toBe(0x25);
    const frame = forward(sid, randomBytes(1_200));
    udp.send(frame);
    expect(await next()).toEqual(frame);
    send(frame);
    expect(await udp.next(isForward)).toEqual(frame);
    link.close();
  });

  it('counts every datagram once', async () => {
    const { values, drops, handshakes } = relay.statistics();
    const dropped = Object.values(drops).reduce((sum, value) => sum + value, 0);
    const taken = values.forwarded_packets + values.answers + values.byes_taken;
    expect(values.packets_in).toBe(dropped + taken);
    expect(handshakes.opened).toBeGreaterThan(10);
    await Promise.resolve();
  });
});

describe.each(['koffi', 'dgram'] as const)(
  'a relay with %s that listens on one address',
  (kind) => {
    it('S72: hears nothing on another address', async () => {
      const relay = await startRelay(kind, aConfiguration([gateway.key()]), ['127.0.0.2']);
      const there = await Endpoint.open(relay.ports[0]!, '127.0.0.1', '127.0.0.2');
      const elsewhere = await Endpoint.open(relay.ports[0]!, '127.0.0.1', '127.0.0.3');
      elsewhere.send(hello(aSession()));
      expect(await elsewhere.hearsNothing()).toBe(true);
      expect((await there.cookie(aSession()))[2]).toBe(0x21);
      expect(relay.statistics().values.packets_in).toBe(1);
      there.close();
      elsewhere.close();
      await relay.stop();
    });

    it('T6: never answers loopback when it listens on more than loopback', async () => {
      const relay = await startRelay(kind, aConfiguration([gateway.key()]), []);
      const four = await Endpoint.open(relay.ports[0]!);
      four.send(hello(aSession()));
      four.send(Buffer.from('000100002112a442000000000000000000000000', 'hex'));
      await until('both', () => relay.statistics().drops['address-denied'] === 2);
      expect(await four.hearsNothing()).toBe(true);
      four.close();
      await relay.stop();
    });

    it('serves IPv4 and IPv6 peers of one session', async () => {
      const relay = await startRelay(kind, aConfiguration([gateway.key()]), ['127.0.0.1', '::1']);
      const four = await Endpoint.open(relay.ports[0]!);
      const six = await Endpoint.open(relay.ports[1]!, '::1');
      const sid = aSession();
      expect((await four.prove(gateway.lease(sid, 'client')))[2]).toBe(0x25);
      expect((await six.prove(gateway.lease(sid, 'server')))[2]).toBe(0x25);
      const frame = forward(sid, randomBytes(500));
      four.send(frame);
      expect(await six.next()).toEqual(frame);
      six.send(frame);
      expect(await four.next()).toEqual(frame);
      four.close();
      six.close();
      await relay.stop();
    });

    it('T19: a drain under traffic tells both holders and loses nothing', async () => {
      const relay = await startRelay(kind, aConfiguration([gateway.key()]));
      const [a, b] = [await Endpoint.open(relay.ports[0]!), await Endpoint.open(relay.ports[0]!)];
      const sid = aSession();
      const client = gateway.lease(sid, 'client');
      const server = gateway.lease(sid, 'server');
      await a.prove(client);
      await b.prove(server);
      let drained = false;
      for (let i = 0; i < 1_000; i++) {
        if (i === 300) relay.drain(Date.now() + 60_000, () => (drained = true));
        a.send(forward(sid, Buffer.from(String(i))));
        if (i % 20 === 19) await until('20 more', () => b.received.filter(isForward).length > i);
      }
      const moves = b.received.filter((bytes) => bytes[2] === 0x23);
      expect(moves.length).toBeGreaterThan(0);
      await a.next((bytes) => bytes[2] === 0x23);
      const refused = await a.prove(gateway.lease(aSession(), 'client'));
      expect([refused[2], refused[37]]).toEqual([0x26, 18]);
      a.send(bye(client, 2n));
      b.send(bye(server, 2n));
      await until('drained', () => drained);
      a.close();
      b.close();
      await relay.stop();
    });
  },
);

/** An IPv4 address as 16 bytes. */
function ip(text: string): Uint8Array {
  return Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ...text.split('.').map(Number));
}
