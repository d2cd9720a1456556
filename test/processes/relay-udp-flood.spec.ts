import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { loadKernel } from '../../src/runtime/kernel.library.js';
import { SOCKET, swapPort } from '../../src/relay/socket/native-layout.js';
import { SendVector } from '../../src/relay/socket/send-vector.js';
import { aConfiguration, aSession, forward, hello, TestGateway } from './relay-udp-bed.js';
import { Endpoint, pause, startRelay, until } from './relay-udp-endpoint.js';

const gateway = new TestGateway();
const SOCK_RAW = 3;
const IPPROTO_RAW = 255;
const IP_BYTES = 20;
const UDP_BYTES = 8;
const BATCH = 100;

/** Datagrams with sources that nobody has bound, written with their IP headers (raw(7)). Needs root. */
class Spoofer {
  readonly #kernel = loadKernel();
  readonly #fd = this.#kernel.socket(SOCKET.AF_INET, SOCK_RAW, IPPROTO_RAW);
  readonly #bytes = new Uint8Array(new ArrayBuffer(BATCH * 1_024));
  readonly #vector = new SendVector(BATCH, 16);
  readonly sources = new Set<number>();

  constructor(private readonly port: number) {
    if (this.#fd < 0) throw new Error('Run this test as root: it forges source addresses.');
    this.#vector.locate(this.#kernel.addressOf(this.#vector.bytes));
    this.#vector.joins = false;
    this.#vector.name.set([SOCKET.AF_INET | (swapPort(port) << 16), 0x0100_007f]);
  }

  /** Sends a batch, each from another address of 127.0.0.0/8: what is answered does not leave the host. */
  send(payloads: readonly Uint8Array[]): void {
    for (const [i, payload] of payloads.entries()) {
      const length = IP_BYTES + UDP_BYTES + payload.length;
      const view = new DataView(this.#bytes.buffer, i * 1_024, 1_024);
      const source = ((127 << 24) | (1 << 16) | this.sources.size) + (1 << 16);
      this.sources.add(source);
      // Length, identification and checksum are the kernel's; a UDP checksum of zero is none (RFC 768).
      view.setUint16(0, 0x4500);
      view.setUint16(8, (64 << 8) | SOCKET.SOL_UDP);
      view.setUint32(12, source);
      view.setUint32(16, 0x7f00_0001);
      view.setUint16(20, 1_024 + (this.sources.size % 60_000));
      view.setUint16(22, this.port);
      view.setUint16(24, UDP_BYTES + payload.length);
      this.#bytes.set(payload, i * 1_024 + IP_BYTES + UDP_BYTES);
      this.#vector.add(this.#kernel.addressOf(this.#bytes) + i * 1_024, length, length);
    }
    this.#vector.seal();
    const sent = this.#kernel.send(this.#fd, this.#vector.headerAddress(0), payloads.length, 0);
    this.#vector.clear();
    if (sent !== payloads.length) throw new Error(`only ${sent} of ${payloads.length} were sent`);
  }

  close(): void {
    this.#kernel.close(this.#fd);
  }
}

describe.each(['koffi', 'dgram'] as const)(
  'a relay with %s under datagrams with forged sources',
  (kind) => {
    it('T8: 20,000 of them make no session and no memory, and a session beside them loses nothing', async () => {
      const relay = await startRelay(kind, aConfiguration([gateway.key()]));
      const [a, b] = [await Endpoint.open(relay.ports[0]!), await Endpoint.open(relay.ports[0]!)];
      const sid = aSession();
      await a.prove(gateway.lease(sid, 'client'));
      await b.prove(gateway.lease(sid, 'server'));
      const spoofer = new Spoofer(relay.ports[0]!);
      const frame = forward(sid, randomBytes(200));
      const start = relay.statistics().values;
      let residentBefore = 0;
      for (let round = 0; round < 200; round++) {
        // What is compiled and made once is there after the first rounds.
        if (round === 40) residentBefore = process.memoryUsage.rss();
        spoofer.send(
          Array.from({ length: BATCH }, (_, i) => (i % 2 === 0 ? hello(aSession()) : frame)),
        );
        for (let i = 0; i < 5; i++) a.send(frame);
        const all = (round + 1) * (BATCH + 5);
        await until(
          'the round',
          () => relay.statistics().values.packets_in - start.packets_in === all,
        );
      }
      await until('1,000 packets', () => b.received.length === 1_000);
      await pause(20);
      const { values, drops } = relay.statistics();
      expect(spoofer.sources.size).toBe(20_000);
      expect([values.sessions, values.sessions_half_open]).toEqual([1, 0]);
      expect(drops['wrong-address']).toBe(10_000);
      expect(values.forwarded_packets - start.forwarded_packets).toBe(1_000);
      expect(values.kernel_drops).toBe(0);
      expect(a.received).toEqual([]);
      // The whole process, test and its frames included; 100 bytes kept per source would be 2 MB.
      expect(process.memoryUsage.rss() - residentBefore).toBeLessThan(64 << 20);
      for (const each of [a, b, spoofer]) each.close();
      await relay.stop();
    }, 60_000);
  },
);
