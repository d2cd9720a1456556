/*
 * The packet worker as its own thread on loopback, and endpoints with real sockets.
 */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { SILENT_LOGGER } from '../../src/runtime/log.js';
import type { PacketConfiguration, SocketKind } from '../../src/relay/packet/packet-messages.js';
import { PacketThread } from '../../src/relay/packet/packet.thread.js';
import { hello, prove, RELAY_ID, type TestLease } from './relay-udp-bed.js';

/** How long an answer over loopback may take on a busy machine. */
const ANSWER_WITHIN_MS = 10_000;
/** An unanswered HELLO is sent again after this. */
const ASK_AGAIN_MS = 2_000;
/** What is not there after this long does not come. */
const SILENCE_MS = 150;

/** Starts a packet worker from its source. */
export async function startRelay(
  socket: SocketKind,
  configuration: PacketConfiguration,
  addresses: readonly string[] = ['127.0.0.1'],
  port = 0,
): Promise<PacketThread> {
  const thread = await PacketThread.start(
    {
      relayId: RELAY_ID,
      addresses,
      port,
      socket,
      script: new URL('../../src/relay/packet/packet.worker.ts', import.meta.url),
      execArgv: ['--import', 'tsx'],
    },
    SILENT_LOGGER,
  );
  thread.configure(configuration);
  return thread;
}

/** A socket of an endpoint; what comes is kept in the order in which it came. */
export class Endpoint {
  readonly received: Buffer[] = [];

  private constructor(
    readonly socket: Socket,
    private readonly relayPort: number,
    private readonly relayAddress: string,
  ) {
    socket.on('message', (bytes) => this.received.push(bytes));
  }

  /** Binds a socket on `address`. */
  static async open(relayPort: number, address = '127.0.0.1', relay = address): Promise<Endpoint> {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
    socket.bind(0, address);
    await once(socket, 'listening');
    socket.setRecvBufferSize(4 << 20);
    return new Endpoint(socket, relayPort, relay);
  }

  /** Sends one datagram to the relay. */
  send(bytes: Uint8Array): void {
    this.socket.send(bytes, this.relayPort, this.relayAddress);
  }

  /** The next datagram that `matches`; those before it are dropped. */
  async next(matches: (bytes: Buffer) => boolean = () => true): Promise<Buffer> {
    const until = Date.now() + ANSWER_WITHIN_MS;
    for (;;) {
      const bytes = this.received.shift();
      if (bytes && matches(bytes)) return bytes;
      if (bytes) continue;
      if (Date.now() > until) throw new Error('no answer came');
      await pause(1);
    }
  }

  /** Whether nothing comes for a while. */
  async hearsNothing(): Promise<boolean> {
    await pause(SILENCE_MS);
    return this.received.length === 0;
  }

  /** HELLO; the COOKIE frame. */
  async cookie(sid: Uint8Array): Promise<Buffer> {
    this.send(hello(sid));
    // A relay drops what comes before its first configuration; endpoints ask again as well.
    const again = setInterval(() => {
      this.send(hello(sid));
    }, ASK_AGAIN_MS);
    try {
      return await this.next((bytes) => bytes[2] === 0x21);
    } finally {
      clearInterval(again);
    }
  }

  /** HELLO and PROVE; the answer. */
  async prove(lease: TestLease, seq = 1n): Promise<Buffer> {
    this.send(prove(lease, await this.cookie(lease.sid), seq));
    return this.next((bytes) => bytes[2] === 0x25 || bytes[2] === 0x26);
  }

  close(): void {
    this.socket.close();
  }
}

/** Lets `ms` milliseconds pass. */
export const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => void setTimeout(resolve, ms));

/** Waits until `holds`, at most as long as an answer may take if nothing else is said. */
export async function until(
  what: string,
  holds: () => boolean,
  withinMs = ANSWER_WITHIN_MS,
): Promise<void> {
  const end = Date.now() + withinMs;
  while (!holds()) {
    if (Date.now() > end) throw new Error(`not within time: ${what}`);
    await pause(5);
  }
}
