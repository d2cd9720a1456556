import { createHash } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { performance } from 'node:perf_hooks';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Channels, type ChannelEvents } from '../../src/protocol/channels/channels.js';
import { bound, UdpPath, WITNESS_BYTES } from '../faults/udp-path.js';

/*
 * The channels on real UDP sockets through a path of 25 Mbit/s, 60 ms each way, 2 % loss each way, and up to 3 ms of
 * jitter that reorders. Sealing is not here: this is about loss, order and rate; the slowest call frame is measured in
 * virtual time (src/protocol/channels/bulk.spec.ts), where it is exact. The rate is what one process on a busy machine
 * moves for both ends and the path. That process waits for a processor at times, and everything in it is late then: so
 * beside each call frame a witness goes at the same moment through the same sockets, on a path where nothing else is, and
 * what counts is how much later than its witness a frame comes.
 */
const FILE_BYTES = 100_000_000;
const CHUNK_BYTES = 65_536;
const MBIT_PER_SECOND = 25;
const LINK = {
  mbitPerSecond: MBIT_PER_SECOND,
  queueBytes: 4_000_000,
  delayMs: 60,
  jitterMs: 3,
  loss: 0.02,
};
/** The sealed datagram has 52 bytes more: relay header, datagram header, tag. They are sent, as zeros. */
const SEALED_BYTES = 52;
const QUIET: ChannelEvents = { message: () => {}, acknowledged: () => {}, writable: () => {} };

/** Channels on a socket of their own. */
class Endpoint {
  readonly channels: Channels;
  readonly socket: Socket = createSocket({ type: 'udp4', recvBufferSize: 4 << 20 });
  readonly #port: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(port: number, events: ChannelEvents, witnessed = (stamp: number): unknown => stamp) {
    this.#port = port;
    this.channels = new Channels(events, { callMode: 'wideband' });
    this.socket.on('message', (bytes) => {
      if (bytes.length === WITNESS_BYTES) {
        witnessed(bytes.readDoubleBE());
        return;
      }
      this.channels.onPlaintext(bytes.subarray(0, bytes.length - SEALED_BYTES), performance.now());
      this.pump();
    });
  }

  pump(): void {
    for (let burst = 0; burst < 64; burst++) {
      const datagram = new Uint8Array(1180 + SEALED_BYTES);
      const length = this.channels.nextPlaintext(performance.now(), datagram);
      if (length === 0) break;
      this.socket.send(datagram, 0, length + SEALED_BYTES, this.#port, '127.0.0.1');
    }
    clearTimeout(this.#timer);
    const nowMs = performance.now();
    const inMs = this.channels.nextDeadlineMs(nowMs) - nowMs;
    if (inMs < 60_000)
      this.#timer = setTimeout(
        () => {
          this.pump();
        },
        Math.max(0, inMs),
      );
  }

  /** Sends a witness. */
  witness(stamp: Uint8Array): void {
    this.socket.send(stamp, this.#port, '127.0.0.1');
  }

  close(): void {
    clearTimeout(this.#timer);
    this.socket.close();
  }
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
}

describe('a file of 100 MB through 2 % loss, 60 ms of delay and reordering, over UDP sockets', () => {
  const sentHash = createHash('sha256');
  const receivedHash = createHash('sha256');
  /** When call frames came while there was a file, by when they went. */
  const callMs = new Map<number, number>();
  /** When witnesses came. */
  const witnessMs = new Map<number, number>();
  let path: UdpPath;
  let sender: Endpoint;
  let receiver: Endpoint;
  let ticker: NodeJS.Timeout;
  let sent = 0;
  let received = 0;
  let tookMs = Infinity;
  let isLoaded = false;

  const refill = () => {
    while (sent < FILE_BYTES && sender.channels.isWritable('file')) {
      const bytes = new Uint8Array(Math.min(CHUNK_BYTES, FILE_BYTES - sent)).fill(
        sent / CHUNK_BYTES,
      );
      sentHash.update(bytes);
      sender.channels.send('file', bytes);
      sent += bytes.length;
    }
  };

  beforeAll(async () => {
    path = await UdpPath.open({ a: { ...LINK, seed: 1 }, b: { ...LINK, seed: 2 } });
    sender = new Endpoint(path.portA, { ...QUIET, writable: refill });
    const witnessed = (stamp: number) => witnessMs.set(stamp, performance.now());
    const events: ChannelEvents = {
      ...QUIET,
      message: (channel, bytes) => {
        if (channel === 'call' && isLoaded)
          callMs.set(new DataView(bytes.buffer, bytes.byteOffset).getFloat64(0), performance.now());
        if (channel !== 'file') return;
        receivedHash.update(bytes);
        received += bytes.length;
      },
    };
    receiver = new Endpoint(path.portB, events, witnessed);
    await Promise.all([bound(sender.socket), bound(receiver.socket)]);
    // The path sends to whoever spoke last: the receiver speaks first.
    receiver.channels.send('control', new Uint8Array(1));
    receiver.pump();
    ticker = setInterval(() => {
      const stamp = new Uint8Array(8);
      new DataView(stamp.buffer).setFloat64(0, performance.now());
      sender.witness(stamp);
      sender.channels.send('call', stamp);
      sender.pump();
    }, 20);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    isLoaded = true;
    const startMs = performance.now();
    refill();
    sender.pump();
    while (received < FILE_BYTES && performance.now() - startMs < 90_000)
      await new Promise((resolve) => setTimeout(resolve, 20));
    tookMs = performance.now() - startMs;
  }, 110_000);

  afterAll(() => {
    clearInterval(ticker);
    sender.close();
    receiver.close();
    path.close();
  });

  it('arrives intact', () => {
    expect(received).toBe(FILE_BYTES);
    expect(receivedHash.digest('hex')).toBe(sentHash.digest('hex'));
    expect(path.overflow).toBe(0);
  });

  it('takes at most twice the time that the free path would need', () => {
    expect(tookMs).toBeLessThan((2 * FILE_BYTES) / (MBIT_PER_SECOND * 125));
  });

  it.each([0.5, 0.95])('delays call frames by at most 20 ms (quantile %d)', (share) => {
    const later = [...callMs].flatMap(([stamp, atMs]) => {
      const witnessAtMs = witnessMs.get(stamp);
      return witnessAtMs === undefined ? [] : [atMs - witnessAtMs];
    });
    expect(later.length).toBeGreaterThan(400);
    expect(quantile(later, share)).toBeLessThan(20);
  });
});
