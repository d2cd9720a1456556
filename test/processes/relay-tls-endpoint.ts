/*
 * An endpoint on the TLS fallback: the same frames as over UDP, each after its length.
 */
import { once } from 'node:events';
import { connect, type TLSSocket } from 'node:tls';
import { encodeStreamFrame, FrameSplitter } from '../../src/protocol/relay/stream.js';
import { hello, prove, type TestLease } from './relay-udp-bed.js';
import { pause } from './relay-udp-endpoint.js';

const ANSWER_WITHIN_MS = 10_000;

/** One TLS connection to a relay. */
export class TlsEndpoint {
  readonly received: Buffer[] = [];
  isClosed = false;
  readonly #splitter = new FrameSplitter();

  private constructor(readonly socket: TLSSocket) {
    socket.on('data', (chunk: Buffer) => {
      for (const frame of this.#splitter.push(chunk).frames) this.received.push(Buffer.from(frame));
    });
    socket.on('error', () => undefined);
    socket.on('close', () => (this.isClosed = true));
  }

  /** Connects, trusting `authority` only. Rejects if the handshake fails. */
  static async open(port: number, authority: string, localAddress?: string): Promise<TlsEndpoint> {
    const socket = connect({
      port,
      host: '127.0.0.1',
      servername: 'localhost',
      ca: authority,
      ...(localAddress !== undefined && { localAddress }),
    });
    await once(socket, 'secureConnect');
    return new TlsEndpoint(socket);
  }

  send(frame: Uint8Array): void {
    this.socket.write(encodeStreamFrame(frame));
  }

  /** The next frame that `matches`; those before it are dropped. */
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

  /** HELLO and PROVE; the answer. */
  async prove(lease: TestLease, seq = 1n): Promise<Buffer> {
    this.send(hello(lease.sid));
    this.send(prove(lease, await this.next((bytes) => bytes[2] === 0x21), seq));
    return this.next((bytes) => bytes[2] === 0x25 || bytes[2] === 0x26);
  }

  close(): void {
    this.socket.destroy();
  }
}
