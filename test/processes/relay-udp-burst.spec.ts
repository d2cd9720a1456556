import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { parseIpAddress } from '../../src/runtime/ip-address.js';
import { newAddress, setAddress } from '../../src/relay/packet/address.js';
import { bindSocket } from '../../src/relay/socket/bound-fd.socket.js';
import { DROP } from '../../src/relay/packet/drop-reason.js';
import { loadKernel } from '../../src/runtime/kernel.library.js';
import { dropIndex, newStatistics, STATISTIC } from '../../src/relay/packet/statistics.js';
import { KoffiSocket, ReceiveArea } from '../../src/relay/socket/udp-koffi.socket.js';
import type { Burst } from '../../src/relay/socket/udp-socket.js';
import { aConfiguration, aSession, forward, hello, prove, TestGateway } from './relay-udp-bed.js';
import { startRelay, until } from './relay-udp-endpoint.js';

const gateway = new TestGateway();
const SEGMENT = 1_200;

/** A socket that sends with UDP_SEGMENT and receives with UDP_GRO, as our endpoints do. */
class BurstSocket {
  readonly statistics = newStatistics();
  readonly received: Buffer[] = [];
  largest = 0;
  readonly #socket: KoffiSocket;
  readonly #relay = newAddress();

  constructor(relayPort: number) {
    const kernel = loadKernel();
    const parts = { kernel, area: new ReceiveArea(kernel), statistics: this.statistics, link: 0 };
    this.#socket = new KoffiSocket(parts, bindSocket(kernel, '127.0.0.1', 0));
    setAddress(this.#relay, parseIpAddress('127.0.0.1')!, { port: relayPort, link: 0 });
  }

  get port(): number {
    return this.#socket.port;
  }

  send(bytes: Uint8Array, segment = bytes.length): void {
    this.#socket.send({ bytes, at: 0, length: bytes.length, segment }, this.#relay, 0);
    this.#socket.flush();
  }

  /** Queues one datagram to another port. */
  queue(bytes: Uint8Array, port: number): void {
    const to = newAddress();
    setAddress(to, parseIpAddress('127.0.0.1')!, { port, link: 0 });
    this.#socket.send({ bytes, at: 0, length: bytes.length, segment: bytes.length }, to, 0);
  }

  flush(): void {
    this.#socket.flush();
  }

  /** Takes what has come. */
  take(): void {
    while (this.#socket.receive(this) > 0);
  }

  receive({ bytes, at, length, segment }: Burst): void {
    this.largest = Math.max(this.largest, length);
    for (let next = at; next < at + length; next += segment)
      this.received.push(Buffer.from(bytes.subarray(next, Math.min(next + segment, at + length))));
  }

  close(): void {
    this.#socket.close();
  }
}

describe('bursts through the packet worker with koffi', () => {
  it('T18: come in by GRO, go out by UDP_SEGMENT, and arrive whole, in order and cut as they were sent', async () => {
    const relay = await startRelay('koffi', aConfiguration([gateway.key()]));
    const sid = aSession();
    const [from, to] = [new BurstSocket(relay.ports[0]!), new BurstSocket(relay.ports[0]!)];
    for (const [socket, role] of [
      [from, 'client'],
      [to, 'server'],
    ] as const) {
      socket.send(hello(sid));
      await until('a COOKIE', () => (socket.take(), socket.received.length > 0));
      socket.send(prove(gateway.lease(sid, role), socket.received.shift()!, 1n));
      await until('an answer', () => (socket.take(), socket.received.length > 0));
      expect(socket.received.shift()![2]).toBe(0x25);
    }
    const frames: Buffer[] = [];
    for (let burst = 0; burst < 50; burst++) {
      const count = 2 + (burst % 7);
      const last = burst % 2 === 0 ? SEGMENT : 500;
      const parts = Array.from({ length: count }, (_, i) =>
        Buffer.from(forward(sid, randomBytes((i === count - 1 ? last : SEGMENT) - 20))),
      );
      frames.push(...parts);
      from.send(Buffer.concat(parts), SEGMENT);
      await until('the burst', () => (to.take(), to.received.length === frames.length));
    }
    expect(to.received.map((bytes) => bytes.toString('hex'))).toEqual(
      frames.map((bytes) => bytes.toString('hex')),
    );
    const { values, segments } = relay.statistics();
    expect(values.segmentation_failures).toBe(0);
    // One receive and one send per burst, not per datagram, and the receiver got bursts again.
    expect(segments.slice(1).reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(50);
    expect(values.send_calls).toBeLessThan(70);
    expect(to.largest).toBeGreaterThan(SEGMENT);
    expect(from.statistics[STATISTIC.segmentation_failures]).toBe(0);
    from.close();
    to.close();
    await relay.stop();
  });

  it('of more segments than a kernel cuts go out one by one, whole and in order', async () => {
    const to = new BurstSocket(0);
    const from = new BurstSocket(to.port);
    const sent = randomBytes(300 * 20);
    from.send(sent, 20);
    await until('300 datagrams', () => (to.take(), to.received.length === 300));
    expect(Buffer.concat(to.received)).toEqual(sent);
    expect(from.statistics[STATISTIC.segmentation_failures]).toBe(1);
    expect(from.statistics[dropIndex(DROP['send-failed'])]).toBe(0);
    from.close();
    to.close();
  });

  it('leave joined where single datagrams of several flows came in turns, in order per flow', async () => {
    const sockets = Array.from({ length: 3 }, () => new BurstSocket(0));
    const from = new BurstSocket(0);
    for (let i = 0; i < 60; i++) from.queue(Buffer.alloc(500, i), sockets[i % 3]!.port);
    from.flush();
    for (const [flow, socket] of sockets.entries()) {
      await until('20 datagrams', () => (socket.take(), socket.received.length === 20));
      expect(socket.received.map((bytes) => bytes[0])).toEqual(
        Array.from({ length: 20 }, (_, i) => i * 3 + flow),
      );
      // One message of twenty segments.
      expect(socket.largest).toBe(20 * 500);
      socket.close();
    }
    expect(from.statistics[STATISTIC.send_calls]).toBe(1);
    from.close();
  });
});
